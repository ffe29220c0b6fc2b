"""Powers 1 to 4 of the normal scores of mid-ranks, made orthonormal over pooled rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

SCORES = 4
_NORMAL = special.ndtri((np.arange(4096) + 0.5) / 4096)
_AT_ONCE = 250
"""Columns that are scored at a time."""
_NONE = 1e-6
"""Of its variance, what at least is left of a power that is no combination of those before it."""
_PLAIN = 0.05
"""With more than this left sums of powers say it to the last digits; else the rows' own scores have to."""


@dataclass(frozen=True, slots=True)
class Summed:
    """moved: (SCORES, columns) sums of the scores of the rows drawn; count: (columns,) of scores that are not 0.

    step: (columns,) the least difference between the first scores of two cells: of few cells the sums lie on a lattice.
    """

    moved: Floats
    count: Floats
    step: Floats

    @property
    def beyond_lattice(self) -> Floats:
        """The sums (SCORES, columns), the first of them half a step nearer to 0, so that its tail includes it."""
        sums = self.moved.copy()
        sums[0] -= np.clip(sums[0], -self.step / 2, self.step / 2)
        return sums


def summed(drawn: Floats, pooled: Floats, groups: Floats) -> Summed:
    """Sum the scores of the rows drawn; drawn, pooled: (columns, cells). groups: (columns,), see `scores_of`."""
    columns = len(pooled)
    moved, count, step = np.empty((SCORES, columns)), np.empty(columns), np.empty(columns)
    # Some columns at a time: what is made of all of them would be fresh memory, which costs more than the sums.
    for start in range(0, columns, _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        of = _summed(drawn[some], pooled[some], groups[some])
        moved[:, some], count[some], step[some] = of.moved, of.count, of.step
    return Summed(moved, count, step)


@np.errstate(all="ignore")
def _summed(drawn: Floats, pooled: Floats, groups: Floats) -> Summed:
    """Of some columns, from sums of powers alone where these are far from being combinations of each other.

    They mostly are, and to make every cell's scores takes three times as long.
    """
    normal = _normal_scores(pooled)
    moved, scale, plain = _from_powers(*_power_sums(normal, drawn, pooled), groups)
    step, count = _least_step(normal, pooled) * scale, np.minimum(groups, SCORES)
    lumpy = np.flatnonzero(~plain)
    if lumpy.size:
        _, of = sums_of_cells(drawn[lumpy], pooled[lumpy], groups[lumpy])
        moved[:, lumpy], count[lumpy], step[lumpy] = of.moved, of.count, of.step
    return Summed(moved, count, step)


def sums_of_cells(drawn: Floats, pooled: Floats, groups: Floats) -> tuple[Floats, Summed]:
    """Make the scores of every cell (SCORES, columns, cells), and sum them; arguments as of `summed`."""
    scores, count = scores_of(pooled, groups)
    return scores, Summed(np.einsum("ij,kij->ki", drawn, scores), count, _least_step(scores[0], pooled))


def scores_of(pooled: Floats, groups: Floats) -> tuple[Floats, Floats]:
    """(SCORES, columns, cells) each cell's scores, and (columns,) how many are not 0.

    A power that is a combination of those before it is 0, and so are those beyond the number of groups.
    """
    columns, cells = pooled.shape
    scores, count = np.empty((SCORES, columns, cells)), np.empty(columns)
    for start in range(0, columns, _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        count[some] = _orthonormal(pooled[some], groups[some], out=scores[:, some])
    return scores, count


def _normal_scores(pooled: Floats) -> Floats:
    """(columns, cells) of the mid-rank of each cell."""
    total = np.maximum(pooled.sum(axis=1), 1.0)
    ranks = pooled.cumsum(axis=1)
    ranks -= pooled / 2
    ranks *= (_NORMAL.size / total)[:, None]
    normal: Floats = _NORMAL.take(ranks.astype(np.int64), mode="clip")
    return normal


@np.errstate(all="ignore")
def _orthonormal(pooled: Floats, groups: Floats, *, out: Floats) -> Floats:
    """Put the scores of some columns into `out`, (SCORES, columns, cells); (columns,) how many are left."""
    total = np.maximum(pooled.sum(axis=1), 1.0)
    normal = _normal_scores(pooled)
    weighted, power, product = np.empty_like(pooled), np.ones_like(pooled), np.empty_like(pooled)
    count = np.zeros(len(pooled))
    for place in range(SCORES):
        score = out[place]
        power *= normal
        np.multiply(pooled, power, out=weighted)
        np.subtract(power, (weighted.sum(axis=1) / total)[:, None], out=score)
        size = _products(weighted, score)
        for other in out[:place]:
            np.multiply(other, _products(weighted, other)[:, None], out=product)
            score -= product
        np.multiply(pooled, score, out=weighted)
        rest = _products(weighted, score)
        left = (rest > _NONE * size) & (place < groups)
        score *= np.where(left, 1 / np.sqrt(rest), 0.0)[:, None]
        count += left
    return count


def _power_sums(normal: Floats, drawn: Floats, pooled: Floats) -> tuple[Floats, Floats]:
    """(2 SCORES + 1, columns) sums of powers over the pooled rows, (SCORES + 1, columns) over those drawn."""
    moments, of_drawn = np.empty((2 * SCORES + 1, len(pooled))), np.empty((SCORES + 1, len(pooled)))
    powers = [normal]
    while len(powers) < SCORES:
        powers.append(powers[-1] * normal)
    first, last = pooled * normal, pooled * powers[-1]
    moments[0], of_drawn[0] = pooled.sum(axis=1), drawn.sum(axis=1)
    moments[1] = first.sum(axis=1)
    for place, power in enumerate(powers):
        moments[2 + place] = _products(first, power)
        of_drawn[1 + place] = _products(drawn, power)
    for place, power in enumerate(powers[1:]):
        moments[SCORES + 2 + place] = _products(last, power)
    return moments, of_drawn


def _from_powers(moments: Floats, of_drawn: Floats, groups: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Sums of the scores of the rows drawn (SCORES, columns), what the first score multiplies normal scores by, plain.

    Gram and Schmidt's steps on polynomials: a score is its coefficients, a product of two a sum of moments.
    """
    columns = moments.shape[1]
    basis = np.zeros((SCORES + 1, SCORES + 1, columns))
    basis[0, 0] = 1 / np.sqrt(moments[0])
    plain = np.ones(columns, dtype=np.bool_)
    for power in range(1, SCORES + 1):
        shares = [
            (basis[other, : other + 1] * moments[power : power + other + 1]).sum(axis=0) for other in range(power)
        ]
        own = basis[power]
        own[power] = 1.0
        for other, share in enumerate(shares):
            own[: other + 1] -= share * basis[other, : other + 1]
        size = moments[2 * power] - shares[0] ** 2
        rest = size - sum((share**2 for share in shares[1:]), np.zeros(columns))
        wanted = power <= groups
        plain &= (rest > _PLAIN * size) | ~wanted
        own *= np.where(wanted, 1 / np.sqrt(rest), 0.0)
    moved: Floats = np.einsum("spc,pc->sc", basis[1:], of_drawn)
    return moved, basis[1, 1], plain


def _least_step(score: Floats, pooled: Floats) -> Floats:
    """(columns,) the least difference between two cells that hold rows, 0 where there are none."""
    risen, thin = score, (pooled <= 0).any(axis=1)
    if thin.any():
        risen = score.copy()
        risen[thin] = np.maximum.accumulate(np.where(pooled[thin] > 0, score[thin], -np.inf), axis=1)
    with np.errstate(invalid="ignore"):
        between = risen[:, 1:] - risen[:, :-1]
    least: Floats = np.where((between > 0) & (between < np.inf), between, np.inf).min(axis=1)
    return np.where(np.isfinite(least), least, 0.0)


def _products(one: Floats, other: Floats) -> Floats:
    """(columns,) sums of products over the cells."""
    products: Floats = np.einsum("ij,ij->i", one, other)
    return products
