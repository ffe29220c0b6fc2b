"""From intervals to readings, and what has become of a window's predictions."""

from collections.abc import Mapping

import numpy as np

from driftwatch.evaluation.report import Arrivals
from driftwatch.kernels.arrival import BUCKETS, EDGES_MS, Ints, arrival_curve, buckets_of
from driftwatch.kernels.interval import Interval
from driftwatch.statistics.gap import Gap
from driftwatch.statistics.performance import CONCEPT, ESTIMATION, FAMILY, METRICS
from driftwatch.statistics.reading import Reading, Stage, Status, Support
from driftwatch.statistics.worth import worth_performance
from driftwatch.stream.outputs import CANCELLED, LABELLED, WAITING, Answers
from driftwatch.summaries.worth import ROW, WorthOutcomes

GAPS = ("accuracy", "f1", "roc_auc")
"""Metrics whose realised value is compared with the estimated one."""

_NAN = float("nan")
_FAMILIES = {Stage.ESTIMATED: ESTIMATION, Stage.INTERIM: FAMILY, Stage.FINAL: FAMILY}


def measured(
    intervals: Mapping[str, Interval],
    support: Support,
    *,
    details: Mapping[str, Support] | None = None,
    absent: Status = Status.DEGENERATE,
    column: str = "",
) -> tuple[Reading, ...]:
    """Readings of single values, in the order of the metrics; what is no metric of the contract is left out.

    details: support of the metrics that have one of their own. absent: why a value is missing, where one is.
    """
    special = details or {}
    return tuple(
        _reading(column, name, intervals[name], support=special.get(name, support), absent=absent)
        for name in METRICS
        if name in intervals
    )


def _reading(column: str, name: str, interval: Interval, *, support: Support, absent: Status) -> Reading:
    value, lower, upper = (float(part) for part in (interval.value, interval.lower, interval.upper))
    status = Status.OK if np.isfinite(value) else absent
    if status is not Status.OK:
        value = lower = upper = _NAN
    family = _FAMILIES[support.stage]
    return Reading(column, family, name, value, _NAN, lower, upper, _NAN, status, support)


def worth(answers: Answers) -> dict[str, Interval]:
    """What a prediction is worth by the values that events name; nothing where none does."""
    if np.isnan(answers.outputs["value"]).all() and np.isnan(answers.outcomes["value"]).all():
        return {}
    outcomes = WorthOutcomes.of(answers)
    if not outcomes.powers[..., ROW, 0]:
        return {}
    return {"value_per_prediction": worth_performance(outcomes)["value_per_prediction"]}


def compared(name: str, interval: Interval, support: Support, *, p_value: float = _NAN) -> Reading:
    """A reading of the concept family: by how much something has moved from what was to be expected."""
    value, lower, upper = (float(part) for part in (interval.value, interval.lower, interval.upper))
    status = Status.OK if np.isfinite(value) else Status.TOO_FEW
    return Reading("", CONCEPT, name, value, _NAN, lower, upper, p_value, status, support)


def parted(gaps: Mapping[str, Gap]) -> tuple[Reading, ...]:
    """Realised minus estimated, by metric, once no more labels are waited for."""
    support = Support(Stage.FINAL)
    return tuple(
        compared(f"gap_{name}", gap.interval, support, p_value=float(gap.p_value)) for name, gap in gaps.items()
    )


def arrivals(answers: Answers, *, final: bool, ages_ms: Ints, rate: float) -> Arrivals:
    """What has become of a window's predictions; ages_ms: (rows,) how long ago they were made."""
    labelled = answers.state == LABELLED
    cancelled = int(np.count_nonzero(answers.state == CANCELLED))
    settled = int(np.count_nonzero(labelled))
    left = answers.rows - settled - cancelled
    delays = answers.delays_ms[labelled]
    return Arrivals(
        predictions=answers.rows,
        labelled=settled,
        waiting=0 if final else left,
        expired=left if final else 0,
        cancelled=cancelled,
        rate=rate,
        median_delay_ms=float(np.median(delays)) if settled else None,
        curve=_curve(delays, ages_ms[answers.state == WAITING]),
    )


def _curve(delays_ms: Ints, waits_ms: Ints) -> tuple[tuple[int, float], ...]:
    """The estimated share of predictions labelled within each delay, up to the longest that has been seen.

    delays_ms: of the labels that have come. waits_ms: for how long the others have been waited for.
    """
    if not delays_ms.size:
        return ()
    counts, waiting = (
        np.bincount(buckets_of(lags), minlength=BUCKETS).astype(np.float64) for lags in (delays_ms, waits_ms)
    )
    shares = arrival_curve(counts, waiting)
    ends = [*EDGES_MS.astype(np.int64).tolist(), int(delays_ms.max())]
    moved = np.flatnonzero((counts > 0) & np.isfinite(shares))
    return tuple((ends[place], float(shares[place])) for place in moved.tolist())
