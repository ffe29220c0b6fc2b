"""Do two samples of counts come from one distribution: Pearson's χ² and what is made of it."""

import numpy as np

from driftwatch.kernels.estimate import (
    Estimate,
    Moment,
    quadratic_estimate,
    root_estimate,
    scaled_estimate,
)
from driftwatch.kernels.table import Table


def chi2(table: Table) -> Estimate:
    """How large is Pearson's χ² of the two samples: Σ (observed - expected)² / expected, without Yates' correction.

    Range [0, ∞); no change gives about the degrees of freedom, adjusted 0. It grows with the rows, so it is no
    measure of size: `adjusted`, `lower` and `upper` are of the non-centrality. p-value: χ² with occupied cells - 1.
    """
    total = table.n + table.m
    squared = _phi_squared(table)
    return scaled_estimate(squared, total)


def cramers_v(table: Table) -> Estimate:
    """How strongly do the cells depend on the sample: √(χ² / rows), which is Cramér's V of a two-row table.

    Range [0, 1], 0 for no change. It depends on the ratio of the two sample sizes. `adjusted` is the bias-corrected
    form of Bergsma (2013), https://doi.org/10.1016/j.jkss.2012.10.002.
    """
    total = table.n + table.m
    root = root_estimate(_phi_squared(table))
    spare = np.maximum(total - 1, 1.0)
    squared = np.maximum(table.chi2 / total - table.freedom / spare, 0.0)
    # With two rows the smaller corrected dimension is that of the rows, or of the columns when only one remains.
    columns = table.freedom - table.freedom**2 / spare
    smaller = np.minimum(1 - 1 / spare, columns)
    adjusted = np.sqrt(np.divide(squared, smaller, out=np.zeros_like(squared), where=smaller > 0))
    return Estimate(root.value, np.minimum(adjusted, 1.0), root.lower, root.upper, root.p_value)


def _phi_squared(table: Table) -> Estimate:
    total = table.n + table.m
    a, b = table.n / total, table.m / total
    p, q = table.smooth_p, table.smooth_q
    weight = table.spread(a) * p + table.spread(b) * q
    share = np.divide(q - p, weight, out=np.zeros_like(p), where=weight > 0)
    product = table.spread(a * b)
    by_p = product * (-2 * share - table.spread(a) * share**2)
    by_q = product * (2 * share - table.spread(b) * share**2)
    moment = Moment(
        bias=table.freedom / total,
        variance=table.delta_variance(by_p, by_q),
        scale=1 / total,
        freedom=table.freedom,
    )
    return quadratic_estimate(table.chi2 / total, moment, p_value=table.p_value, high=1.0)
