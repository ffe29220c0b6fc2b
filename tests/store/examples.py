"""Small, valid things to store, each changed by keyword where a test cares."""

from typing import Any

from driftwatch.evaluation.alerts import Reason, State, Transition, identity
from driftwatch.evaluation.report import Report, Window
from driftwatch.ports.letters import Letter
from driftwatch.ports.storage import Checkpoint
from driftwatch.statistics.reading import Reading, Status

HOUR = 3_600_000
START = 1_767_607_200_000  # 2026-01-05T10:00:00Z
NAN = float("nan")


def reading(column: str = "amount", statistic: str = "psi", value: float = 0.31, **changes: Any) -> Reading:
    fields = {"family": "drift", "adjusted": value, "lower": value - 0.04, "upper": value + 0.04, "p_value": NAN}
    fields["status"] = Status.OK
    return Reading(column=column, statistic=statistic, value=value, **(fields | changes))


def report(window: int = 0, *, revision: int = 1, rows: int = 5000, **changes: Any) -> Report:
    """Return the report of the window that begins so many hours after START."""
    fields = {
        "model": "fraud",
        "version": "7",
        "segment": "",
        "window": Window(START + window * HOUR, START + (window + 1) * HOUR, rows),
        "revision": revision,
        "fingerprint": "f" * 32,
        "reference_rows": 100_000,
        "readings": (reading(),),
        "thresholds": {("amount", "psi"): 0.1},
    }
    return Report(**(fields | changes))


def transition(state: State = State.FIRING, *, window: int = 0, column: str = "amount", **changes: Any) -> Transition:
    """Return a step of an episode that began in the window at START."""
    model = changes.get("model", "fraud")
    reasons = {State.PENDING: Reason.CROSSED, State.FIRING: Reason.HELD, State.RESOLVED: Reason.CLEARED}
    fields = {
        "identity": identity(model, column, window, state),
        "alert_id": identity(model, column, "episode"),
        "model": model,
        "version": "7",
        "segment": "",
        "rule": "drift",
        "column": column,
        "statistic": "psi",
        "severity": "warning",
        "action": "notify",
        "state": state,
        "reason": reasons.get(state, Reason.DROPPED),
        "started_ms": START,
        "window_start_ms": START + window * HOUR,
        "window_end_ms": START + (window + 1) * HOUR,
        "value": 0.31,
        "lower": 0.27,
        "threshold": 0.1,
    }
    return Transition(**(fields | changes))


def letter(name: str = "msg_1", **changes: Any) -> Letter:
    fields = {
        "target": "trainer",
        "alert_id": "a1",
        "type": "driftwatch.retrain.requested",
        "body": b'{"type":"x"}',
        "created_ms": START,
        "key": "driftwatch.retrain.requested fraud",
    }
    fields["lane"] = changes.get("alert_id", fields["alert_id"])
    return Letter(id=name, **(fields | changes))


def checkpoint(**changes: Any) -> Checkpoint:
    fields: dict[str, Any] = {"taken_ms": START, "positions": {}, "monitors": {}, "panes": {}, "engine": b""}
    return Checkpoint(**(fields | changes))
