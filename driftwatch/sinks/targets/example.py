"""An event that says everything that an event can say: what texts of one's own are tried with."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_START, _END = "2026-01-05T10:00:00Z", "2026-01-05T11:00:00Z"
_EVENT = {
    "type": "driftwatch.alert.resolved",
    "timestamp": _END,
    "data": {
        "alert": {
            "id": "a107d00a508cf1e8da4acfc310c605a4",
            "rule": "drift",
            "severity": "warning",
            "state": "resolved",
            "started": _START,
            "reason": "cleared",
        },
        "model": "fraud",
        "version": "7",
        "segment": "country=DE",
        "window": {"start": _START, "end": _END},
        "evidence": [
            {
                "column": "amount",
                "statistic": "psi",
                "value": 0.31,
                "lower": 0.27,
                "threshold": 0.1,
                "stage": "final",
                "segment": "country=AT",
            }
        ],
        "cause": {"kind": "covariate", "columns": ["amount"]},
        "suggested_training_range": {"start": _START, "end": _END},
        "links": {
            "report": "https://driftwatch.example/api/v1/reports?model=fraud",
            "dashboard": "https://driftwatch.example/",
            "alerts": "https://driftwatch.example/api/v1/alerts?model=fraud&version=7&state=firing",
            "incidents": "https://driftwatch.example/api/v1/incidents?model=fraud",
        },
        "alerts": [{"id": "a107d00a508cf1e8da4acfc310c605a4", "column": "amount", "segment": "country=DE"}],
        "alerts_total": 2,
        "still_firing": 1,
    },
}

EXAMPLE: Mapping[str, Any] = MappingProxyType({"id": "msg_4053dfc028bd09c43c187da3345ee039", **_EVENT, "event": _EVENT})
"""By the names that texts may use, see `template.names`."""
