"""Arrays in, arrays out: numpy and scipy only, no word of drift.

Axes, named once: `cells` (pane × version × segment), `columns`, `bins` (or `slots`: bins and the special counts).
A kernel documents its shapes, its error against the exact value and its source. No I/O, no clock, no configuration.
"""
