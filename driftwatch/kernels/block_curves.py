"""Moments of block counts as variance-time curves: how much more than with independent rows a block's sums vary."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from driftwatch.kernels.block_moments import GROUPS, VALUE_GROUPS, unpacked

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOCATION, SCALE, CELLS, PATH = range(4)
RARE = 0.002
"""Groups of a smaller share say nothing of a chi-square that pools its sparse cells."""
_TAIL = 1e-5
_NOTHING = 1e-12
_LARGER = 1.3
"""No direction of a numeric column's cells is taken to vary by so much more than location and scale do."""


@dataclass(frozen=True, slots=True)
class _Cells:
    """Design effects of the cells.

    count: (columns,) of free cells. mean, spread: (levels, columns), the latter a squared coefficient of variation.
    freedom: (levels, columns) of the mean, for one of a block.
    """

    count: Floats
    mean: Floats
    spread: Floats
    freedom: Floats


@dataclass(frozen=True, slots=True)
class Apart:
    """What is known besides where moments are of what is left of blocks when the expectation of a season is taken off.

    within: (levels or 1, columns, GROUPS, GROUPS) a row's covariance in the mixture of slots that windows are of.
    spent: (levels,) the part of a block's variance that is taken off with it, as its own rows made the expectation.
    """

    within: Floats
    spent: Floats


@dataclass(frozen=True, slots=True)
class Curves:
    """V(L) = variance of a sum over L rows / its variance with independent rows, at each level.

    values: (4, levels, columns) of LOCATION, SCALE, CELLS and PATH; of a categorical column all are those of CELLS.
    tested: (3, levels, columns) of location, scale and the cells on average; of a categorical column the last thrice.
    freedom: (3, levels, columns) of a chi-square that spreads as `tested` does where rows are independent.
    """

    values: Floats
    tested: Floats
    freedom: Floats

    @classmethod
    @np.errstate(all="ignore")
    def of(
        cls, counts: Floats, triangle: Floats, *, blocks: tuple[Ints, Ints], numeric: int, apart: Apart | None = None
    ) -> "Curves":  # fmt: skip
        """Make them of counts (columns, GROUPS) and moments (levels, columns, PAIRS); numeric columns come first.

        blocks: (levels,) rows of each, and how many there are. apart: where the moments are about a season's
        expectation; without it they are about zero. 1 everywhere where a column has one group only.
        """
        lengths, found = blocks
        rows = counts.sum(axis=1)
        shares = counts / np.maximum(rows, 1.0)[:, None]
        length = lengths[:, None].astype(np.float64)
        moments = unpacked(triangle) / (found[:, None] * length)[..., None, None]
        # A block is part of the mean that it is compared with.
        spent = length / np.maximum(rows, 1.0) if apart is None else apart.spent[:, None]
        part = 1 / np.maximum(1 - spent, 0.5)
        nearly = np.maximum(1.0, block_freedom(lengths, found))
        weights = np.stack([*score_weights(shares), *_absence(shares)])
        spread = _Spread(shares, length, None if apart is None else apart.within)
        cells = _cells(spread, moments, freedom=nearly)
        scores = np.stack([_ratio(each, moments, spread) for each in weights])
        most = _LARGER * scores.max(axis=0)
        most[:, numeric:] = np.inf
        values = np.stack([*scores[:2], _tail_factor(cells, most), _path(spread, moments)])
        values[:, :, numeric:] = values[CELLS, :, numeric:]
        tested = np.stack([*scores[:2], cells.mean])
        excess = np.stack([_excess(each, shares) for each in weights[:2]])
        uneven = 1 + np.maximum(excess, -1.5)[:, None] / (2 * length)
        freedom = np.concatenate([nearly[:, None] / uneven, [nearly[:, None] * cells.freedom]])
        tested[:2, :, numeric:], freedom[:2, :, numeric:] = tested[2, :, numeric:], freedom[2, :, numeric:]
        several = np.count_nonzero(shares, axis=1) > 1
        values, tested = (np.where(several & np.isfinite(found), found * part, 1.0) for found in (values, tested))
        return cls(values, tested, np.nan_to_num(freedom, nan=1.0))


def block_freedom(lengths: Ints, blocks: Ints) -> Floats:
    """(levels,) what the blocks of each level are worth; those that overlap by half are worth two thirds each."""
    freedom: Floats = np.where(lengths == 4, blocks, blocks * (2 / 3)) - 1.0
    return freedom


def score_weights(shares: Floats) -> tuple[Floats, Floats]:
    """(columns, GROUPS) normal scores of each group of values, and their squares; 0 for missing and invalid, mean 0.

    The mean of a normal variable, and of its square, between the quantiles where a group begins and ends.
    """
    values = shares[:, :VALUE_GROUPS]
    total = np.maximum(values.sum(axis=1, keepdims=True), 1e-300)
    share = values / total
    ends = np.concatenate([np.zeros((len(values), 1)), np.minimum(np.cumsum(share, axis=1), 1.0)], axis=1)
    ends[:, -1] = 1.0
    quantiles = special.ndtri(ends)
    density = np.exp(-(quantiles**2) / 2) / np.sqrt(2 * np.pi)
    product = np.where(density > 0, quantiles * density, 0.0)
    filled = share > 0
    location, scale = (
        np.divide(-np.diff(each, axis=1), share, out=np.zeros_like(share), where=filled) for each in (density, product)
    )
    return _centred(location, share), _centred(scale, share)


def _absence(shares: Floats) -> list[Floats]:
    """(columns, GROUPS) each, that a value is missing, and that it is invalid; 0 where too few are."""
    found = []
    for group in range(VALUE_GROUPS, GROUPS):
        weights = np.zeros_like(shares)
        weights[:, group] = 1
        weights -= shares[:, group, None]
        found.append(np.where(shares[:, group, None] >= RARE, weights, 0.0))
    return found


def _centred(scores: Floats, share: Floats) -> Floats:
    weights = np.zeros((len(scores), GROUPS))
    weights[:, :VALUE_GROUPS] = scores - (scores * share).sum(axis=1, keepdims=True)
    return weights


def _excess(weights: Floats, shares: Floats) -> Floats:
    """(columns,) excess kurtosis of the scores."""
    second, fourth = (shares * weights**2).sum(axis=1), (shares * weights**4).sum(axis=1)
    excess: Floats = np.nan_to_num(fourth / second**2 - 3)
    return excess


@dataclass(frozen=True, slots=True)
class _Spread:
    """How much independent rows vary: by their shares (columns, GROUPS), or as they do `within` seasons.

    length: (levels, 1) rows of a block.
    """

    shares: Floats
    length: Floats
    within: Floats | None

    def variance(self, weights: Floats) -> Floats:
        """(levels or 1, columns, …) of a row's sum of centred weights (columns, …, GROUPS)."""
        if self.within is None:
            shares = self.shares.reshape(len(self.shares), *[1] * (weights.ndim - 2), GROUPS)
            variance: Floats = (weights**2 * shares).sum(axis=-1)[None]
            return variance
        return _quadratic(weights, self.within)

    def centred(self, moments: Floats) -> Floats:
        """(levels, columns, GROUPS, GROUPS) moments of a row about what is expected of it, as effects on cells."""
        if self.within is None:
            # Deviations are from the shares of all rows, also where not all of them are in whole blocks.
            cross = moments.sum(axis=-1)[..., :, None] * self.shares[:, None, :]
            products = self.shares[:, :, None] * self.shares[:, None, :]
            centred: Floats = moments - cross - np.swapaxes(cross, -1, -2) + self.length[..., None, None] * products
            return centred
        kept = self.shares >= RARE
        inverse = np.where(kept, 1 / np.where(kept, self.shares, 1.0), 0.0)
        own = np.einsum("lcgg,cg->lc", self.within, inverse)
        stretched = np.where(own > _NOTHING, np.where(kept, 1 - self.shares, 0.0).sum(axis=1) / own, 0.0)
        effects: Floats = moments * stretched[..., None, None]
        return effects


def _quadratic(weights: Floats, moments: Floats) -> Floats:
    """(levels, columns, …) weights (columns, …, GROUPS) times moments (levels, columns, GROUPS, GROUPS) times them."""
    times = np.einsum("lcgh,c...h->lc...g", moments, weights, optimize=True)
    products: Floats = np.einsum("c...g,lc...g->lc...", weights, times, optimize=True)
    return products


def _ratio(weights: Floats, moments: Floats, spread: _Spread) -> Floats:
    """(levels, columns) variance of the sum of centred weights (columns, GROUPS), over that of independent rows."""
    above = np.einsum("cg,lcgh,ch->lc", weights, moments, weights, optimize=True)
    below = spread.variance(weights)
    return np.where(below > _NOTHING, above / below, 1.0)


def _path(spread: _Spread, moments: Floats) -> Floats:
    """The greatest variance of a cumulative share, over that with independent rows: they make KS's tail."""
    values = spread.shares[:, :VALUE_GROUPS]
    total = values.sum(axis=1, keepdims=True)
    below = np.cumsum(values, axis=1)[:, :-1] / np.maximum(total, 1e-300)
    steps = np.zeros((len(values), VALUE_GROUPS - 1, GROUPS))
    steps[:, :, :VALUE_GROUPS] = np.tri(VALUE_GROUPS - 1, VALUE_GROUPS)[None] - below[:, :, None]
    above = np.einsum("csg,lcsg->lcs", steps, np.einsum("lcgh,csh->lcsg", moments, steps, optimize=True), optimize=True)
    most = spread.variance(steps).max(axis=-1)
    return np.where(most > _NOTHING, above.max(axis=2) / most, 1.0)


def _cells(among: _Spread, moments: Floats, *, freedom: Floats) -> _Cells:
    shares, length = among.shares, among.length
    kept = shares >= RARE
    kinds = kept.sum(axis=1)
    inverse = np.where(kept, 1 / np.where(kept, shares, 1.0), 0.0)
    covariance = among.centred(moments)
    squares = np.einsum("lcgh,cg,ch->lc", covariance**2, inverse, inverse, optimize=True)
    trace = np.einsum("lcgg,cg->lc", covariance, inverse)
    free = np.maximum(np.where(kept, 1 - shares, 0.0).sum(axis=1), 1e-12)
    count = np.maximum(np.round(free), 1.0)
    # What few blocks add to the spread of the effects by chance is taken off (Wishart), and two standard errors.
    n = np.maximum(freedom, 2.0)[:, None]
    honest = n**2 / ((n - 1) * (n + 2)) * (squares - trace**2 / n)
    spread = np.clip(honest * count / np.maximum(trace, 1e-12) ** 2 - 1 - 4 / n, 0.0, count - 1)
    spare = (inverse.sum(axis=1) - kinds**2 - 2 * kinds + 2) / free
    return _Cells(count, trace / free, spread, free / np.maximum(1 + spare / (2 * length), 0.25))


def _tail_factor(cells: _Cells, most: Floats) -> Floats:
    """(levels, columns) what the far tail of a chi-square of the cells is stretched by.

    The effects are taken to be one large and the others equal, the worst that their mean and their spread allow; it
    is at most the larger of `most` (levels, columns) and twice the mean. The large one makes the tail, by its share of
    the quantile.
    """
    count, mean = cells.count, cells.mean
    large = np.minimum(mean * (1 + np.sqrt(cells.spread * (count - 1))), np.maximum(most, 2 * mean))
    others = np.where(count > 1, (count * mean - large) / np.maximum(count - 1, 1.0), mean)
    large = np.where(count > 1, large, mean)
    weight = special.chdtri(1, _TAIL) / special.chdtri(count, _TAIL)
    factor: Floats = others + (large - others) * weight
    return factor
