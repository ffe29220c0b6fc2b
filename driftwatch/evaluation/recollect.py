"""What a stored report says of performance, as a report again: for a board to show after a restart."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from driftwatch.evaluation.report import JUDGED_BY_LABELS, Report, Window
from driftwatch.statistics.between import Between
from driftwatch.statistics.contrast import Contrast, Ruling
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
    contrast = _contrast(document) if "versus" in document else None
    return Reading(
        document["column"], document["family"], document["statistic"], value, adjusted, lower, upper, p_value,
        Status(document["status"]), _support(document) if "stage" in document else None,
        limit=math.nan if contrast is None else 0.0,
        beyond=contrast is not None and contrast.ruling is Ruling.WORSE,
        contrast=contrast,
        between=_between(document) if "between" in document else None,
    )  # fmt: skip


def _support(document: Mapping[str, Any]) -> Support:
    return Support(
        Stage(document["stage"]),
        **{name: document[name] for name in ("coverage", "naive", "worst", "best", "baseline") if name in document},
    )


def _between(document: Mapping[str, Any]) -> Between:
    least, greatest = document["between"] or ("", "")
    return Between(least, greatest, tuple(document["left_out"]))


def _contrast(document: Mapping[str, Any]) -> Contrast:
    names = ("versus", "rows", "versus_rows", "decided_rows", "decided_versus_rows")
    given = {name: document[name] for name in names}
    return Contrast(ruling=Ruling(document["verdict"]), mde=_number(document["mde"]), **given)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _ms(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)
