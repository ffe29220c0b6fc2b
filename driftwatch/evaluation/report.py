"""The report of one closed window and cell: contract §6, and its JSON."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from driftwatch.statistics.distribution import Distribution
from driftwatch.statistics.reading import Reading


def rfc3339(milliseconds: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC; fractions only where there are some."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    precision = "milliseconds" if milliseconds % 1000 else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Window:
    """Where a report stands in time, [start, end) in ms since the epoch, and how many rows it counted.

    ordinal: which of the windows counted in rows it is, for several of these may begin in one millisecond.
    """

    start_ms: int
    end_ms: int
    rows: int
    stage: str = "final"
    ordinal: int | None = None


@dataclass(frozen=True, slots=True)
class AlertNote:
    """An alert that was pending or firing, or has just been resolved, when the report was made."""

    id: str
    rule: str
    column: str
    state: str
    severity: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """One closed window of one cell.

    thresholds: (column, statistic) → the tightest rule's threshold. distributions: for dashboards, not in the document.
    """

    model: str
    version: str
    segment: str
    window: Window
    revision: int
    fingerprint: str
    reference_rows: int
    readings: tuple[Reading, ...]
    thresholds: Mapping[tuple[str, str], float]
    alerts: tuple[AlertNote, ...] = ()
    distributions: tuple[Distribution, ...] = ()

    def document(self) -> dict[str, Any]:
        """The report as contract §6 writes it; what is not defined is null."""
        return {
            "model": self.model,
            "version": self.version,
            "segment": self.segment,
            "window": {
                "start": rfc3339(self.window.start_ms),
                "end": rfc3339(self.window.end_ms),
                "rows": self.window.rows,
                "stage": self.window.stage,
            },
            "revision": self.revision,
            "reference": {"fingerprint": self.fingerprint, "rows": self.reference_rows},
            "readings": [self._reading(reading) for reading in self.readings],
            "alerts": [
                {"id": note.id, "rule": note.rule, "column": note.column, "state": note.state,
                 "severity": note.severity, "reason": note.reason}
                for note in self.alerts
            ],
        }  # fmt: skip

    def line(self) -> bytes:
        """The document as one line of JSON, without the newline."""
        return msgspec.json.encode(self.document())

    def _reading(self, reading: Reading) -> dict[str, Any]:
        return {
            "column": reading.column,
            "family": reading.family,
            "statistic": reading.statistic,
            "value": _finite(reading.value),
            "adjusted": _finite(reading.adjusted),
            "lower": _finite(reading.lower),
            "upper": _finite(reading.upper),
            "p_value": _finite(reading.p_value),
            "threshold": self.thresholds.get((reading.column, reading.statistic)),
            "status": reading.status.value,
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
