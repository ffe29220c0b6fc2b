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
            "incident": "https://driftwatch.example/api/v1/incidents?model=fraud&since=2026-01-05T10%3A00%3A00Z",
            "incidents": "https://driftwatch.example/api/v1/incidents?model=fraud",
        },
        "alerts": [{"id": "a107d00a508cf1e8da4acfc310c605a4", "column": "amount", "segment": "country=DE"}],
        "alerts_total": 2,
        "still_firing": 1,
        "incident": {
            "id": "5f0d8b6a1c7e4b2f9a3d6c8e0f1b2a4d",
            "model": "fraud",
            "version": "7",
            "state": "not_recovered",
            "reason": "new_version_drifts_too",
            "alert": "a107d00a508cf1e8da4acfc310c605a4",
            "rules": ["drift"],
            "columns": ["amount"],
            "kinds": ["covariate"],
            "firing": 1,
            "began": _START,
            "detected": _END,
            "requested": _END,
            "deployed": _END,
            "ended": _END,
            "new_version": "8",
            "calm_windows": 0,
            "seconds": {"detect": 3600.0, "request": 1.0, "deploy": 600.0, "recover": 3600.0},
        },
    },
}

EXAMPLE: Mapping[str, Any] = MappingProxyType({"id": "msg_4053dfc028bd09c43c187da3345ee039", **_EVENT, "event": _EVENT})
"""By the names that texts may use, see `template.names`."""
