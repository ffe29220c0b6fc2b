"""`driftwatch replay`: the pipeline over files, one line per window and per step of an alert."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

if TYPE_CHECKING:
    from driftwatch.daemon.replay import Summary
    from driftwatch.evaluation.report import Report

_WINDOW = "{:<20} {:>9} {:>6}  {}"
"""End of the window, rows, alerts firing, and in what is left of the line the columns that changed most."""


def replay(
    config: Annotated[Path, typer.Option("--config", help="The configuration file.")],
    predictions: Annotated[
        list[str], typer.Option("--predictions", help="Files, or globs in quotes; may be given again.")
    ],
    labels: Annotated[
        list[str] | None,
        typer.Option("--labels", help="Files with labels; without any, labels in tables of predictions count."),
    ] = None,
    model: Annotated[str, typer.Option("--model", help="Which model, when the file has several.")] = "",
    report: Annotated[Path | None, typer.Option("--report", help="Write one JSON line per closed window.")] = None,
) -> None:
    """Run the pipeline over files at full speed: no server, no state, no webhooks."""
    import time  # noqa: PLC0415 - heavy imports only where they are used: `--help` stays quick

    from driftwatch.config import load, naming  # noqa: PLC0415
    from driftwatch.daemon.replay import replay as run  # noqa: PLC0415
    from driftwatch.daemon.watch import load_watch  # noqa: PLC0415
    from driftwatch.errors import ConfigError  # noqa: PLC0415

    loaded = load(config)
    names = [spec.name for spec in loaded.models]
    if not model and len(names) > 1:
        raise ConfigError(f"{config}: has several models; choose one with --model: {', '.join(names)}")
    with naming(config):
        watch = load_watch(loaded, names.index(loaded.model(model).name if model else names[0]))
    with _lines(report) as file:
        screen = _Screen()

        def tell(line: "Report") -> None:
            screen.show(line)
            if file:
                file.write(line.line() + b"\n")

        now_ms = time.time_ns() // 1_000_000
        summary = run(watch, predictions, labels=labels or (), now_ms=now_ms, report=tell, progress=lambda _: None)
    screen.close(summary)


@contextmanager
def _lines(path: Path | None) -> Iterator[BinaryIO | None]:
    """Open the file of reports; what goes wrong with it is the operator's to mend."""
    from driftwatch.errors import DataError  # noqa: PLC0415

    if path is None:
        yield None
        return
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        if error.filename not in {None, str(path)}:
            raise
        raise DataError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}") from error


class _Screen:
    """Prints a window as it closes and remembers of it only how its alerts stand."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str, str], str] = {}
        self._width = shutil.get_terminal_size().columns
        self._begun = False

    def show(self, report: "Report") -> None:
        """One line for the window, one for each alert that moved."""
        from driftwatch.evaluation.report import rfc3339  # noqa: PLC0415

        if not self._begun:
            typer.echo(_WINDOW.format("window ends", "rows", "firing", "most changed (PSI)"))
            self._begun = True
        firing = sum(note.state == "firing" for note in report.alerts)
        whose = [f"version {_printable(report.version, 12)}"] if report.version else []
        whose += [f"revision {report.revision}"] if report.revision > 1 else []
        end = rfc3339(report.window.end_ms // 1000 * 1000)
        begin = _WINDOW.format(end, report.window.rows, firing or "", ", ".join(whose) + ": " if whose else "")
        typer.echo((begin + self._most_changed(report, self._width - len(begin))).rstrip())
        for note in report.alerts:
            key = (report.version, note.rule, note.column)
            if self._states.get(key) != note.state:
                column = _printable(note.column, 40)
                typer.echo(f"  {note.state} {note.severity}: {note.rule} of {column} ({note.reason})")
            self._states[key] = note.state
        held = {(report.version, note.rule, note.column) for note in report.alerts}
        for key in [key for key in self._states if key[0] == report.version and key not in held]:
            del self._states[key]

    def close(self, summary: "Summary") -> None:
        """What it all came to."""
        typer.echo(
            f"{summary.reports} reports; rows: {summary.accepted} accepted, {summary.late} late, "
            + (f"{summary.duplicate} duplicate, " if summary.duplicate else "")
            + _rejected(summary.rejected)
        )
        if summary.labels or summary.labels_rejected:
            typer.echo(f"labels: {summary.labels} read, {_rejected(summary.labels_rejected)}")

    def _most_changed(self, report: "Report", room: int) -> str:
        psi = [(reading.value, reading.column) for reading in report.readings if reading.statistic == "psi"]
        defined = sorted((pair for pair in psi if pair[0] >= 0), reverse=True)  # NaN is not
        shown = [f"{_printable(column, 20)} {value:.3f}" for value, column in defined[:3]]
        while len(shown) > 1 and len(", ".join(shown)) > room:
            shown.pop()
        return ", ".join(shown)


def _rejected(counts: dict[str, int]) -> str:
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
    return f"{sum(counts.values())} rejected" + (f" ({reasons})" if reasons else "")


def _printable(text: str, width: int) -> str:
    """A payload's text without control characters, cut to a width."""
    clean = "".join(character if character.isprintable() else "?" for character in text)
    return clean if len(clean) <= width else clean[: width - 1] + "…"
