"""The rules that watch a model for which none are written."""

from collections.abc import Mapping
from typing import Any

from driftwatch.evaluation.budget import BudgetMetricRule
from driftwatch.evaluation.rules import RuleSpec
from driftwatch.statistics.checks import CHECKS
from driftwatch.statistics.control import CHANGED
from driftwatch.statistics.fairness import MEASURES
from driftwatch.statistics.performance import METRICS

DEFAULT_RULES = (
    RuleSpec.model_validate({"name": "concept", "metric": "loss_change", "above": 0.0, "judge": "lower"}),
    BudgetMetricRule.model_validate({"name": "gap", "metric": "gap_roc_auc", "below": -0.02, "judge": "upper"}),
    *(RuleSpec.model_validate({"name": check, "statistic": check}) for check in CHECKS),
)
"""What is watched when nothing is written, beside the drift that the budget watches, of what the model has: a loss that
has left the level at which it began; an AUC that is 0.02 worse than the scores promised; every check of data quality,
by its own limit."""


FAIR_RULES = tuple(RuleSpec.model_validate({"name": measure, "metric": measure}) for measure in MEASURES)
"""What is watched beside it where somebody is protected: every measure of fairness, by what is allowed of it."""


CONTROL_RULE = RuleSpec.model_validate({"name": "control", "statistic": CHANGED, "severity": "critical"})
"""What is watched beside it where golden sets are followed: that not one answer changes."""


def default_rules(task: str, *, protected: bool = False, control: bool = False) -> tuple[RuleSpec, ...]:
    """Those of them that a model of this task has."""
    rules = (*DEFAULT_RULES, *(FAIR_RULES if protected else ()), *((CONTROL_RULE,) if control else ()))
    return tuple(rule for rule in rules if rule.metric is None or task in METRICS[rule.metric].tasks)


def rules_of(table: Mapping[str, Any]) -> list[RuleSpec]:
    """Those of a `[[models]]` table that writes none."""
    further = {key: bool(table.get(key)) for key in ("protected", "control")}
    return list(default_rules(str(table.get("task")), **further))
