"""The mergeable state of a regression's performance: moments of every row's errors, by bins of the prediction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from driftwatch.errors import StateError
from driftwatch.kernels.residuals import LEVEL
from driftwatch.stream.outputs import LABELLED, Answers
from driftwatch.summaries.layout import Floats, Ints

ONE, E, AE, E2, E4, AY, Y2, NZ, PCT, PCT2, SP, SP2, HAS, INSIDE, PB, PB2, U, U2, U3, E2U, E2U2 = range(21)
"""What is known of a row, by place: 1, error e, |e|, e², e⁴, |label|, label², label is not zero, |e| / |label| and its
square, symmetric percentage error and its square, has an interval, label is inside, pinball loss of the interval and
its square, u = label - centre, u², u³, e² u, e² u². Products of two of them are all moments that intervals need."""
QUANTITIES = 21

LIMIT = 1e36
"""Numbers beyond count as this, so that eighth powers of errors stay finite."""

_GROUPS = 20


@dataclass(frozen=True, slots=True)
class RegressionGrid:
    """Bins of the prediction, the strata of everything.

    edges: increasing; stratum 0 holds x ≤ edges[0], stratum j edges[j-1] < x ≤ edges[j], the next to last what is
    above, the last one rows without a prediction. level: nominal share of labels inside the prediction's interval.
    """

    edges: tuple[float, ...]
    level: float = LEVEL

    @classmethod
    def from_reference(cls, edges: Floats, *, level: float = LEVEL) -> Self:
        """About 20 groups of a reference column's bins, whose edges (edges,) are quantiles, with under and over."""
        distinct = np.unique(edges)
        chosen = np.unique(np.linspace(0, distinct.size - 1, _GROUPS + 1).round().astype(np.int64))
        return cls(tuple(float(edge) for edge in distinct[chosen]), level)

    @classmethod
    def without_reference(cls, *, level: float = LEVEL) -> Self:
        """Powers of four of both signs, from 2⁻¹⁰ to 2³⁰, for predictions of which nothing is known."""
        sizes = 2.0 ** np.arange(-10, 31, 2)
        return cls(tuple(float(edge) for edge in np.concatenate([-sizes[::-1], [0.0], sizes])), level)

    @property
    def strata(self) -> int:
        """Number of strata, that without a prediction included: P + 1."""
        return len(self.edges) + 2

    def places(self, prediction: Floats) -> Ints:
        """The stratum of every prediction, any shape."""
        place = np.searchsorted(np.asarray(self.edges), prediction)
        return np.where(np.isfinite(prediction), place, self.strata - 1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class RegressionOutcomes:
    """Moments of labelled predictions over strata; every array may have leading axes (…) of cells.

    predicted: (…, P + 1) all predictions, whatever has become of them.
    labelled: (…, P + 1) rows with a prediction and a label, which the products are made of.
    products: (…, P + 1, QUANTITIES, QUANTITIES) sums of q qᵀ over these rows; row ONE holds the plain sums. Times the
        stratum's weight where reweighted.
    centre: (…) about which u is taken: near the mean label, so that nothing cancels wherever labels lie.
    """

    grid: RegressionGrid
    predicted: Floats
    labelled: Floats
    products: Floats
    centre: Floats

    @classmethod
    def empty(cls, grid: RegressionGrid) -> Self:
        """The identity of `merge`."""
        strata = grid.strata
        products = np.zeros((strata, QUANTITIES, QUANTITIES))
        return cls(grid, np.zeros(strata), np.zeros(strata), products, np.zeros(()))

    @classmethod
    def of(cls, answers: Answers, grid: RegressionGrid) -> Self:
        """Count predictions and what has become of them; a label or prediction that is not finite is none."""
        outputs, label = answers.outputs, answers.outcomes["label"]
        places = grid.places(outputs["prediction"])
        strata = grid.strata
        kept = (answers.state == LABELLED) & np.isfinite(label) & (places < strata - 1)
        order = np.flatnonzero(kept)[np.argsort(places[kept], kind="stable")]
        labelled = np.bincount(places[kept], minlength=strata)
        y = np.clip(label[order], -LIMIT, LIMIT)
        centre = np.asarray(y.mean() if y.size else 0.0)
        rows = outputs[order]
        known = quantities(rows["prediction"], y, interval=(rows["low"], rows["high"]), centre=centre, level=grid.level)
        products = np.zeros((strata, QUANTITIES, QUANTITIES))
        ends = np.cumsum(labelled)
        for stratum in np.flatnonzero(labelled):
            part = known[ends[stratum] - labelled[stratum] : ends[stratum]]
            products[stratum] = part.T @ part
        predicted = np.bincount(places, minlength=strata).astype(np.float64)
        return cls(grid, predicted, labelled.astype(np.float64), products, centre)

    def merge(self, other: Self) -> Self:
        """Add two states of the same grid, cell by cell; StateError when the grids differ."""
        if self.grid != other.grid:
            raise StateError("performance counted over different bins of the prediction does not add")
        mine, theirs = self.labelled.sum(axis=-1), other.labelled.sum(axis=-1)
        rows = mine + theirs
        middle = (mine * self.centre + theirs * other.centre) / np.where(rows > 0, rows, 1.0)
        # A centre alone stays what it is to the bit, so that adding nothing changes nothing.
        centre = np.where(mine == 0, other.centre, np.where(theirs == 0, self.centre, middle))
        return type(self)(
            grid=self.grid,
            predicted=self.predicted + other.predicted,
            labelled=self.labelled + other.labelled,
            products=self.about(centre).products + other.about(centre).products,
            centre=centre,
        )

    def about(self, centre: Floats) -> Self:
        """The same rows with u taken about another centre (…)."""
        shift = self.centre - centre
        turn = np.zeros((*np.shape(shift), QUANTITIES, QUANTITIES))
        turn[..., range(QUANTITIES), range(QUANTITIES)] = 1.0
        turn[..., U, ONE] = turn[..., E2U, E2] = shift
        turn[..., U2, U] = turn[..., E2U2, E2U] = 2 * shift
        turn[..., U2, ONE] = turn[..., E2U2, E2] = shift**2
        turn[..., U3, U2], turn[..., U3, U], turn[..., U3, ONE] = 3 * shift, 3 * shift**2, shift**3
        turn = turn[..., None, :, :]
        products = turn @ self.products @ np.swapaxes(turn, -1, -2)
        return type(self)(self.grid, self.predicted, self.labelled, products, np.asarray(centre))

    def reweighted(self, weights: Floats) -> Self:
        """Let every labelled row of a stratum stand for `weights` (…, P + 1) predictions, for post-stratification.

        Weights are predictions over labelled rows, so that their sum over rows is a number of predictions.
        """
        products = self.products * weights[..., None, None]
        return type(self)(self.grid, self.predicted, self.labelled, products, self.centre)

    def post_stratified(self) -> Self:
        """Correct for labels that come sooner for some predictions; strata without any label are left out."""
        some = self.labelled > 0
        return self.reweighted(np.where(some, self.predicted / np.where(some, self.labelled, 1.0), 0.0))

    def arrays(self) -> dict[str, Floats]:
        """The state as named arrays, for whoever stores it."""
        return {
            "predicted": self.predicted,
            "labelled": self.labelled,
            "products": self.products,
            "centre": self.centre,
        }

    @classmethod
    def from_arrays(cls, grid: RegressionGrid, arrays: Mapping[str, Floats]) -> Self:
        """The inverse of `arrays`; StateError when the arrays do not fit the grid."""
        state = cls(grid, **{name: arrays[name] for name in ("predicted", "labelled", "products", "centre")})
        if state.products.shape[-3:] != (grid.strata, QUANTITIES, QUANTITIES):
            raise StateError("stored performance does not fit the bins of the prediction")
        return state


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def quantities(
    prediction: Floats, label: Floats, *, interval: tuple[Floats, Floats], centre: Floats, level: float = LEVEL
) -> Floats:
    """(…, rows, QUANTITIES) of rows (…, rows) with finite prediction and label; centre (…) is what u is taken about."""
    x, y = np.clip(prediction, -LIMIT, LIMIT), np.clip(label, -LIMIT, LIMIT)
    e, u = x - y, y - np.asarray(centre)[..., None]
    ae, ay, e2, u2 = np.abs(e), np.abs(y), e * e, u * u
    percent = np.where(y == 0, 0.0, np.minimum(ae / ay, LIMIT))
    symmetric = np.where(e == 0, 0.0, 2 * ae / (np.abs(x) + ay))
    low, high = interval
    has = np.isfinite(low) & np.isfinite(high)
    loss = _loss(y, np.clip(low, -LIMIT, LIMIT), np.clip(high, -LIMIT, LIMIT), tail=(1 - level) / 2)
    loss = np.where(has, loss, 0.0)
    inside = has & (low <= label) & (label <= high)
    known: dict[int, Floats] = {
        ONE: np.ones_like(e), E: e, AE: ae, E2: e2, E4: e2 * e2, AY: ay, Y2: y * y, NZ: (y != 0).astype(np.float64),
        PCT: percent, PCT2: percent**2, SP: symmetric, SP2: symmetric**2, HAS: has.astype(np.float64),
        INSIDE: inside.astype(np.float64), PB: loss, PB2: loss**2, U: u, U2: u2, U3: u2 * u, E2U: e2 * u, E2U2: e2 * u2,
    }  # fmt: skip
    return np.stack([known[place] for place in range(QUANTITIES)], axis=-1)


def _loss(label: Floats, low: Floats, high: Floats, *, tail: float) -> Floats:
    """Mean pinball loss of both ends of an interval: its lower end is the quantile `tail`, its upper one 1 - tail."""
    under, over = label - low, label - high
    loss: Floats = (np.maximum(tail * under, (tail - 1) * under) + np.maximum((1 - tail) * over, -tail * over)) / 2
    return loss
