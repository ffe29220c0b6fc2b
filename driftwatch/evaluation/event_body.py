"""The JSON of a group (contract §7, Standard Webhooks).

Nothing here depends on the clock: a replay after a crash makes the same bytes under the same webhook id.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec

from driftwatch.evaluation.alerts import State, Transition
from driftwatch.evaluation.change import columns_of, judged, kind_of
from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.groups import Group, Move
from driftwatch.evaluation.report import Report, rfc3339
from driftwatch.statistics.reading import Reading, Status

MAX_BODY_BYTES = 20_000
"""What the Standard Webhooks specification advises receivers to accept."""
_MAX_EVIDENCE = 20
_MAX_LISTED = 100
"""Alerts, and columns, that are named at most."""
_MAX_TEXT = 200


def event_body(kind: EventType, group: Group, *, base_url: str = "") -> bytes:
    """Write the event as JSON of at most `MAX_BODY_BYTES` bytes.

    `timestamp` is the end of the window that moved the alerts (event time), because that is the same on every replay.
    `links` is empty without a base URL. Should the body be too long, what is least important goes first: evidence,
    then links and other columns, and in the end long names are cut. Of several alerts, the last by rank are left out of
    the lists, down to the first; `alerts_total` says how many there are.
    """
    body = b""
    for document in _shorter_and_shorter(_document(kind, group, base_url=base_url)):
        body = msgspec.json.encode(document)
        if len(body) <= MAX_BODY_BYTES:
            break
    return body


def _document(kind: EventType, group: Group, *, base_url: str) -> dict[str, Any]:
    transition = group.lead.step
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
            "evidence": _evidence(group),
            "cause": _cause(group),
            "suggested_training_range": {"start": rfc3339(group.started_ms), "end": end},
            "links": _links(transition, base_url.rstrip("/")) if base_url else {},
            **_alerts(group),
            **_still_firing(transition),
        },
    }


def _alerts(group: Group) -> dict[str, Any]:
    """Name the alerts by rank, where there are several."""
    if len(group.moves) == 1:
        return {}
    steps = [move.step for move in group.moves[:_MAX_LISTED]]
    named = [{"id": step.alert_id, "column": step.column, "segment": step.segment} for step in steps]
    return {"alerts": named, "alerts_total": len(group.moves)}


def _still_firing(transition: Transition) -> dict[str, int]:
    """Say of an end how many alerts of the rule go on in that version."""
    return {"still_firing": transition.still_firing} if transition.state is State.RESOLVED else {}


def _evidence(group: Group) -> list[dict[str, Any]]:
    """List what moved each alert, by rank, then readings of the first one's column, furthest from thresholds first.

    Beside a metric of performance stand those of the same stage.
    """
    transition, report = group.lead.step, group.lead.report
    mover = judged(transition, report)
    own = [_own(move, lead=transition, staged=bool(_stage(mover))) for move in group.moves[:_MAX_LISTED]]
    others = [
        reading
        for reading in report.readings
        if reading.column == transition.column
        and reading.statistic != transition.statistic
        and reading.status is Status.OK
        and _stage(reading) == _stage(mover)
    ]
    others.sort(key=lambda reading: _distance(reading, report), reverse=True)
    return [*own, *(_shown(reading, report) for reading in others[: max(0, _MAX_EVIDENCE - len(own))])]


def _own(move: Move, *, lead: Transition, staged: bool) -> dict[str, Any]:
    """What moved an alert; staged: whether its rule rests on labels or scores, as it then does for all of a group.

    Its segment is given where it is not that of the first.
    """
    step = move.step
    return {
        "column": step.column,
        "statistic": step.statistic,
        "value": step.value,
        "lower": step.lower,
        "threshold": step.threshold,
        **(_stage(judged(step, move.report)) if staged else {}),
        **({} if step.segment == lead.segment else {"segment": step.segment}),
    }


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


def _cause(group: Group) -> dict[str, Any]:
    """Say what kind of thing changed, and in which columns."""
    kind = kind_of(group)
    return {"kind": kind, "columns": columns_of(group, kind)[:_MAX_LISTED]}


def _links(transition: Transition, base_url: str) -> dict[str, str]:
    query = {
        "model": transition.model,
        "version": transition.version,
        "segment": transition.segment,
        "since": rfc3339(transition.window_start_ms),
        "until": rfc3339(transition.window_end_ms),
    }
    of_version = {key: query[key] for key in ("model", "version")}
    return {
        "report": f"{base_url}/api/v1/reports?{urlencode(query)}",
        "dashboard": f"{base_url}/",
        "alerts": f"{base_url}/api/v1/alerts?{urlencode({**of_version, 'state': State.FIRING.value})}",
        "incidents": f"{base_url}/api/v1/incidents?{urlencode({'model': transition.model})}",
    }


def _shorter_and_shorter(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield document
    data = document["data"]
    while len(longest := _longest_list(data)) > 1:
        shorter = longest[: len(longest) // 2]
        if longest is data["cause"]["columns"]:
            data = data | {"cause": data["cause"] | {"columns": shorter}}
        else:
            data = data | {"evidence" if longest is data["evidence"] else "alerts": shorter}
        yield document | {"data": data}
    data = data | {"links": {}, "cause": data["cause"] | {"columns": data["cause"]["columns"][:1]}}
    yield document | {"data": data}
    yield document | {"data": _cut(data)}


def _longest_list(data: dict[str, Any]) -> list[Any]:
    """The list from which to take: the evidence, and of several alerts whichever of their lists is the longest."""
    lists = [data["evidence"], data["cause"]["columns"], data["alerts"]] if "alerts" in data else [data["evidence"]]
    return max(lists, key=len)


def _cut(part: Any) -> Any:
    if isinstance(part, str):
        return part if len(part) <= _MAX_TEXT else part[: _MAX_TEXT - 1] + "…"
    if isinstance(part, dict):
        return {key: _cut(value) for key, value in part.items()}
    return [_cut(value) for value in part] if isinstance(part, list) else part
