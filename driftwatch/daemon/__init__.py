"""Threads, clocks and their order: builds the world from a Config, runs it, stops it in reverse.

Only the engine thread touches monitors.
"""
