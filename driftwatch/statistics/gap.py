"""Whether the labels say something else than the scores had promised: realised minus estimated performance.

Both are of the same labelled rows, so what a shift of the inputs does to the one it does to the other. While the
chance of a label at a score is what it was, the difference has mean zero and the variance of the labels' luck,
Σ p (1 - p) at the metric's derivative, and of the calibration. Where it is beyond that, the concept has drifted.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from driftwatch.kernels.calibration import Calibration
from driftwatch.kernels.expected import gather_bins
from driftwatch.kernels.influence import all_influences
from driftwatch.kernels.interval import Floats, Interval, Z
from driftwatch.statistics.estimation import BlockUncertainty, Estimated, estimates


@dataclass(frozen=True, slots=True)
class Gap:
    """Realised minus estimated metric; all (…), NaN where not defined.

    realised, estimated: the two. interval: their difference with its 95 % bounds. z: in standard deviations of what
    luck does. p_value: of a difference as great as this, either way, without concept drift.
    """

    realised: Floats
    estimated: Floats
    interval: Interval
    z: Floats
    p_value: Floats


def gaps(labelled: Floats, estimated: dict[str, Estimated], values: Floats | None = None) -> dict[str, Gap]:
    """The gap of every metric.

    labelled: (…, bins + 1, 2, 2) score bin × predicted class × label. estimated: of the same rows, from
    `estimate_binary(labelled.sum(axis=-1), …)` with a calibration that has not seen their labels.
    values: (2, 2) business value of a row by predicted class × label.
    """
    found = all_influences(labelled, values)
    realised = dict(zip(found.names, found.values, strict=True))
    return {name: gap_of(realised[name], promised) for name, promised in estimated.items()}


def estimates_and_gaps(
    rows: Floats, labelled: Floats, calibration: Calibration, values: Floats | None = None
) -> tuple[dict[str, Estimated], dict[str, Gap]]:
    """`estimate_binary` and `gaps` of one window in one go, which takes half the time.

    rows: (2, bins + 1, 2) predictions to estimate, and those of them that have a label.
    """
    cells = gather_bins(rows, calibration.chances)
    found = all_influences(np.concatenate([cells.joint, labelled[None]]), values)
    promised = estimates(found.first(2), cells, BlockUncertainty(cells.rows, calibration))
    parted = {
        name: gap_of(values_of[2], promised[name].at(1))
        for name, values_of in zip(found.names, found.values, strict=True)
    }
    return {name: each.at(0) for name, each in promised.items()}, parted


def gap_of(realised: Floats, promised: Estimated) -> Gap:
    """Realised minus estimated: one metric's gap."""
    gap, deviation = np.asarray(realised - promised.value), np.asarray(promised.deviation)
    z = np.divide(gap, deviation, out=np.full(gap.shape, np.nan), where=deviation > 0)
    reach = Z * deviation
    interval = Interval(gap, gap - reach, gap + reach)
    return Gap(realised, promised.value, interval, z, 2 * ndtr(-np.abs(z)))
