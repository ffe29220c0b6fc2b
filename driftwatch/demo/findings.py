"""What the summary says of segments, fairness, versions and the quality of data: a line or two of each."""

from collections.abc import Iterable
from dataclasses import asdict
from itertools import groupby
from typing import Any

from driftwatch.demo.picture import Document, Episode, Picture, day, drifting, measured_in, what

_SHOWN = 3
"""Segments, and metrics of a comparison, that are listed."""
_FAIRNESS = "equal_opportunity_difference"
_COMPARED = ("accuracy", "recall", "roc_auc")


def segment_lines(picture: Picture) -> list[str]:
    """The segments in which the model did worst over windows side by side, beside all rows."""
    by_segment = _by_segment(picture)
    means = {segment: _mean_accuracy(side_by_side(reports)) for segment, reports in by_segment.items()}
    known = {segment: mean for segment, mean in means.items() if mean is not None}
    whole = known.pop("", None)
    if whole is None or not known:
        return []
    lines = []
    for segment, mean in sorted(known.items(), key=lambda item: item[1])[:_SHOWN]:
        least, end = min(_accuracies(by_segment[segment]))
        lines.append(f"{segment} {mean:.4f}, lowest {least:.4f} in the window to {day(end)}")
    return [f"segments by accuracy: {'; '.join(lines)}; all rows {whole:.4f}"]


def fairness_lines(picture: Picture) -> list[str]:
    """How far apart groups are, of the flights that were late, in the share of which it was said."""
    found = [(reading, _end(report)) for report in picture.windows() for reading in _readings(report, "fairness")
             if reading["statistic"] == _FAIRNESS and reading["lower"] is not None]  # fmt: skip
    if not found:
        return []
    reading, end = max(found, key=lambda each: (each[0]["lower"], each[1]))
    beyond = sum(each["lower"] > each["threshold"] for each, _ in found if each["threshold"] is not None)
    between = " and ".join(name.partition("=")[2] for name in reading["between"])
    bounds = f"{reading['value']:.3f} ({reading['lower']:.3f} to {reading['upper']:.3f})"
    apart = f"more than {reading['threshold']:g} apart by the lower bound in {beyond} of {len(found)} windows"
    return [
        f"fairness: share of the late flights that was foretold, by {reading['column']}: {apart}",
        f"  furthest {bounds} between {between} in the window to {day(end)}",
    ]


def version_lines(picture: Picture) -> list[str]:
    """How each challenger came off beside the champion, by the last window that both were in."""
    lines = []
    for report in picture.challengers():
        compared = {each["statistic"]: each for each in _readings(report, "comparison") if not each["column"]}
        told = [compared[name] for name in _COMPARED if name in compared]
        if told:
            rows = f"{told[0]['rows']} of its rows, {told[0]['versus_rows']} of version {told[0]['versus']}"
            lines.append(f"versions: {report['version']} beside {told[0]['versus']}, {rows}")
            lines += [f"  {_verdict(each)}" for each in told]
    return lines


def quality_lines(picture: Picture) -> list[str]:
    """Checks of data quality that fired, and the drift that each of them explains."""
    lines = []
    checks = {each["statistic"] for report in picture.windows() for each in _readings(report, "quality")}
    fired = [episode for episode in picture.episodes() if episode.fired]
    for episode in fired:
        if episode.statistic in checks:
            reports = picture.of_cell(episode.version, episode.segment)
            why = _explained(reports, episode, fired)
            lines.append(f"quality: {what(asdict(episode))}, windows from {day(episode.since)}"
                         f" to {day(episode.until)}, at most {_highest(reports, episode.statistic, episode.column):.1%}"
                         f" of the rows{why}")  # fmt: skip
    return lines


def side_by_side(reports: Iterable[Document]) -> list[Document]:
    """Windows that do not overlap, counted back from the last one."""
    told: list[Document] = []
    for report in sorted(reports, key=_end, reverse=True):
        if not told or _end(report) <= told[-1]["window"]["start"]:
            told.append(report)
    return told


def _by_segment(picture: Picture) -> dict[str, list[Document]]:
    ordered = sorted(picture.champions(), key=_segment)
    return {segment: list(reports) for segment, reports in groupby(ordered, key=_segment)}


def _accuracies(reports: Iterable[Document]) -> list[tuple[float, str]]:
    measured = [(measured_in(report), _end(report)) for report in reports]
    return [(found.accuracy, end) for found, end in measured if found is not None and found.stage == "final"]


def _mean_accuracy(reports: Iterable[Document]) -> float | None:
    """Of all labelled rows of some windows; None before there are any."""
    right = rows = 0.0
    for report in reports:
        measured = measured_in(report)
        if measured is not None and measured.stage == "final":
            right += measured.accuracy * report["labels"]["labelled"]
            rows += report["labels"]["labelled"]
    return right / rows if rows else None


def _verdict(reading: Document) -> str:
    bounds = f"{reading['value']:+.4f} ({reading['lower']:+.4f} to {reading['upper']:+.4f})"
    if reading["decided_rows"] is None:
        return f"{reading['statistic']} {reading['verdict']}: {bounds}"
    took = f"after {reading['decided_rows']} + {reading['decided_versus_rows']} rows"
    return f"{reading['statistic']} {reading['verdict']} {took}, now {bounds}"


def _explained(reports: Iterable[Document], check: Episode, episodes: Iterable[Episode]) -> str:
    """The effects that a failed check explains, where they were great enough for an alert, and none began by them."""
    highest: dict[str, float] = {}
    for each in (reading for report in reports for reading in drifting(report)):
        named = each["column"] == check.column and each.get("explained_by") == check.statistic
        if named and each["value"] > each["threshold"]:
            highest[each["statistic"]] = max(each["value"], highest.get(each["statistic"], 0.0))
    began = any(
        (other.column, other.version, other.segment) == (check.column, check.version, check.segment)
        and other is not check
        and check.since <= other.since < check.until
        for other in episodes
    )
    if began or not highest:
        return ""
    effects = ", ".join(f"{name} up to {value:.3f}" for name, value in sorted(highest.items(), reverse=True))
    return f", which explains its drift: {effects}, and no alert"


def _highest(reports: Iterable[Document], check: str, column: str) -> float:
    values = (each["value"] for report in reports for each in _readings(report, "quality")
              if (each["statistic"], each["column"]) == (check, column))  # fmt: skip
    return max((value for value in values if value is not None), default=0.0)


def _readings(report: Document, family: str) -> list[Any]:
    return [reading for reading in report["readings"] if reading["family"] == family]


def _segment(report: Document) -> str:
    segment: str = report["segment"]
    return segment


def _end(report: Document) -> str:
    end: str = report["window"]["end"]
    return end
