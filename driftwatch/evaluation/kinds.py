"""What an alert is about, told from its column and statistic: for policies that ask for certain kinds."""

from typing import Final

from driftwatch.evaluation.groups import OUTPUTS
from driftwatch.statistics.checks import CHECKS
from driftwatch.statistics.control import CHANGED
from driftwatch.statistics.fairness import MEASURES
from driftwatch.statistics.performance import METRICS

LABEL: Final = "label"
"""The column of labels, and the kind of change of which its distribution is."""
KINDS: Final = ("covariate", "prediction", LABEL, "quality", "performance", "concept", "fairness", "control")
"""A column's distribution; the model's outputs'; the label's; a check of the data; a metric; whether labels and scores
have parted; what is fair; answers on golden sets."""

_OF_COLUMNS: Final = dict.fromkeys(OUTPUTS, "prediction") | {LABEL: LABEL}
_CONCEPT = frozenset({"gap_accuracy", "gap_f1", "gap_roc_auc", "loss_change"})


def kind_of(column: str, statistic: str) -> str:
    """Say what an alert on a statistic of a column ("" for the whole model) is about: one of KINDS."""
    if statistic == CHANGED:
        return "control"
    if statistic in CHECKS:
        return "quality"
    if statistic in _CONCEPT:
        return "concept"
    if statistic in MEASURES:
        return "fairness"
    if statistic in METRICS:
        return "performance"
    return _OF_COLUMNS.get(column, "covariate")
