"""The loss of single rows, in [0, 1]: what is watched as labels come, and known of a labelled reference."""

import numpy as np

from driftwatch.kernels.interval import Floats
from driftwatch.statistics.concept import bounded_errors
from driftwatch.stream.outputs import Records


def wrong_classes(outputs: Records, outcomes: Records) -> Floats:
    """(rows,) 1 where a class was predicted that it is not, 0 where it is; NaN where one of the two is unknown."""
    said, label = outputs["prediction"], outcomes["label"]
    return np.where((said >= 0) & (label >= 0), (said != label).astype(np.float64), np.nan)


def prediction_errors(outputs: Records, outcomes: Records, *, scale: float) -> Floats:
    """(rows,) errors over `scale`, at most 1; NaN where the prediction or the label is unknown."""
    return bounded_errors(outputs["prediction"] - outcomes["label"], scale=scale)
