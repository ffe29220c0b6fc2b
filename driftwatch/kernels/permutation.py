"""How far from chance is the way a pool of rows fell into two samples: deviates that are right far out in the tail.

The pooled rows are given, and which of them are the window's is exchangeable where nothing has changed. Everything is
a saddlepoint approximation (Skovgaard 1987, 2001): its relative error stays small however far out, where a normal
law's grows without bound for skewed scores and small counts.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

_STEPS = 12
_LONGEST_STEP = 3.0
"""Log odds; a longer step of Newton's leaves the region where the quadratic resembles the function."""
_ENOUGH = 1e-4
"""Of the likelihood ratio, that another step would add."""


@np.errstate(all="ignore")
def share_deviate(part: Floats, cell: Floats, *, drawn: Floats, total: Floats) -> Floats:
    """Of how many standard deviations is it surprising that so many of a cell's rows were drawn.

    part: rows of the cell that are among those drawn. cell: all its rows. drawn, total: rows drawn, rows in all. Any
    shapes that broadcast. Positive where the cell has more than its share, 0 within half a row of it and where there
    is nothing to draw. Twice the normal tail beyond it is the hypergeometric one, within 1 % where that is below a
    quarter (5 % for the last one or two of a small cell).
    """
    rest, others = total - drawn, total - cell
    expected = drawn * cell / total
    # Half a row towards the expectation, so that the tail includes what was seen.
    seen = part - np.clip(part - expected, -0.5, 0.5)
    table = (seen, cell - seen, drawn - seen, others - drawn + seen)
    means = (expected, rest * cell / total, drawn * others / total, rest * others / total)
    ratio = sum((special.xlogy(count, count / mean) for count, mean in zip(table, means, strict=True)), np.zeros(()))
    sign = np.sign(seen - expected)
    root = sign * np.sqrt(np.maximum(2 * ratio, 0.0))
    odds = np.log(table[0] / table[1]) - np.log(table[2] / table[3])
    variance = (table[0] * table[1] / cell) * (table[2] * table[3] / others) / (drawn * rest / total)
    corrected = root + np.log(2 * np.sinh(odds / 2) * np.sqrt(variance) / root) / root
    # Near the centre the correction is nothing divided by nothing; at the edge of the table it is not defined.
    fair = np.isfinite(corrected) & (np.abs(root) > 0.05)
    deviate: Floats = np.where(fair, corrected, np.where(np.isfinite(root), root, 0.0))
    return deviate


@np.errstate(all="ignore")
def score_evidence(scores: Floats, pooled: Floats, moved: Floats, *, mean: Floats) -> Floats:
    """How much do the rows drawn differ in some scores: a likelihood ratio, χ² with as many degrees of freedom.

    scores: (scores, columns, cells) of the rows of each cell, orthonormal over the pooled rows and orthogonal to 1; a
    score that is 0 everywhere counts as none. pooled: (columns, cells) rows in all. moved: (columns, scores) sums of
    the scores of the rows drawn. mean: (columns,) rows drawn / rows in all, between 0 and 1. Of the family of
    exponential tilts of the scores, given how many rows were drawn; w (1 - ln g / w)² as in Skovgaard (2001), which
    for a single score is the square of Lugannani and Rice's r*.
    """
    count, columns, _ = scores.shape
    basis = np.empty((columns, count + 1, pooled.shape[1]))
    basis[:, 0] = (1 / np.sqrt(pooled.sum(axis=1)))[:, None]
    basis[:, 1:] = scores.transpose(1, 0, 2)
    target = np.concatenate([mean[:, None] * np.sqrt(pooled.sum(axis=1))[:, None], moved], axis=1)
    odds = (mean / (1 - mean))[:, None]
    used = np.concatenate([np.ones((columns, 1)), (scores != 0).any(axis=2).T], axis=1)
    # Scores that are none keep the information of the centre, so that they neither move nor weigh.
    spare = np.eye(count + 1) * (1 - used)[:, None, :] * (mean * (1 - mean))[:, None, None]
    point = target / (mean * (1 - mean))[:, None]
    point[:, 0] = 0.0
    point *= np.minimum(1.0, _LONGEST_STEP / _reach(basis, point))[:, None]
    best, found = np.zeros(columns), np.zeros_like(target)
    for _ in range(_STEPS):
        grown = np.exp(np.einsum("ij,ijk->ik", point, basis)) * odds
        value = 2 * ((point * target).sum(axis=1) - (pooled * np.log((1 + grown) / (1 + odds))).sum(axis=1))
        chance = grown / (1 + grown)
        # The function is concave: whatever point is reached, its value is less than the greatest.
        better = value > best
        best, found = np.where(better, value, best), np.where(better[:, None], point, found)
        weight = (pooled * chance * (1 - chance))[:, None, :]
        curvature = np.matmul(basis * weight, basis.transpose(0, 2, 1)) + spare
        slope = target - _times(basis, pooled * chance)
        step = _solved(curvature, slope)
        if float(np.max((step * slope).sum(axis=1), initial=0.0)) < _ENOUGH:
            break
        point = point + step * np.minimum(1.0, _LONGEST_STEP / _reach(basis, step))[:, None]
    return _corrected(best, found[:, 1:], target[:, 1:], information=(mean * (1 - mean), curvature), used=used)


def _times(basis: Floats, counts: Floats) -> Floats:
    """(columns, scores) sums over the cells."""
    summed: Floats = np.einsum("ijk,ik->ij", basis, counts)
    return summed


def _reach(basis: Floats, step: Floats) -> Floats:
    """(columns,) by how much a step changes log odds at most."""
    reach: Floats = np.abs(np.einsum("ij,ijk->ik", step, basis)).max(axis=1)
    return np.maximum(reach, 1e-300)


def _solved(curvature: Floats, slope: Floats) -> Floats:
    """Newton's step; a ridge keeps it finite where all or none of the rows of nearly every cell were drawn."""
    size = curvature.shape[-1]
    ridge = 1e-9 * np.trace(curvature, axis1=1, axis2=2)[:, None, None] + 1e-300
    solved: Floats = np.linalg.solve(curvature + np.eye(size) * ridge, slope[:, :, None])[:, :, 0]
    return solved


def _corrected(
    ratio: Floats, point: Floats, target: Floats, *, information: tuple[Floats, Floats], used: Floats
) -> Floats:  # fmt: skip
    """(columns,) w (1 - ln g / w)², or w where g is not defined or so large that the expansion says nothing."""
    centre, curvature = information
    freedom = used.sum(axis=1) - 1
    quadratic = (target**2).sum(axis=1) / centre
    sign, log_determinant = np.linalg.slogdet(curvature)
    spread = (used.shape[1] * np.log(centre) - log_determinant) / 2
    log_g = (
        freedom / 2 * np.log(quadratic) - (freedom / 2 - 1) * np.log(ratio)
        - np.log((point * target).sum(axis=1)) + spread
    )  # fmt: skip
    fair = np.isfinite(log_g) & (np.abs(log_g) < ratio / 2) & (sign > 0)
    return np.where(fair, ratio * (1 - log_g / ratio) ** 2, ratio)
