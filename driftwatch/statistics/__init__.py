"""(reference profile, current profile) → one value per column, with interval and status.

A statistic is one function in the registry. What cannot be computed is a status, never an exception.
"""
