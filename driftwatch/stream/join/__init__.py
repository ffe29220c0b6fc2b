"""Predictions that wait for their labels: remembered in bounded memory, joined by id, recalled by window, checkpointed.

`labels` is the door. Rows are numbered and lie in a ring; a checkpoint appends what is new (`journal`).
"""
