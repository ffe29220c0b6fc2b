"""What the demo knows: reports, alert episodes, webhooks. Fed with the contract's documents; knows no screen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from driftwatch.demo.producer import Progress
from driftwatch.demo.receiver import Arrival

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert from its first window to its last, as the reports tell it.

    since, until: end of the first and the last window that mention it. peak: the highest value of the
    column's watched drift reading, None where there is none.
    """

    id: str
    rule: str
    column: str
    severity: str
    state: str
    since: str
    until: str
    fired: bool = False
    statistic: str = ""
    peak: float | None = None
    threshold: float | None = None


@dataclass(slots=True)
class Picture:
    """All that was seen so far. One thread feeds and reads it."""

    progress: Progress = field(default_factory=Progress)
    reports: dict[tuple[str, str, str], Document] = field(default_factory=dict)
    arrivals: tuple[Arrival, ...] = ()
    _news: list[str] = field(default_factory=list)
    _told: set[tuple[str, str]] = field(default_factory=set)

    def add_reports(self, reports: Iterable[Document]) -> None:
        """Take reports of contract section 6 in any order; of one window and cell the highest revision counts."""
        for report in sorted(reports, key=_end):
            key = (report["window"]["start"], report["version"], report["segment"])
            if key in self.reports and self.reports[key]["revision"] >= report["revision"]:
                continue
            self.reports[key] = report
            self._tell_alerts(report)

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

    def windows(self) -> list[Document]:
        """Reports by the end of their window, oldest first."""
        return sorted(self.reports.values(), key=_end)

    def episodes(self) -> list[Episode]:
        """Alert episodes in the order in which they began."""
        found: dict[str, Episode] = {}
        for report in self.windows():
            for note in report["alerts"]:
                found[note["id"]] = _continue(found.get(note["id"]), note, report)
        return list(found.values())

    def _tell_alerts(self, report: Document) -> None:
        for note in report["alerts"]:
            if (note["id"], note["state"]) not in self._told:
                self._told.add((note["id"], note["state"]))
                self._news.append(f"{day(_end(report))} alert {note['state']}: {what(note)} ({note['severity']}, "
                                  f"{note['reason']}){_evidence(note, report)}")  # fmt: skip


def drifting(report: Document) -> list[Document]:
    """Drift readings of a report that a rule watches, the one furthest beyond its threshold first."""
    drift = (reading for reading in report["readings"] if reading["family"] == "drift")
    watched = [reading for reading in drift if reading["value"] is not None and reading.get("threshold")]
    return sorted(watched, key=_excess, reverse=True)


def day(moment: str) -> str:
    """Shorten an RFC 3339 moment to its day, or to the minute where it is not midnight."""
    return moment[:10] if "T00:00:00" in moment else moment[:16].replace("T", " ")


def what(note: Document) -> str:
    """Name an alert for a person: its rule and column."""
    return f"{note['rule']} of {note['column']}" if note["column"] else str(note["rule"])


def _end(report: Document) -> str:
    end: str = report["window"]["end"]
    return end


def _excess(reading: Document) -> float:
    value: float = reading["value"] / reading["threshold"]
    return value


def _watched(note: Document, report: Document) -> Document | None:
    return next((reading for reading in drifting(report) if reading["column"] == note["column"]), None)


def _evidence(note: Document, report: Document) -> str:
    reading = _watched(note, report)
    if reading is None:
        return ""
    return f", {reading['statistic']} {reading['value']:.3f} against {reading['threshold']:g}"


def _continue(episode: Episode | None, note: Document, report: Document) -> Episode:
    end = _end(report)
    if episode is None:
        episode = Episode(id=note["id"], rule=note["rule"], column=note["column"], severity=note["severity"],
                          state=note["state"], since=end, until=end)  # fmt: skip
    fired = episode.fired or note["state"] == "firing"
    episode = replace(episode, state=note["state"], severity=note["severity"], until=end, fired=fired)
    reading = _watched(note, report)
    if reading is None or (episode.peak is not None and episode.peak >= reading["value"]):
        return episode
    return replace(episode, statistic=reading["statistic"], peak=reading["value"], threshold=reading["threshold"])
