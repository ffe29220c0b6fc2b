"""What is a prediction worth to the business: the mean and the sum of value, with 95 % intervals."""

import numpy as np

from driftwatch.kernels.interval import Interval
from driftwatch.kernels.mean_interval import Pair, ratio_interval
from driftwatch.summaries.layout import Floats
from driftwatch.summaries.worth import ROW, WorthOutcomes


@np.errstate(all="ignore")
def worth_performance(outcomes: WorthOutcomes) -> dict[str, Interval]:
    """value_per_prediction and value_sum, each (…), over the rows that have a value, in its own unit; NaN without any.

    A row's value is its label's, or else the prediction's. The bounds of the sum are those of the mean times the rows:
    they say what as many other rows would have brought. Value is often made by few rows: simulated coverage is 94 %
    to 98 % at 200 rows and more when one row in twenty has a lognormal value and the others none.
    """
    mean = value_mean(outcomes)
    rows = outcomes.powers[..., ROW, 0]
    return {
        "value_per_prediction": mean,
        "value_sum": Interval(mean.value * rows, mean.lower * rows, mean.upper * rows),
    }


@np.errstate(all="ignore")
def value_mean(outcomes: WorthOutcomes, *, side: int = ROW) -> Interval:
    """Mean value (…) of one side: PREDICTED, OUTCOME or ROW."""
    powers, centre = outcomes.powers[..., side, :], outcomes.centre[..., side]
    rows = powers[..., 0]
    first, second, third = (powers[..., place] / rows for place in (1, 2, 3))
    about = ratio_interval(_plain(rows, first, second, third=third))
    return Interval(about.value + centre, about.lower + centre, about.upper + centre)


def _plain(rows: Floats, first: Floats, second: Floats, *, third: Floats) -> Pair:
    """The mean as a ratio whose denominator is always one."""
    one, zero = np.ones_like(first), np.zeros_like(first)
    error = np.maximum(second - first**2, 0.0) / np.maximum(rows - 1, 1.0)
    return Pair(
        rows=rows, x=first, v=one, xx=second, xv=first, vv=one, xxx=third, xxv=second, xvv=first, vvv=one,
        error_xx=error, error_xv=zero, error_vv=zero,
    )  # fmt: skip
