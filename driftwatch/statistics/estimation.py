"""How good the model is expected to be in a window whose labels have not come, and how far that may be off.

The error bar has two parts. *Sampling*: even with the right chances, what the labels of these rows will be is a
matter of luck. *Calibration*: the chances were learned from finitely many labelled rows. Both are carried to each
metric by its derivative (delta method). The interval is where the metric of the labels is expected to lie, if the
chance of a label at a score is still what it was; if it is not, that is concept drift, see `gap`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from driftwatch.kernels.calibration import Calibration
from driftwatch.kernels.expected import Cells, gather_bins
from driftwatch.kernels.influence import BOUNDED_BELOW, Influences, all_influences
from driftwatch.kernels.interval import Floats, Interval, Z


@dataclass(frozen=True, slots=True)
class Estimated:
    """One metric, estimated; all (…).

    value: expected metric. sampling: standard deviation of the labels' luck. calibration: standard error of the
    chances. low, high: the metric's range.
    """

    value: Floats
    sampling: Floats
    calibration: Floats
    low: Floats | float
    high: Floats | float

    @property
    def deviation(self) -> Floats:
        """Standard deviation of the metric of the labels around the estimate."""
        return np.hypot(self.sampling, self.calibration)

    def at(self, place: int) -> Self:
        """One of many along the first axis."""
        return replace(
            self, value=self.value[place], sampling=self.sampling[place], calibration=self.calibration[place]
        )

    @property
    def interval(self) -> Interval:
        """95 % interval of the metric that the labels will show."""
        reach = Z * self.deviation
        lower = np.maximum(self.value - reach, self.low)
        return Interval(self.value, lower, np.minimum(self.value + reach, self.high))


class Uncertainty(Protocol):
    """Errors of chances, carried to a metric."""

    def variance(self, turn: Floats) -> Floats:
        """(…) variance of a metric that moves by `turn` (…, bins + 1, 2) for each positive row more in a cell."""


@dataclass(frozen=True, slots=True)
class BlockUncertainty:
    """The errors of an isotonic calibration: all rows of a block share one. rows: (…, bins + 1, 2)."""

    rows: Floats
    calibration: Calibration

    def variance(self, turn: Floats) -> Floats:
        """(…) variance of a metric that moves by `turn` (…, bins + 1, 2) for each positive row more in a cell."""
        blocks = self.calibration.blocks.ravel()
        order = np.argsort(blocks, kind="stable")
        firsts = np.flatnonzero(np.diff(blocks[order], prepend=-1))
        flat = (self.rows * turn).reshape(*turn.shape[:-2], -1)[..., order]
        pull = np.add.reduceat(flat, firsts, axis=-1)
        carried: Floats = (pull**2 * self.calibration.variances[blocks[order][firsts]]).sum(axis=-1)
        return carried


@dataclass(frozen=True, slots=True)
class Joined:
    """Independent errors together."""

    parts: tuple[Uncertainty, ...]

    def variance(self, turn: Floats) -> Floats:
        """(…) variance of a metric that moves by `turn` (…, bins + 1, 2) for each positive row more in a cell."""
        carried: Floats = np.sum([part.variance(turn) for part in self.parts], axis=0)
        return carried


def estimate_binary(predicted: Floats, calibration: Calibration, values: Floats | None = None) -> dict[str, Estimated]:
    """Every metric of binned predictions (…, bins + 1, 2) by what matured labels say of each bin.

    values: (2, 2) business value of a row by predicted class × label.
    """
    cells = gather_bins(predicted, calibration.chances)
    return estimate_cells(cells, BlockUncertainty(cells.rows, calibration), values)


def estimate_cells(cells: Cells, uncertainty: Uncertainty, values: Floats | None = None) -> dict[str, Estimated]:
    """Every metric of gathered rows; see `estimate_binary`."""
    return estimates(all_influences(cells.joint, values), cells, uncertainty)


def estimates(found: Influences, cells: Cells, uncertainty: Uncertainty) -> dict[str, Estimated]:
    """The metrics whose influences have been found already; see `estimate_cells`."""
    turns = found.turns
    sampling = np.sqrt((turns * turns * cells.spread).sum(axis=(-2, -1)))
    calibration = np.sqrt(uncertainty.variance(turns))
    return {
        name: Estimated(found.values[place], sampling[place], calibration[place], *_range(name))
        for place, name in enumerate(found.names)
    }


def estimated_intervals(found: Mapping[str, Estimated]) -> dict[str, Interval]:
    """The 95 % intervals of single estimates, all at once; see `Estimated.interval`."""
    parts = [(one.value, one.sampling, one.calibration, one.low, one.high) for one in found.values()]
    value, sampling, calibration, low, high = np.array(parts, dtype=np.float64).reshape(-1, 5).T
    together = Estimated(value, sampling, calibration, low, high).interval
    bounds = zip(together.value, together.lower, together.upper, strict=True)
    return dict(zip(found, (Interval(*each) for each in bounds), strict=True))


def _range(name: str) -> tuple[float, float]:
    low = BOUNDED_BELOW.get(name, 0.0)
    return low, 1.0 if np.isfinite(low) else np.inf
