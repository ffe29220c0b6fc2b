"""What is told to the outside: which event an alert's step becomes, and its JSON (contract §7, Standard Webhooks).

Nothing here depends on the clock: a replay after a crash makes the same bytes under the same webhook id.
"""

from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

import msgspec

from driftwatch.evaluation.alerts import State, Transition, identity
from driftwatch.evaluation.report import Report, rfc3339
from driftwatch.statistics.performance import ESTIMATION
from driftwatch.statistics.performance import FAMILY as PERFORMANCE
from driftwatch.statistics.reading import Reading, Status

MAX_BODY_BYTES = 20_000
"""What the Standard Webhooks specification advises receivers to accept."""
_MAX_EVIDENCE = 20
_MAX_COLUMNS = 100
_MAX_TEXT = 200
_OUTPUTS = frozenset({"score", "prediction"})
"""The columns that are the model's own outputs."""


class Action(StrEnum):
    """What a rule asks for, and what a target is willing to be asked."""

    NOTIFY = "notify"
    RETRAIN = "retrain"
    ROLLBACK = "rollback"


class EventType(StrEnum):
    """The types of webhook events."""

    FIRING = "driftwatch.alert.firing"
    RESOLVED = "driftwatch.alert.resolved"
    RETRAIN = "driftwatch.retrain.requested"
    ROLLBACK = "driftwatch.rollback.requested"


_FIRST = {Action.NOTIFY: EventType.FIRING, Action.RETRAIN: EventType.RETRAIN, Action.ROLLBACK: EventType.ROLLBACK}


def event_type(transition: Transition, accepts: Collection[str]) -> EventType | None:
    """Say which event a target that accepts these actions gets of a transition, if any.

    A firing alert becomes what its rule's action asks for. A target that takes notices but not that action gets the
    notice instead, and the end of every alert, so that a person never hears an end without its beginning.
    """
    action = Action(transition.action)
    if transition.state is State.FIRING and action in accepts:
        return _FIRST[action]
    if Action.NOTIFY not in accepts:
        return None
    return {State.FIRING: EventType.FIRING, State.RESOLVED: EventType.RESOLVED}.get(transition.state)


def webhook_id(transition: Transition, target: str) -> str:
    """Name the message: one per transition and target, the same on every attempt, replay and restart."""
    return "msg_" + identity("webhook", transition.identity, target)


def cooldown_key(kind: EventType, model: str) -> str:
    """Name what a target's cool-down counts together: one kind of request for one model."""
    return f"{kind} {model}"


def moved_by(transition: Transition, reports: Iterable[Report]) -> Report:
    """Find the report that moved an alert: of its window the first revision that notes where the alert then stood."""
    place = (transition.model, transition.version, transition.segment,
             transition.window_start_ms, transition.window_ordinal)  # fmt: skip
    return next(
        report
        for report in reports
        if (report.model, report.version, report.segment, report.window.start_ms, report.window.ordinal) == place
        and any((note.id, note.state) == (transition.alert_id, transition.state) for note in report.alerts)
    )


def event_body(kind: EventType, transition: Transition, report: Report, *, base_url: str = "") -> bytes:
    """Write the event as JSON of at most `MAX_BODY_BYTES` bytes.

    `timestamp` is the end of the window that moved the alert (event time), because that is the same on every replay.
    `links` is empty without a base URL. Should the body be too long, the least important evidence goes first, then
    links and other columns, and in the end long names are cut.
    """
    body = b""
    for document in _shorter_and_shorter(_document(kind, transition, report, base_url=base_url)):
        body = msgspec.json.encode(document)
        if len(body) <= MAX_BODY_BYTES:
            break
    return body


def _document(kind: EventType, transition: Transition, report: Report, *, base_url: str) -> dict[str, Any]:
    end = rfc3339(transition.window_end_ms)
    return {
        "type": kind.value,
        "timestamp": end,
        "data": {
            "alert": {
                "id": transition.alert_id,
                "rule": transition.rule,
                "severity": transition.severity,
                "state": transition.state.value,
                "started": rfc3339(transition.started_ms),
                "reason": transition.reason.value,
            },
            "model": transition.model,
            "version": transition.version,
            "segment": transition.segment,
            "window": {"start": rfc3339(transition.window_start_ms), "end": end},
            "evidence": _evidence(transition, report),
            "cause": _cause(transition, report),
            "suggested_training_range": {"start": rfc3339(transition.started_ms), "end": end},
            "links": _links(transition, base_url.rstrip("/")) if base_url else {},
        },
    }


def _evidence(transition: Transition, report: Report) -> list[dict[str, Any]]:
    """List the readings of the alert's column: the alert's own statistic, then those furthest from their thresholds.

    Beside a metric of performance stand those of the same stage.
    """
    judged = _judged(transition, report)
    own = {
        "column": transition.column,
        "statistic": transition.statistic,
        "value": transition.value,
        "lower": transition.lower,
        "threshold": transition.threshold,
        **_stage(judged),
    }
    others = [
        reading
        for reading in report.readings
        if reading.column == transition.column
        and reading.statistic != transition.statistic
        and reading.status is Status.OK
        and _stage(reading) == _stage(judged)
    ]
    others.sort(key=lambda reading: _distance(reading, report), reverse=True)
    return [own, *(_shown(reading, report) for reading in others[: _MAX_EVIDENCE - 1])]


def _distance(reading: Reading, report: Report) -> float:
    """How far a value is from its threshold, in thresholds; -1 without one."""
    threshold = report.threshold(reading)
    if threshold is None:
        return -1.0
    return abs(reading.value - threshold) / max(abs(threshold), 1e-9)


def _shown(reading: Reading, report: Report) -> dict[str, Any]:
    return {
        "column": reading.column,
        "statistic": reading.statistic,
        "value": reading.value,
        "lower": reading.lower,
        "threshold": report.threshold(reading),
        **_stage(reading),
    }


def _stage(reading: Reading | None) -> dict[str, str]:
    """How far labels had come, of a reading of performance."""
    return {} if reading is None or reading.support is None else {"stage": reading.support.stage.value}


def _cause(transition: Transition, report: Report) -> dict[str, Any]:
    """Say what kind of thing changed, and in which columns: the alert's, then others whose alerts fire too."""
    judged = _judged(transition, report)
    kind = _kind(transition.column, "drift" if judged is None else judged.family)
    others = {
        note.column
        for note in report.alerts
        if note.state == State.FIRING and note.column and _kind(note.column, "drift") == kind
    }
    own = [transition.column] if transition.column else []
    return {"kind": kind, "columns": (own + sorted(others - {transition.column}))[:_MAX_COLUMNS]}


def _judged(transition: Transition, report: Report) -> Reading | None:
    """The reading that moved the alert; of one name there may be a realised and an estimated one."""
    named = [
        reading
        for reading in report.readings
        if (reading.column, reading.statistic) == (transition.column, transition.statistic)
    ]
    same = [reading for reading in named if reading.value == transition.value]
    return next(iter(same or named), None)


def _kind(column: str, family: str) -> str:
    if family == ESTIMATION:  # a cause is what has changed, whoever tells of it
        return PERFORMANCE
    if family != "drift":
        return family
    return "prediction" if column in _OUTPUTS else "covariate"


def _links(transition: Transition, base_url: str) -> dict[str, str]:
    query = {
        "model": transition.model,
        "version": transition.version,
        "segment": transition.segment,
        "since": rfc3339(transition.window_start_ms),
        "until": rfc3339(transition.window_end_ms),
    }
    return {"report": f"{base_url}/api/v1/reports?{urlencode(query)}", "dashboard": f"{base_url}/"}


def _shorter_and_shorter(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield document
    data = document["data"]
    while len(data["evidence"]) > 1:
        data = data | {"evidence": data["evidence"][: len(data["evidence"]) // 2]}
        yield document | {"data": data}
    data = data | {"links": {}, "cause": data["cause"] | {"columns": data["cause"]["columns"][:1]}}
    yield document | {"data": data}
    yield document | {"data": _cut(data)}


def _cut(part: Any) -> Any:
    if isinstance(part, str):
        return part if len(part) <= _MAX_TEXT else part[: _MAX_TEXT - 1] + "…"
    if isinstance(part, dict):
        return {key: _cut(value) for key, value in part.items()}
    return [_cut(value) for value in part] if isinstance(part, list) else part
