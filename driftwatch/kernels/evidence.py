"""Has the mean of bounded losses left an interval: evidence with a run length to false alarm that is proved, not tuned.

One loss x in [0, 1] is bet on by E = (1 + g·x) / (1 + g·high), g > 0. Where the mean given the past is at most `high`
the expectation of E is at most 1, whatever the distribution; for a fall x and `high` are read as 1 - x and 1 - low.
The detector R ← E · (R + 1) opens a bet at every row and lets them all ride (Shiryaev 1963, Roberts 1966). The
expectation of R at any stopping time is at most that of the time, so the mean number of rows to the first R ≥ A is at
least A: an e-detector (Shin, Ramdas and Rinaldo 2022, https://arxiv.org/abs/2203.03532). Means of
e-detectors are e-detectors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RATIOS = np.array([1.25, 1.7, 3.5])
"""How many times the odds have risen, as each bet supposes: the bet of an odds ratio r has g = r - 1."""
BETS = RATIOS.size
LEAST_PRODUCT = 1e-150
"""A product below this one is to be begun anew, before it or its inverse leaves the range of floats."""

_GAIN = RATIOS[:, None] - 1
_HALVINGS = 50


@dataclass(frozen=True, slots=True)
class Paths:
    """Bets along the rows of each cell, with the state before the first row in row 0.

    products: (2, BETS, rows + 1, cells) of the factors E; direction 0 bets on a rise, 1 on a fall.
    starts: the same shape, Σ 1 / product over the rows before, so that products · starts is R.
    evidence: (2, rows + 1, cells) mean of R over the bets.
    """

    products: Floats
    starts: Floats
    evidence: Floats


def bet(losses: Floats, *, low: Floats, high: Floats, products: Floats, starts: Floats) -> Paths:
    """How much evidence is there, after each row, that the mean is above `high` or below `low`.

    losses: (cells, rows) in [0, 1], NaN where a cell has no more rows. low, high: (cells,) in [0, 1]. products,
    starts: (cells, 2, BETS), at the beginning 1 and 0. Sums and products run from row to row, so the values do not
    depend on where the rows were cut. Behind a row with overwhelming evidence or a product below LEAST_PRODUCT, they
    may leave the range of floats.
    """
    cells, rows = losses.shape
    multiplied, summed = np.empty((2, 2, BETS, rows + 1, cells))
    multiplied[:, :, 0], summed[:, :, 0] = products.transpose(1, 2, 0), starts.transpose(1, 2, 0)
    factors = multiplied[:, :, 1:]
    rise, fall = 1 / (1 + _GAIN * high), 1 / (1 + _GAIN * (1 - low))
    lines = losses.T
    np.multiply((_GAIN * rise)[:, None], lines, out=factors[0])
    np.multiply((-_GAIN * fall)[:, None], lines, out=factors[1])
    factors[0] += rise[:, None]
    factors[1] += (RATIOS[:, None] * fall)[:, None]
    if np.isnan(losses[:, -1]).any():
        np.copyto(factors, 1.0, where=np.isnan(lines))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        _accumulate(np.multiply, multiplied)
        np.divide(1.0, multiplied[:, :, :-1], out=summed[:, :, 1:])
        _accumulate(np.add, summed)
        evidence: Floats = np.add.reduce(multiplied * summed, axis=1)
    evidence /= BETS
    return Paths(multiplied, summed, evidence)


def _accumulate(operation: np.ufunc, values: Floats) -> None:
    """Replace values, (2, BETS, rows, cells), by the running result over the rows; both ways give the same bits."""
    rows, cells = values.shape[2:]
    if rows > cells:
        operation.accumulate(values, axis=2, out=values)
        return
    for row in range(1, rows):
        operation(values[:, :, row - 1], values[:, :, row], out=values[:, :, row])


def mean_bounds(mean: Floats, rows: Ints, *, risk: Floats) -> tuple[Floats, Floats]:
    """Where can the true mean of [0, 1] losses lie; each bound is wrong with a probability of at most `risk`.

    mean, rows, risk: (cells,). Chernoff's bound in Hoeffding's form: rows · kl(mean, bound) = log(1 / risk), with the
    divergence of Bernoulli variables, which holds for any distribution on [0, 1] (Hoeffding 1963, theorem 1).
    """
    budget = np.log(1 / risk) / np.maximum(rows, 1)
    inside, outside = np.stack((mean, mean)), np.stack((np.zeros_like(mean), np.ones_like(mean)))
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        beyond = _divergence(mean, middle) > budget
        outside = np.where(beyond, middle, outside)
        inside = np.where(beyond, inside, middle)
    return outside[0], outside[1]


def _divergence(p: Floats, q: Floats) -> Floats:
    """Kullback-Leibler divergence of Bernoulli variables; q strictly between 0 and 1."""
    q = np.clip(q, 1e-300, 1 - 1e-16)
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = np.where(p > 0, p * np.log(p / q), 0.0)
        miss = np.where(p < 1, (1 - p) * np.log((1 - p) / (1 - q)), 0.0)
    return hit + miss
