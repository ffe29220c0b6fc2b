"""What the demo knows: reports, alert episodes, webhooks. Fed with the contract's documents; knows no screen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from driftwatch.demo.producer import Progress
from driftwatch.demo.receiver import Arrival
from driftwatch.demo.staged import CHAMPION

Document = Mapping[str, Any]
_NAMED = 3
"""So many columns that moved together are named at most."""
_EVIDENCE = frozenset({"abrupt", "slow"})
"""Readings of how sure a change is, in powers of ten: they cannot be ranked beside those of how great it is."""
Key = tuple[str, str, str]
"""Start of a window, version and segment."""
Cell = tuple[str, str]
"""Version and segment."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert from its first window on.

    since, until: start of the first window beyond the threshold, and end of the one that resolved it, or of its cell's
    last window while it stands. peak: the highest value of its column's drift reading meanwhile, of windows in which
    nothing else explains it; None where there is none.
    """

    id: str
    rule: str
    column: str
    version: str
    segment: str
    severity: str
    state: str
    since: str
    until: str
    fired: bool
    statistic: str
    peak: float | None
    threshold: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The model's accuracy over one window, and which share of the labels it rests on."""

    stage: str
    accuracy: float
    coverage: float


@dataclass(slots=True)
class Picture:
    """All that was seen so far. One thread feeds and reads it.

    interim: of each window the first accuracy that was seen before all of its labels had come. model: what the service
    says of the model, {} until it has. budget: as the configuration writes it.
    """

    budget: str = ""
    progress: Progress = field(default_factory=Progress)
    model: Document = field(default_factory=dict)
    reports: dict[Key, Document] = field(default_factory=dict)
    interim: dict[Key, Measured] = field(default_factory=dict)
    alerts: dict[str, Document] = field(default_factory=dict)
    arrivals: tuple[Arrival, ...] = ()
    _news: list[str] = field(default_factory=list)

    def add_reports(self, reports: Iterable[Document]) -> None:
        """Take reports of contract section 6 in any order; of one window and cell the highest revision counts."""
        for report in reports:
            key = _key(report)
            if key in self.reports and self.reports[key]["revision"] >= report["revision"]:
                continue
            self.reports[key] = report
            measured = measured_in(report)
            if measured is not None and measured.stage == "interim":
                self.interim.setdefault(key, measured)

    def add_models(self, models: Iterable[Document]) -> None:
        """Take what the service says of its models: the demo has one."""
        self.model = next(iter(models), self.model)

    def add_alerts(self, alerts: Iterable[Document]) -> None:
        """Take alerts as the service lists them; each state in which one is seen is news, one line for each rule."""
        moved: dict[tuple[str, ...], list[Document]] = {}
        for alert in sorted(alerts, key=_end):
            before = self.alerts.get(alert["id"])
            self.alerts[alert["id"]] = alert
            if before is None or before["state"] != alert["state"]:
                together = _end(alert), alert["version"], alert["rule"], alert["state"]
                moved.setdefault(together, []).append(alert)
        self._news += [_step(sorted(group, key=_rank)) for group in moved.values()]

    def add_arrivals(self, arrivals: tuple[Arrival, ...]) -> None:
        """Take all webhooks that the receiver has so far."""
        for arrival in arrivals[len(self.arrivals) :]:
            again = ", again" if arrival.repeat else ""
            self._news.append(f"webhook {arrival.type or '?'} {arrival.id}: signature {arrival.check}{again}")
        self.arrivals = arrivals

    def news(self) -> list[str]:
        """Give lines about what happened since the last call: alerts that moved, webhooks that came."""
        lines, self._news = self._news, []
        return lines

    def of_cell(self, version: str, segment: str) -> list[Document]:
        """Reports of a version and a segment, by the end of their window, oldest first."""
        ordered = sorted(self.reports.values(), key=_end)
        return [report for report in ordered if _cell(report) == (version, segment)]

    def champions(self) -> list[Document]:
        """Reports of the version that was there first, of all segments, by the end of their window."""
        ordered = sorted(self.reports.values(), key=_end)
        return [report for report in ordered if report["version"] == ordered[0]["version"]]

    def windows(self) -> list[Document]:
        """Reports of the first version and of all rows, by the end of their window, oldest first."""
        return [report for report in self.champions() if not report["segment"]]

    def challengers(self) -> list[Document]:
        """Of each other version the report of all rows on its latest window."""
        first = {report["version"] for report in self.champions()}
        ordered = sorted(self.reports.values(), key=_end)
        latest = {report["version"]: report for report in ordered if not report["segment"]}
        return [report for version, report in latest.items() if version not in first]

    def episodes(self) -> list[Episode]:
        """Alert episodes in the order in which they began; those that never fired and are over are left out."""
        seen = [alert for alert in self.alerts.values() if alert["state"] != "inactive"]
        by_cell: dict[Cell, list[Document]] = {}
        for report in sorted(self.reports.values(), key=_end):
            by_cell.setdefault(_cell(report), []).append(report)
        ordered = sorted(seen, key=lambda alert: (str(alert["started"]), *_cell(alert), alert["rule"], alert["column"]))
        return [_episode(alert, by_cell.get(_cell(alert), [])) for alert in ordered]

    def interim_and_final(self) -> list[tuple[Measured, Measured]]:
        """Of each of `windows` whose accuracy was seen at both stages what it was then, in order of time."""
        keys = [_key(report) for report in self.windows()]
        last = {key: measured_in(self.reports[key]) for key in keys if key in self.interim}
        return [
            (self.interim[key], measured)
            for key, measured in last.items()
            if measured is not None and measured.stage == "final"
        ]


def measured_in(report: Document) -> Measured | None:
    """The accuracy by the labels that a report tells of; None before there is any."""
    for reading in report["readings"]:
        if (reading["family"], reading["statistic"]) == ("performance", "accuracy") and reading["value"] is not None:
            return Measured(reading["stage"], reading["value"], reading["coverage"])
    return None


def drifting(report: Document) -> list[Document]:
    """Effects in a report that a rule watches, the one furthest beyond its threshold first."""
    drift = (
        reading
        for reading in report["readings"]
        if reading["family"] == "drift" and reading["statistic"] not in _EVIDENCE
    )
    watched = [reading for reading in drift if reading["value"] is not None and reading.get("threshold")]
    return sorted(watched, key=_excess, reverse=True)


def day(moment: str) -> str:
    """Shorten an RFC 3339 moment to its day, or to the minute where it is not midnight."""
    return moment[:10] if "T00:00:00" in moment else moment[:16].replace("T", " ")


def what(note: Document) -> str:
    """Name an alert for a person: its rule and column, the version where it is no champion's."""
    named = f"{note['rule']} of {whose(note)}" if note["column"] else str(note["rule"])
    return named if note["version"] == CHAMPION else f"{named}, version {note['version']}"


def whose(note: Document) -> str:
    """Name an alert's column, and the segment where it is not all rows."""
    return f"{note['column']} in {note['segment']}" if note["segment"] else str(note["column"])


def _step(alerts: list[Document]) -> str:
    """One line for alerts that moved together, with what is told of the first."""
    lead, others = alerts[0], [whose(alert) for alert in alerts[1:_NAMED]]
    named = ", ".join([what(lead), *others]) + (f" and {len(alerts) - _NAMED} more" if len(alerts) > _NAMED else "")
    evidence = f"{lead['statistic']} {lead['value']:.3f} against {lead['threshold']:g}"
    return f"{day(_end(lead))} alert {lead['state']}: {named} ({lead['severity']}, {lead['reason']}), {evidence}"


def _rank(alert: Document) -> tuple[bool, bool, float, str]:
    """As letters rank them, where nothing is known of importance: the model's own outputs first, then all rows."""
    beyond = abs(alert["value"] - alert["threshold"]) / max(abs(alert["threshold"]), 1e-9)
    return alert["column"] not in {"score", "prediction"}, bool(alert["segment"]), -beyond, alert["column"]


def _key(report: Document) -> Key:
    return report["window"]["start"], report["version"], report["segment"]


def _cell(document: Document) -> Cell:
    return document["version"], document["segment"]


def _end(document: Document) -> str:
    end: str = document["window"]["end"]
    return end


def _excess(reading: Document) -> float:
    value: float = reading["value"] / reading["threshold"]
    return value


def _episode(alert: Document, windows: list[Document]) -> Episode:
    until = alert["resolved"] or (_end(windows[-1]) if windows else _end(alert))
    during = [report for report in windows if report["window"]["start"] >= alert["started"] and _end(report) <= until]
    values = [
        reading["value"]
        for report in during
        for reading in drifting(report)
        if (reading["column"], reading["statistic"]) == (alert["column"], alert["statistic"])
        and "explained_by" not in reading
    ]
    return Episode(
        id=alert["id"], rule=alert["rule"], column=alert["column"], version=alert["version"], segment=alert["segment"],
        severity=alert["severity"], state=alert["state"],
        since=alert["started"], until=until, fired=alert["state"] in {"firing", "resolved"},
        statistic=alert["statistic"], peak=max(values, default=None), threshold=alert["threshold"],
    )  # fmt: skip
