"""An alert as policies see it: whose it is, what it is about, and how grave."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from driftwatch.evaluation.alerts import Transition

SEVERITIES: Final = ("info", "warning", "critical")
"""The least grave first."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alert that fires, or has fired. id: of its episode."""

    id: str
    model: str
    version: str
    segment: str
    rule: str
    column: str
    statistic: str
    severity: str
    action: str


def alarm_of(step: Transition) -> Alarm:
    """See a step as the alert that it is of."""
    return Alarm(
        step.alert_id, step.model, step.version, step.segment, step.rule, step.column, step.statistic, step.severity,
        step.action,
    )  # fmt: skip


def alarm_in(document: Mapping[str, Any]) -> Alarm:
    """See an alert in the document that listings show of it."""
    return Alarm(
        document["id"], document["model"], document["version"], document["segment"], document["rule"],
        document["column"], document["statistic"], document["severity"], document["action"],
    )  # fmt: skip
