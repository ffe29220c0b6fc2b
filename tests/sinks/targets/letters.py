"""A request for a retraining, as the outbox keeps it."""

import json
from typing import Any

from driftwatch.ports.letters import Letter

ID = "msg_6590cdb2661ef159844a2cae42c0533f"
ALERT = "a107d00a508cf1e8da4acfc310c605a4"
DATA: dict[str, Any] = {
    "alert": {
        "id": ALERT,
        "rule": "drift",
        "severity": "critical",
        "state": "firing",
        "started": "2026-01-05T10:00:00Z",
        "reason": "held",
    },
    "model": "fraud",
    "version": "7",
    "segment": "",
    "window": {"start": "2026-01-05T10:00:00Z", "end": "2026-01-05T11:00:00Z"},
    "evidence": [{"column": "amount", "statistic": "psi", "value": 0.31, "lower": 0.27, "threshold": 0.1}],
    "cause": {"kind": "covariate", "columns": ["amount", "country"]},
    "suggested_training_range": {"start": "2026-01-05T09:00:00Z", "end": "2026-01-05T11:00:00Z"},
    "links": {},
}
VALUES = {
    "driftwatch_id": ID,
    "event": "driftwatch.retrain.requested",
    "alert_id": ALERT,
    "model": "fraud",
    "version": "7",
    "cause": "covariate",
    "columns": "amount, country",
    "training_start": "2026-01-05T09:00:00Z",
    "training_end": "2026-01-05T11:00:00Z",
}
"""What a pipeline is given of it unless its table says something else."""


def request(identity: str = ID, *, target: str = "trainer", kind: str = "retrain", **changes: Any) -> Letter:
    """A letter that asks for it; with `kind` "rollback" for the other thing."""
    event = f"driftwatch.{kind}.requested"
    body = {"type": event, "timestamp": "2026-01-05T11:00:00Z", "data": DATA}
    return Letter(
        id=identity, target=target, alert_id=ALERT, lane=f"fraud 7 {identity}", type=event,
        body=json.dumps(body).encode(), created_ms=1, **changes,
    )  # fmt: skip
