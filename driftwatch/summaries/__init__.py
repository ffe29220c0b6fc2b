"""Mergeable states: a Profile is integer counts and sums over a fixed Layout, and two profiles add.

A summary encodes and decodes itself; the store never knows a type. Nothing here knows a statistic.
"""
