"""From bytes to columns with a place in time: schema, decode, windows.

Types are checked in `decode` and nowhere after. Nothing here knows that summaries exist; nothing here reads a clock.
"""
