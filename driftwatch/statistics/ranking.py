"""How good is a ranking: the mean of every query's metrics, with its 95 % interval, from power sums."""

import numpy as np

from driftwatch.kernels.arrival import LEAST_SHARE
from driftwatch.kernels.interval import Interval
from driftwatch.kernels.mean_interval import Pair, ratio_interval, share_interval
from driftwatch.summaries.layout import Floats
from driftwatch.summaries.ranking import HIT_RATE, MAP, MRR, NDCG, RankingOutcomes

_NAMES = {"ndcg": NDCG, "mrr": MRR, "map": MAP, "hit_rate": HIT_RATE}


@np.errstate(all="ignore")
def corrected_ranking(by_hit: RankingOutcomes, shares: Floats, errors: Floats) -> RankingOutcomes:
    """The queries judged so far, weighted to stand for all by the shares of hits, and of others, that have been judged.

    by_hit: (2,) those without and with a relevant item among the places. shares, errors: (2,) of either that has come,
    and the squared relative errors of that; see `kernels.arrival`. Rows are what as many unweighted queries would tell,
    fewer where the shares are not well known.
    """
    rows, weights = by_hit.powers[:, 0, 0], 1 / np.maximum(shares, LEAST_SHARE)
    total, squares = (weights * rows).sum(), (weights**2 * rows).sum()
    scaled = weights * (total / squares if squares else 1.0)
    powers = (scaled[:, None, None] * by_hit.powers).sum(axis=0)
    mean, second = powers[:, 1] / powers[:, 0], powers[:, 2] / powers[:, 0]
    variance = np.maximum(second - mean**2, 0.0) / powers[:, 0]
    apart = by_hit.powers[..., 1] / np.maximum(by_hit.powers[..., 0], 1.0) - mean
    unsure = ((weights * rows / total)[:, None] ** 2 * apart**2 * errors[:, None]).sum(axis=0)
    known = np.where(unsure > 0, variance / (variance + unsure), 1.0)
    return RankingOutcomes(by_hit.predicted[0], by_hit.labelled[0], powers * known[:, None])


@np.errstate(all="ignore")
def ranking_performance(outcomes: RankingOutcomes) -> dict[str, Interval]:
    """Metrics by their contract names, each (…) in [0, 1]; NaN where no query has a relevant item.

    Simulated coverage is 93 % to 97 % at 200 queries and more. It is more where hits are very rare or very common, and
    where few of the queries make up the mean.
    """
    return {name: _mean(outcomes.powers[..., place, :]) for name, place in _NAMES.items()}


def _mean(powers: Floats) -> Interval:
    """Bound the mean of numbers in [0, 1] from their power sums (…, 4), 0 to 3."""
    rows = powers[..., 0]
    first, second, third = (powers[..., place] / rows for place in (1, 2, 3))
    one, zero = np.ones_like(first), np.zeros_like(first)
    variance = np.maximum(second - first**2, 0.0)
    most = first * (1 - first)
    dispersion = np.where(most > 0, np.minimum(variance / np.where(most > 0, most, 1.0), 1.0), 1.0)
    share = share_interval(first, rows, dispersion=dispersion)
    # Zeros and ones are what the share's interval is made for.
    if_mixed = ratio_interval(
        Pair(
            rows=rows, x=first, v=one, xx=second, xv=first, vv=one, xxx=third, xxv=second, xvv=first, vvv=one,
            error_xx=variance / np.maximum(rows - 1, 1.0), error_xv=zero, error_vv=zero,
        )
    )  # fmt: skip
    few = (dispersion < 1 - 1e-9) & (rows * np.minimum(first, 1 - first) < FEW)
    lower = np.where(few, np.minimum(share.lower, if_mixed.lower), share.lower)
    upper = np.where(few, np.maximum(share.upper, if_mixed.upper), share.upper)
    return Interval(share.value, np.clip(lower, 0.0, 1.0), np.clip(upper, 0.0, 1.0))


FEW = 10
"""With less than that much of all zeros or of all ones in it, a mean in [0, 1] has a tail that may not have shown."""
