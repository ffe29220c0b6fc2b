"""The report of one closed window and cell: contract §6, and its JSON."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from driftwatch.evaluation.budgeted import Drifting
from driftwatch.statistics.between import Between
from driftwatch.statistics.comparison import FAMILY as COMPARISON
from driftwatch.statistics.contrast import Contrast
from driftwatch.statistics.distribution import Distribution
from driftwatch.statistics.drift import FAMILY as DRIFT
from driftwatch.statistics.fairness import FAIRNESS
from driftwatch.statistics.performance import CONCEPT, ESTIMATION, FAMILY
from driftwatch.statistics.reading import Reading, Support

JUDGED_BY_LABELS = frozenset({FAMILY, ESTIMATION, CONCEPT, COMPARISON, FAIRNESS})
"""Families of readings that change when labels come."""


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

    def document(self) -> dict[str, Any]:
        """The window as a report writes it."""
        start, end = rfc3339(self.start_ms), rfc3339(self.end_ms)
        return {"start": start, "end": end, "rows": self.rows, "stage": self.stage}


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What has become of a window's remembered predictions; predictions = labelled + waiting + expired + cancelled.

    waiting: a label may still come; expired: none is waited for any more. rate: share of the predictions that are
    remembered, all of them when it is 1. median_delay_ms: of the labels that have come; None while there are none.
    curve: (delay in ms, estimated share of the predictions whose label comes within it), rising.
    reliability: (mean score, share that turned out positive, labels) of each tenth of the score range that has any.
    """

    predictions: int
    labelled: int
    waiting: int
    expired: int
    cancelled: int
    rate: float = 1.0
    median_delay_ms: float | None = None
    curve: tuple[tuple[int, float], ...] = ()
    reliability: tuple[tuple[float, float, int], ...] = ()

    @property
    def coverage(self) -> float:
        """Share of the predictions whose label has come, of those that can have one; 0 while there are none."""
        due = self.predictions - self.cancelled
        return self.labelled / due if due else 0.0

    def document(self) -> dict[str, Any]:
        """The part of the report that says how far the labels have come."""
        return {
            "predictions": self.predictions,
            "labelled": self.labelled,
            "waiting": self.waiting,
            "expired": self.expired,
            "cancelled": self.cancelled,
            "sampling_rate": self.rate,
            "median_delay_seconds": None if self.median_delay_ms is None else self.median_delay_ms / 1000,
            "arrival": [{"delay_seconds": delay_ms / 1000, "share": share} for delay_ms, share in self.curve],
            "reliability": [
                {"score": score, "positive": positive, "labels": labels} for score, positive, labels in self.reliability
            ],
        }


@dataclass(frozen=True, slots=True)
class Performance:
    """What a window's labels and scores say of the model.

    mark: tells what has come from what had come at an earlier look; 0 while nothing has.
    """

    readings: tuple[Reading, ...]
    arrivals: Arrivals
    mark: int = 0


@dataclass(frozen=True, slots=True)
class AlertNote:
    """An alert that was pending or firing, or has just been resolved, when the report was made.

    statistic: what its rule compares; it is for the kind of change, and not in the document.
    """

    id: str
    rule: str
    column: str
    state: str
    severity: str
    reason: str
    statistic: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One closed window of one cell.

    thresholds: (column, statistic) → the tightest rule's threshold. distributions: for dashboards, not in the document.
    arrivals: how far the window's labels have come, where the model has any.
    follows: the rows themselves have been let go: only what the labels say is new, and the drift readings stay as the
        revision before has them (see `follow`).
    drifting: the columns that drift, taken together; None where no budget is watched.
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
    arrivals: Arrivals | None = None
    follows: bool = False
    explained: Mapping[str, str] = field(default_factory=dict)
    drifting: Drifting | None = None

    def document(self) -> dict[str, Any]:
        """The report as contract §6 writes it; what is not defined is null."""
        document: dict[str, Any] = {
            "model": self.model,
            "version": self.version,
            "segment": self.segment,
            "window": self.window.document(),
            "revision": self.revision,
            "reference": {"fingerprint": self.fingerprint, "rows": self.reference_rows},
            "readings": [self._reading(reading) for reading in self.readings],
            "alerts": [
                {"id": note.id, "rule": note.rule, "column": note.column, "state": note.state,
                 "severity": note.severity, "reason": note.reason}
                for note in self.alerts
            ],
        }  # fmt: skip
        if self.drifting is not None:
            document["drifting"] = self.drifting.document()
        if self.arrivals is not None:
            document["labels"] = self.arrivals.document()
        return document

    def threshold(self, reading: Reading) -> float | None:
        """The threshold of the tightest rule on it; else its own limit: of a check, or what matters of an effect."""
        given = None if reading.contrast else self.thresholds.get((reading.column, reading.statistic))
        return _finite(reading.limit) if given is None else given

    def line(self) -> bytes:
        """The document as one line of JSON, without the newline."""
        return msgspec.json.encode(self.document())

    def _reading(self, reading: Reading) -> dict[str, Any]:
        document = {
            "column": reading.column,
            "family": reading.family,
            "statistic": reading.statistic,
            "value": _finite(reading.value),
            "adjusted": _finite(reading.adjusted),
            "lower": _finite(reading.lower),
            "upper": _finite(reading.upper),
            "p_value": _finite(reading.p_value),
            "threshold": self.threshold(reading),
            "status": reading.status.value,
        }
        if reading.family == DRIFT:
            document["mde"] = _finite(reading.mde)
            if reading.column in self.explained:
                document["explained_by"] = self.explained[reading.column]
        if isinstance(reading.at, str) or math.isfinite(reading.at):
            document["at"] = reading.at
        if reading.support is not None:
            document |= _support(reading.support)
        if reading.contrast is not None:
            document |= _contrast(reading.contrast)
        if reading.between is not None:
            document |= _between(reading.between)
        return document


def follow(report: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Complete the document of a report that `follows` with what the revision before it had said of the data.

    Its alerts are those that the rules on labels have moved; the others stay as they were when the window closed.
    """
    drift = [reading for reading in before["readings"] if reading["family"] not in JUDGED_BY_LABELS]
    moved = {note["id"] for note in report["alerts"]}
    alerts = [note for note in before["alerts"] if note["id"] not in moved]
    window = {**report["window"], "rows": before["window"]["rows"]}  # those of a segment are known no more
    readings = [*drift, *report["readings"]]
    drifting = {"drifting": before["drifting"]} if "drifting" in before else {}
    return {**report, **drifting, "window": window, "readings": readings, "alerts": [*alerts, *report["alerts"]]}


def _support(support: Support) -> dict[str, Any]:
    """What a performance reading says beyond its value; stage always, the others where they are defined."""
    figures = {
        "coverage": support.coverage,
        "naive": support.naive,
        "worst": support.worst,
        "best": support.best,
        "baseline": support.baseline,
    }
    return {"stage": support.stage.value} | {name: value for name, value in figures.items() if math.isfinite(value)}


def _between(between: Between) -> dict[str, Any]:
    """The groups with the least and the greatest rate, and those that have too few rows to be compared."""
    ends = [name for name in (between.least, between.greatest) if name]
    return {"between": ends, "left_out": list(between.left_out)}


def _contrast(contrast: Contrast) -> dict[str, Any]:
    """What a difference of two versions rests on, and how it was ruled."""
    return {
        "versus": contrast.versus,
        "verdict": contrast.ruling.value,
        "rows": contrast.rows,
        "versus_rows": contrast.versus_rows,
        "mde": _finite(contrast.mde),
        "decided_rows": contrast.decided_rows,
        "decided_versus_rows": contrast.decided_versus_rows,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
