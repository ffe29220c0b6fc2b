"""What `driftwatch replay` prints: windows as they close, what moves in them, performance in its last word."""

import shutil
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from driftwatch.daemon.replay import Summary
    from driftwatch.evaluation.groups import Group
    from driftwatch.evaluation.outcome import Outcome
    from driftwatch.evaluation.report import Report

_WINDOW = "{:<20} {:>9} {:>6}  {}"
"""End of the window, rows, alerts firing, and in what is left of the line the columns that changed most."""
_NAMED = 5
"""So many alerts of those that moved together are named at most."""
_NONE_KNOWN: Mapping[str, float] = MappingProxyType({})
_SHOWN = ("accuracy", "roc_auc", "mae", "rmse", "ndcg", "hit_rate")
"""The metrics that stand for performance: two of every task."""


class Screen:
    """Prints a window as it closes and remembers nothing of it. importance: of the model's columns."""

    def __init__(self, importance: Mapping[str, float] = _NONE_KNOWN) -> None:
        self._importance = importance
        self._width = shutil.get_terminal_size().columns
        self._begun = False

    def show(self, outcome: "Outcome") -> None:
        """One line for a window unless only labels have come for it, and under it one for all that moved together."""
        if not self._begun:
            typer.echo(_WINDOW.format("window ends", "rows", "firing", "most changed (PSI)"))
            self._begun = True
        behind = _behind(outcome, self._importance)
        for place, report in enumerate(outcome.reports):
            if not report.follows and not report.segment:
                self._show_window(report)
            for group in behind.get(place, ()):
                self._show_group(group)

    def tell(self, document: Mapping[str, Any]) -> None:
        """One line for the performance of a window, from its last report, when any of its model's labels have come."""
        labels = document.get("labels")
        if labels is None or document["segment"]:
            return
        window = document["window"]
        whose = f" version {_printable(document['version'], 12)}" if document["version"] else ""
        due = labels["predictions"] - labels["cancelled"]
        share = f"labels of {labels['labelled'] / due:.1%}" if due else "no labels to come"
        said = ", ".join([*_performance(document["readings"]), share])
        typer.echo(f"  {window['end'][:19]}Z{whose} {window['stage']}: {said}"[: self._width])

    def close(self, summary: "Summary") -> None:
        """What it all came to."""
        revised = f" ({summary.reports} with revisions)" if summary.reports > summary.windows else ""
        divided = f" and {summary.segments} of segments" if summary.segments else ""
        if summary.learnt:
            typer.echo(f"the reference was learnt from the first {summary.learnt} rows")
        typer.echo(
            f"{summary.windows} reports{revised}{divided}; rows: {summary.accepted} accepted, {summary.late} late, "
            + (f"{summary.duplicate} duplicate, " if summary.duplicate else "")
            + _rejected(summary.rejected)
        )
        _tell_of_golden_sets(summary)
        if summary.labels or summary.labels_rejected:
            became = [f"{count} {what}" for what, count in summary.fate.items() if count]
            typer.echo(", ".join([f"labels: {summary.labels} read", *became, _rejected(summary.labels_rejected)]))
            unsampled = f", {summary.unsampled} not remembered" if summary.unsampled else ""
            typer.echo(f"predictions: {summary.unlabelled} without a label{unsampled}")

    def _show_window(self, report: "Report") -> None:
        from driftwatch.evaluation.report import rfc3339  # noqa: PLC0415 - `--help` stays quick

        firing = sum(note.state == "firing" for note in report.alerts)
        whose = [f"version {_printable(report.version, 12)}"] if report.version else []
        whose += [f"revision {report.revision}"] if report.revision > 1 else []
        end = rfc3339(report.window.end_ms // 1000 * 1000)
        begin = _WINDOW.format(end, report.window.rows, firing or "", ", ".join(whose) + ": " if whose else "")
        typer.echo((begin + self._most_changed(report, self._width - len(begin))).rstrip())

    def _show_group(self, group: "Group") -> None:
        """Name as many of the alerts as there is room for, by rank, and count the others."""
        lead, line = group.lead.step, ""
        for count in range(min(_NAMED, len(group.moves)), 0, -1):
            line = f"  {lead.state} {lead.severity}: {_whose(group, count)} ({lead.reason})"
            if len(line) <= self._width:
                break
        typer.echo(line)

    def _most_changed(self, report: "Report", room: int) -> str:
        psi = [(reading.value, reading.column) for reading in report.readings if reading.statistic == "psi"]
        defined = sorted((pair for pair in psi if pair[0] >= 0), reverse=True)  # NaN is not
        shown = [f"{_printable(column, 20)} {value:.3f}" for value, column in defined[:3]]
        while len(shown) > 1 and len(", ".join(shown)) > room:
            shown.pop()
        return ", ".join(shown)


def _behind(outcome: "Outcome", importance: Mapping[str, float]) -> dict[int, list["Group"]]:
    """What moved, by the place of the last report that one of its alerts is of; golden sets have none."""
    from driftwatch.evaluation.groups import grouped  # noqa: PLC0415 - `--help` stays quick

    said = (*outcome.reports, *outcome.grounds)
    weights = {report.model: importance for report in outcome.reports}
    places = {id(report): place for place, report in enumerate(outcome.reports)}
    found: dict[int, list[Group]] = {}
    for group in grouped(outcome.transitions, said, importance=weights):
        last = max(places.get(id(move.report), -1) for move in group.moves)
        found.setdefault(last, []).append(group)
    return found


def _whose(group: "Group", count: int) -> str:
    """Say which rule, and of which columns and segments, so many of them by name."""
    moves, rule = group.moves, group.lead.step.rule
    places = [(move.step.column, _printable(move.step.segment, 40)) for move in moves[:count]]
    others = f" and {len(moves) - count} more" if len(moves) > count else ""
    if group.lead.step.column:
        named = [_printable(column, 40) + (f" in {segment}" if segment else "") for column, segment in places]
        return f"{rule} of {', '.join(named)}{others}"
    if len(moves) == 1 and not places[0][1]:
        return rule
    return f"{rule} in {', '.join(segment or 'all rows' for _, segment in places)}{others}"


def _tell_of_golden_sets(summary: "Summary") -> None:
    """One line for each step of their alerts, which stand in no window's report."""
    from driftwatch.statistics.control import CHANGED  # noqa: PLC0415 - `--help` stays quick

    for step in summary.transitions:
        if step.statistic == CHANGED:
            whose = f"version {_printable(step.version, 12)}, changed" if step.version else "changed"
            typer.echo(f"{step.state} {step.severity}: {step.rule} of {step.column}, {whose}: {step.value:g}")


def _performance(readings: Iterable[Mapping[str, Any]]) -> list[str]:
    """The metrics that are shown, of the whole model and by its labels, where they are defined."""
    found = {
        reading["statistic"]: reading["value"]
        for reading in readings
        if reading["family"] == "performance" and not reading["column"] and reading["value"] is not None
    }
    return [f"{name} {found[name]:.4g}" for name in _SHOWN if name in found]


def _rejected(counts: Mapping[str, int]) -> str:
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
    return f"{sum(counts.values())} rejected" + (f" ({reasons})" if reasons else "")


def _printable(text: str, width: int) -> str:
    """A payload's text without control characters, cut to a width."""
    clean = "".join(character if character.isprintable() else "?" for character in text)
    return clean if len(clean) <= width else clean[: width - 1] + "…"
