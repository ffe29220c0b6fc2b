"""How good is a regression: every metric with its 95 % interval, from moments of the errors by prediction bin.

Values are by the exact formulas of `kernels.residuals`. Means and ratios of means (wape, 1 - r2) are bounded by
`kernels.mean_interval`, coverage by Wilson's interval. Simulated coverage of the 95 % intervals is 93 % to 97.3 % at
200, 1 000 and 5 000 rows for normal, heteroscedastic and Laplace errors. Where few rows
make the mean, no theory holds and the intervals err on the wide side: up to 98 % for pinball; 93 % to 99 % for mse,
rmse, wape and r2 with lognormal labels or t(3) errors, whose squares have no variance; 100 % for r2 of a constant
prediction. A mape with labels around zero may have no mean at all, and its interval then holds nothing.
"""

from dataclasses import dataclass

import numpy as np

from driftwatch.kernels.interval import Interval, Z
from driftwatch.kernels.mean_interval import Pair, ratio_interval, share_interval
from driftwatch.summaries.layout import Floats
from driftwatch.summaries.regression import (
    AE,
    AY,
    E2,
    E2U2,
    E4,
    HAS,
    INSIDE,
    NZ,
    ONE,
    PB,
    PB2,
    PCT,
    PCT2,
    SP,
    SP2,
    U2,
    U3,
    Y2,
    E,
    RegressionOutcomes,
    U,
)

_MEANS = {
    "mae": (AE, E2, ONE),
    "mse": (E2, E4, ONE),
    "bias": (E, E2, ONE),
    "mape": (PCT, PCT2, NZ),
    "smape": (SP, SP2, ONE),
    "pinball": (PB, PB2, HAS),
}
"""A mean's quantity, its square, and which rows count."""
_RANGES = {"bias": (-np.inf, np.inf), "smape": (0.0, 2.0)}


@dataclass(frozen=True, slots=True)
class _Sample:
    """What intervals are made of: moments (…, Q, Q) per row; error: (…, Q, Q) covariance of their first row.

    shares: (…, P + 1, Q) sums of every quantity by stratum; weights: (…, P + 1) what a row of a stratum stands for.
    """

    moments: Floats
    error: Floats
    shares: Floats
    weights: Floats

    def rows(self, counted: int) -> Floats:
        """Rows for which the quantity `counted` is 1, after Kish (1965) as many as they are worth where weighted."""
        part = self.shares[..., counted]
        worth: Floats = part.sum(axis=-1) ** 2 / (self.weights * part).sum(axis=-1)
        return worth


@np.errstate(all="ignore")
def regression_performance(outcomes: RegressionOutcomes) -> dict[str, Interval]:
    """Metrics by their contract names, each (…); NaN where undefined. Bounds may be infinite with a row or two.

    pinball is the mean of an interval's two losses where any row has an interval, else the loss of the prediction as
    a median, which is mae / 2. Reweighted states give the weighted values, and errors of a stratified sample.
    """
    sample = _sample(outcomes)
    metrics = {name: _cut(_mean(sample, *places), *_RANGES.get(name, (0.0, np.inf))) for name, places in _MEANS.items()}
    metrics["rmse"] = Interval(*(np.sqrt(part) for part in _parts(metrics["mse"])))
    metrics["wape"] = _cut(ratio_interval(_wape(sample)), 0.0, np.inf)
    unexplained = _parts(_cut(ratio_interval(_unexplained(sample)), 0.0, np.inf))
    # The mean label is itself estimated, which the first order does not see: it matters where r2 is near zero.
    slack = Z * Z / sample.rows(ONE)
    metrics["r2"] = Interval(
        1 - unexplained[0], 1 - unexplained[2] * (1 + slack), 1 - unexplained[1] * np.maximum(1 - slack, 0.0)
    )
    none = sample.moments[..., ONE, HAS] == 0
    halves = zip(_parts(metrics["pinball"]), _parts(metrics["mae"]), strict=True)
    metrics["pinball"] = Interval(*(np.where(none, mae / 2, loss) for loss, mae in halves))
    metrics["coverage"] = _coverage(sample)
    return metrics


def _sample(outcomes: RegressionOutcomes) -> _Sample:
    """Pool the strata, with u about the mean label."""
    sums = outcomes.products[..., ONE, :]
    rows = sums[..., ONE].sum(axis=-1)
    drift = sums[..., U].sum(axis=-1) / np.where(rows > 0, rows, 1.0)
    about = outcomes.about(outcomes.centre + drift)
    shares = about.products[..., ONE, :]
    weights = shares[..., ONE] / np.where(about.labelled > 0, about.labelled, 1.0)
    moments = about.products.sum(axis=-3) / rows[..., None, None]
    mean = moments[..., ONE, :]
    spread = moments - mean[..., :, None] * mean[..., None, :]
    plain = spread / np.maximum(rows - 1, 1.0)[..., None, None]
    if np.array_equal(shares[..., ONE], about.labelled):
        return _Sample(moments, plain, shares, weights)
    return _Sample(moments, _stratified(about, spread), shares, weights)


def _stratified(outcomes: RegressionOutcomes, spread: Floats) -> Floats:
    """Covariance (…, Q, Q) of means over strata whose shares of all predictions are known, labels drawn within each.

    Within a stratum, Σ share² variance / rows; between them, as the predictions themselves are a sample. The variance
    of few rows is drawn towards the mean one, as if that were one row more.
    """
    rows = np.maximum(outcomes.labelled, 1.0)[..., None, None]
    total = outcomes.products[..., ONE, ONE]
    share = (total / total.sum(axis=-1, keepdims=True))[..., None, None]
    moments = outcomes.products / np.where(total > 0, total, 1.0)[..., None, None]
    mean = moments[..., ONE, :]
    apart = moments - mean[..., :, None] * mean[..., None, :]
    within = (share * apart).sum(axis=-3)
    variance = (rows * apart + within[..., None, :, :]) / rows
    between = (spread - within) / total.sum(axis=-1)[..., None, None]
    stratified: Floats = (share**2 * variance / rows).sum(axis=-3) + between
    return stratified


def _mean(sample: _Sample, quantity: int, square: int, counted: int) -> Interval:
    """Bound the mean of a quantity over the rows that count, given how many do."""
    moments, error = sample.moments, sample.error
    share = moments[..., ONE, counted]
    first, one = moments[..., ONE, quantity] / share, np.ones_like(share)
    second, third = moments[..., ONE, square] / share, moments[..., quantity, square] / share
    variance = error[..., quantity, quantity] - 2 * first * error[..., quantity, counted]
    variance = (variance + first**2 * error[..., counted, counted]) / share**2
    pair = Pair(
        rows=sample.rows(counted), x=first, v=one, xx=second, xv=first, vv=one, xxx=third, xxv=second, xvv=first,
        vvv=one, error_xx=np.maximum(variance, 0.0), error_xv=np.zeros_like(one), error_vv=np.zeros_like(one),
        hidden=moments[..., AE, E2] - np.abs(third) if quantity == E else 0.0,
    )  # fmt: skip
    return ratio_interval(pair)


def _wape(sample: _Sample) -> Pair:
    moments = sample.moments
    return _pair(
        sample, AE, AY, xxx=moments[..., AE, E2], xxv=moments[..., E2, AY], xvv=moments[..., AE, Y2],
        vvv=moments[..., AY, Y2], xx=moments[..., ONE, E2], vv=moments[..., ONE, Y2],
    )  # fmt: skip


def _unexplained(sample: _Sample) -> Pair:
    moments = sample.moments
    return _pair(
        sample, E2, U2, xxx=moments[..., E2, E4], xxv=moments[..., E4, U2], xvv=moments[..., E2U2, U2],
        vvv=moments[..., U3, U3], xx=moments[..., ONE, E4], vv=moments[..., U2, U2],
    )  # fmt: skip


def _pair(sample: _Sample, x: int, v: int, **products: Floats) -> Pair:
    error, moments = sample.error, sample.moments
    return Pair(
        rows=sample.rows(ONE), x=moments[..., ONE, x], v=moments[..., ONE, v], xv=moments[..., x, v],
        error_xx=error[..., x, x], error_xv=error[..., x, v], error_vv=error[..., v, v], **products,
    )  # fmt: skip


def _coverage(sample: _Sample) -> Interval:
    """The share of labels inside their interval, over the rows that have one."""
    share = sample.moments[..., ONE, INSIDE] / sample.moments[..., ONE, HAS]
    return share_interval(np.where(share > 1 - 1e-12, 1.0, share), sample.rows(HAS))


def _cut(interval: Interval, low: float, high: float) -> Interval:
    """Bounds within a metric's range."""
    return Interval(interval.value, np.maximum(interval.lower, low), np.minimum(interval.upper, high))


def _parts(interval: Interval) -> tuple[Floats, Floats, Floats]:
    return interval.value, interval.lower, interval.upper
