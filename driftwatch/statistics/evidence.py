"""What speaks for a change of each column: one window alone, and all windows so far."""

from dataclasses import dataclass

from driftwatch.summaries.layout import Floats

ABRUPT, SLOW = "abrupt", "slow"
"""The names under which the evidence is reported, in powers of ten: -log10 of the p-value, log10 of the e-detector."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence against "nothing has changed", columns in layout order; NaN where nothing could be tested.

    p_value: (columns,) of this window's rows against the reference, in [0, 1]: of an abrupt change.
    slow: (columns,) of an e-detector after this window, in [0, ∞): the mean number of windows until it first reaches A,
    when nothing has changed beyond what is tolerated, is at least A. After an alarm it begins anew.
    detectable: (columns,) the total variation distance that this window would have shown in four cases of five.
    """

    p_value: Floats
    slow: Floats
    detectable: Floats
