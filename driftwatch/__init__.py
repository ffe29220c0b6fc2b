"""driftwatch watches machine-learning models in production.

Rooms, in the order the data flows: sources → stream → summaries → statistics → evaluation → sinks.
`monitor` is one model's pure pipeline; `daemon` gives it threads, a clock and a disk; `cli` is the command line.
"""

__version__ = "0.1.0"
