"""Where outcomes go: the board, Prometheus, webhook targets.

A sink never changes what it is given, because others share it.
"""
