"""What `driftwatch replay` prints: windows as they close, alerts as they move, performance in its last word."""

import shutil
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from driftwatch.daemon.replay import Summary
    from driftwatch.evaluation.report import Report

_WINDOW = "{:<20} {:>9} {:>6}  {}"
"""End of the window, rows, alerts firing, and in what is left of the line the columns that changed most."""
_SHOWN = ("accuracy", "roc_auc", "mae", "rmse", "ndcg", "hit_rate")
"""The metrics that stand for performance: two of every task."""


class Screen:
    """Prints a window as it closes and remembers of it only how its alerts stand."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str, str, str], str] = {}
        self._width = shutil.get_terminal_size().columns
        self._begun = False

    def show(self, report: "Report") -> None:
        """One line for a window unless only labels have come for it, one for each alert that moved, of segments too."""
        if not self._begun:
            typer.echo(_WINDOW.format("window ends", "rows", "firing", "most changed (PSI)"))
            self._begun = True
        if not report.follows and not report.segment:
            self._show_window(report)
        for note in report.alerts:
            key = (report.version, report.segment, note.rule, note.column)
            if self._states.get(key) != note.state:
                whose = f"{note.rule} of {_printable(note.column, 40)}" if note.column else note.rule
                whose += f" in {_printable(report.segment, 40)}" if report.segment else ""
                typer.echo(f"  {note.state} {note.severity}: {whose} ({note.reason})")
            self._states[key] = note.state
        cell = report.version, report.segment
        held = {(*cell, note.rule, note.column) for note in report.alerts}
        for key in [key for key in self._states if key[:2] == cell and key not in held]:
            del self._states[key]

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

    def _most_changed(self, report: "Report", room: int) -> str:
        psi = [(reading.value, reading.column) for reading in report.readings if reading.statistic == "psi"]
        defined = sorted((pair for pair in psi if pair[0] >= 0), reverse=True)  # NaN is not
        shown = [f"{_printable(column, 20)} {value:.3f}" for value, column in defined[:3]]
        while len(shown) > 1 and len(", ".join(shown)) > room:
            shown.pop()
        return ", ".join(shown)


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
