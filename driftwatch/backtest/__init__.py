"""What a configuration would have done: its false alarms, its power and its delay, measured on a model's own history.

`history` reads it once, `resample` takes the time out of it, `inject` puts a known change in, `passing` sends rows
through the real pipeline, `trials` does so many times, `judge` and `score` count, `text` and `picture` tell. No server,
no store, no webhook.
"""
