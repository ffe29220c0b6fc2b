"""What a stored report says of performance, as a report again: for a board to show after a restart."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from driftwatch.evaluation.report import JUDGED_BY_LABELS, Report, Window
from driftwatch.statistics.reading import Reading, Stage, Status, Support


def recollected(document: Mapping[str, Any]) -> Report:
    """The report of a document (contract §6) with its readings of performance alone; thresholds and alerts are left."""
    window = document["window"]
    return Report(
        model=document["model"],
        version=document["version"],
        segment=document["segment"],
        window=Window(_ms(window["start"]), _ms(window["end"]), window["rows"], window["stage"]),
        revision=document["revision"],
        fingerprint=document["reference"]["fingerprint"],
        reference_rows=document["reference"]["rows"],
        readings=tuple(_reading(each) for each in document["readings"] if each["family"] in JUDGED_BY_LABELS),
        thresholds={},
        follows=True,
    )


def _reading(document: Mapping[str, Any]) -> Reading:
    names = ("value", "adjusted", "lower", "upper", "p_value")
    value, adjusted, lower, upper, p_value = (_number(document[name]) for name in names)
    support = Support(
        Stage(document["stage"]),
        **{name: document[name] for name in ("coverage", "naive", "worst", "best", "baseline") if name in document},
    )
    return Reading(
        document["column"], document["family"], document["statistic"], value, adjusted, lower, upper, p_value,
        Status(document["status"]), support,
    )  # fmt: skip


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _ms(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)
