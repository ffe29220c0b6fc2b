"""The closed list of performance metrics: which tasks have each of them, and between which bounds it lies."""

import math
from dataclasses import dataclass

FAMILY, ESTIMATION, CONCEPT = "performance", "estimation", "concept"
"""Families of readings: what the labels say; what the scores alone say; whether the two have parted."""

_BINARY, _CLASSES, _NUMBERS, _RANKS = "binary", "multiclass", "regression", "ranking"
_TOLD_APART = (_BINARY, _CLASSES)
_ANY = (_BINARY, _CLASSES, _NUMBERS, _RANKS)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; it lies in [low, high]. rises: whether more of it is better; None where neither is."""

    name: str
    tasks: tuple[str, ...]
    low: float
    high: float
    rises: bool | None


_SHARE = (0.0, 1.0)
_LOSS = (0.0, math.inf)
_REAL = (-math.inf, math.inf)

METRICS: dict[str, Metric] = {
    name: Metric(name, tasks, *bounds, rises)
    for tasks, bounds, rises, names in (
        (_TOLD_APART, _SHARE, True, ("accuracy", "precision", "recall", "f1", "specificity")),
        (_TOLD_APART, (-1.0, 1.0), True, ("mcc",)),
        (_TOLD_APART, _SHARE, True, ("roc_auc", "average_precision")),
        (_TOLD_APART, _LOSS, False, ("log_loss",)),
        (_TOLD_APART, (0.0, 2.0), False, ("brier",)),
        (_TOLD_APART, _SHARE, False, ("ece",)),
        (_TOLD_APART, _SHARE, True, ("ks_score",)),
        ((_NUMBERS,), _LOSS, False, ("mae", "rmse", "mse", "mape")),
        ((_NUMBERS,), (0.0, 2.0), False, ("smape",)),
        ((_NUMBERS,), _LOSS, False, ("wape",)),
        ((_NUMBERS,), (-math.inf, 1.0), True, ("r2",)),
        ((_NUMBERS,), _REAL, None, ("bias",)),
        ((_NUMBERS,), _LOSS, False, ("pinball",)),
        ((_NUMBERS,), _SHARE, None, ("coverage",)),
        ((_RANKS,), _SHARE, True, ("ndcg", "mrr", "map", "hit_rate")),
        (_ANY, _REAL, True, ("value_per_prediction",)),
        ((_BINARY,), _SHARE, True, ("ctr",)),
        (_TOLD_APART, (-1.0, 1.0), True, ("gap_accuracy", "gap_f1", "gap_roc_auc")),
        ((*_TOLD_APART, _NUMBERS), (-1.0, 1.0), False, ("loss_change",)),
        (_TOLD_APART, _SHARE, False, ("statistical_parity_difference",)),
        (_TOLD_APART, _SHARE, True, ("disparate_impact_ratio",)),
        (_TOLD_APART, _SHARE, False, ("equal_opportunity_difference", "equalized_odds_difference")),
        (_TOLD_APART, (0.0, 2.0), False, ("calibration_difference",)),
    )
    for name in names
}
"""All metrics by name, in the order in which readings are given."""

AT_FIRST = frozenset({"loss_change", "statistical_parity_difference", "disparate_impact_ratio"})
"""Metrics that are known as a window closes: of all labels that have come, or of predictions alone."""


def metrics_of(task: str) -> tuple[str, ...]:
    """The metrics that models of a task have."""
    return tuple(name for name, metric in METRICS.items() if task in metric.tasks)
