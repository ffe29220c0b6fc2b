"""How far are two distributions over the same cells apart: PSI, KL, Jensen-Shannon, Hellinger, total variation, L∞.

p is the reference's share of a cell, q the current one's. The bias and variance terms are the second- and first-order
terms of the Taylor expansion in the multinomial shares; where nothing has changed the bias of a divergence is
c (occupied cells - 1)(1/n + 1/m) with c as named below (Yurdakul and Naranjo, 2020, https://doi.org/10.21314/JRMV.2020.227).
p-values are those of Pearson's χ² over the same cells, to which all these are first-order equivalent.
"""

import numpy as np
from scipy import special

from driftwatch.kernels.estimate import Estimate, Floats, Moment, bounded, quadratic_estimate, root_estimate
from driftwatch.kernels.interval import Z
from driftwatch.kernels.table import Table

LN2 = float(np.log(2.0))


def psi(table: Table) -> Estimate:
    """How large is the population stability index, Σ (q - p) ln(q / p).

    Range [0, ∞), 0 for no change, symmetric; c = 1. Cells empty on one side hold half a count.
    """
    p, q, r = table.smooth_p, table.smooth_q, table.ratio
    moment = Moment(
        bias=_bias(table, 1 + r, 1 + 1 / r),
        variance=table.delta_variance(1 - r - table.log_ratio, 1 - 1 / r + table.log_ratio),
        scale=table.rate,
        freedom=table.freedom,
    )
    value = table.total((q - p) * table.log_ratio)
    return quadratic_estimate(value, moment, p_value=table.p_value, high=np.inf)


def kl(table: Table) -> Estimate:
    """How many nats does KL(current ‖ reference) = Σ q ln(q / p) hold.

    Range [0, ∞), 0 for no change; c = 1/2. Cells empty on one side hold half a count.
    """
    r = table.ratio
    moment = Moment(
        bias=_bias(table, r, np.ones_like(r)),
        variance=table.delta_variance(-r, table.log_ratio + 1),
        scale=table.rate / 2,
        freedom=table.freedom,
    )
    value = table.total(table.smooth_q * table.log_ratio)
    return quadratic_estimate(value, moment, p_value=table.p_value, high=np.inf)


def js(table: Table) -> Estimate:
    """How large is the Jensen-Shannon distance: the root of the divergence in base 2.

    Range [0, 1], 0 for no change, symmetric; c = 1 / (8 ln 2) for the square. Empty cells need no half count.
    """
    p, q, r = table.p, table.q, table.ratio
    moment = Moment(
        bias=_bias(table, r / (1 + r), 1 / (1 + r)) / (2 * LN2),
        variance=table.delta_variance(np.log2(2 / (1 + r)) / 2, np.log2(2 * r / (1 + r)) / 2),
        scale=table.rate / (8 * LN2),
        freedom=table.freedom,
    )
    middle = (p + q) / 2
    value = table.total(special.rel_entr(p, middle) + special.rel_entr(q, middle)) / (2 * LN2)
    return root_estimate(quadratic_estimate(value, moment, p_value=table.p_value, high=1.0))


def hellinger(table: Table) -> Estimate:
    """How large is the Hellinger distance, √(½ Σ (√q - √p)²).

    Range [0, 1], 0 for no change, symmetric; c = 1/8 for the square. Empty cells need no half count.
    """
    root = np.sqrt(table.ratio)
    moment = Moment(
        bias=_bias(table, root / 4, 1 / (4 * root)),
        variance=table.delta_variance(-root / 2, -1 / (2 * root)),
        scale=table.rate / 8,
        freedom=table.freedom,
    )
    value = table.total((np.sqrt(table.q) - np.sqrt(table.p)) ** 2) / 2
    return root_estimate(quadratic_estimate(value, moment, p_value=table.p_value, high=1.0))


def tv(table: Table) -> Estimate:
    """How large is the total variation distance, ½ Σ |q - p|.

    Range [0, 1], 0 for no change, symmetric. Bias: that of |difference| of a normal cell, at differences shrunk by
    what chance alone explains of χ² (James-Stein): by its mean for `adjusted`, by its 97.5 % point for `lower`, not at
    all for `upper`. The variance keeps the signs of the differences.
    """
    difference = table.q - table.p
    deviation = _deviation(table)
    sign = np.sign(difference) / 2
    half = Z * np.sqrt(table.delta_variance(sign, sign))
    value = table.total(np.abs(difference)) / 2

    def less(explained: Floats) -> Floats:
        """Take off the bias when chance explains so much of χ²."""
        kept = np.sqrt(1 - np.minimum(explained / np.maximum(table.chi2, 1e-300), 1.0))
        bias: Floats = table.total(folded_excess(difference * table.spread(kept), deviation)) / 2
        return value - bias

    return Estimate(
        value=bounded(value, 1.0),
        adjusted=bounded(less(table.freedom), 1.0),
        lower=bounded(less(table.freedom + Z * np.sqrt(2 * table.freedom)) - half, 1.0),
        upper=bounded(less(np.zeros_like(value)) + half, 1.0),
        p_value=table.p_value,
    )


def linf(table: Table) -> Estimate:
    """How far has the share of the cell that moved most moved, max |q - p|.

    Range [0, 1], 0 for no change, symmetric. Bounds hold for all cells together (Bonferroni); `adjusted` takes off, in
    squares, the median of the greatest of so many normal deviations; the p-value is the union bound over cells.
    """
    difference = np.abs(table.q - table.p)
    deviation = _deviation(table)
    cells = np.maximum(table.freedom, 1.0)
    far = table.spread(special.ndtri(1 - 0.025 / (cells + 1)))
    usual = table.spread(special.ndtri((1 + 0.5 ** (1 / cells)) / 2))
    greatest = table.greatest(difference)
    chance = _chance(table)
    apart = np.divide(table.spread(greatest), chance, out=np.full_like(chance, np.inf), where=chance > 0)
    union = table.total(2 * special.ndtr(-apart))
    return Estimate(
        value=np.minimum(greatest, 1.0),
        adjusted=table.greatest(np.sqrt(np.maximum(difference**2 - (usual * deviation) ** 2, 0.0))),
        lower=table.greatest(np.maximum(difference - far * deviation, 0.0)),
        upper=np.minimum(table.greatest(difference + far * deviation), 1.0),
        p_value=np.where(table.freedom > 0, np.minimum(union, 1.0), 1.0),
    )


def folded_excess(difference: Floats, deviation: Floats) -> Floats:
    """How much greater than |difference| is the mean of |x| for x normal around it: any shape."""
    apart = np.divide(np.abs(difference), deviation, out=np.full_like(deviation, np.inf), where=deviation > 0)
    density = np.exp(-apart * apart / 2) * np.sqrt(2 / np.pi)
    tail = np.where(apart < np.inf, 2 * np.abs(difference) * special.ndtr(-apart), 0.0)
    excess: Floats = deviation * density - tail
    return excess


def _bias(table: Table, by_p: Floats, by_q: Floats) -> Floats:
    """(columns,) half the trace of second derivatives times covariance; by_p and by_q are p · ∂²/∂p², q · ∂²/∂q²."""
    occupied = table.smooth_p > 0
    from_p = table.total(np.where(occupied, by_p * (1 - table.smooth_p), 0.0)) / table.n
    from_q = table.total(np.where(occupied, by_q * (1 - table.smooth_q), 0.0)) / table.m
    return (from_p + from_q) / 2


def _deviation(table: Table) -> Floats:
    """(cells,) standard deviation of q - p: a cell that one side saw too seldom is judged by both together."""
    p, q = table.smooth_p, table.smooth_q
    apart = p * (1 - p) / table.spread(table.n) + q * (1 - q) / table.spread(table.m)
    return np.maximum(np.sqrt(apart), _chance(table))


def _chance(table: Table) -> Floats:
    """(cells,) standard deviation of q - p if both samples come from one distribution."""
    total = table.n + table.m
    pooled = table.spread(table.n / total) * table.p + table.spread(table.m / total) * table.q
    return np.sqrt(np.maximum(pooled * (1 - pooled), 0.0) * table.spread(table.rate))
