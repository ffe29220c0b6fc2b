"""Where events come from: Kafka, the durable inbox behind HTTP, files.

A source only puts `Raw` on the queue and turns its library's errors into `SourceError` at the door.
"""
