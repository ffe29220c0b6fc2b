"""`driftwatch replay`: the pipeline over files."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from driftwatch.daemon.replay import Summary
    from driftwatch.evaluation.report import Report


def replay(
    config: Annotated[Path, typer.Option("--config", help="The configuration file.")],
    predictions: Annotated[list[str], typer.Option("--predictions", help="Files or globs; may be given again.")],
    labels: Annotated[list[str] | None, typer.Option("--labels", help="Files of labels.")] = None,
    model: Annotated[str, typer.Option("--model", help="Which model, when the file has several.")] = "",
    report: Annotated[Path | None, typer.Option("--report", help="Write one JSON line per closed window.")] = None,
) -> None:
    """Run the pipeline over files at full speed: no server, no state, no webhooks."""
    import time  # noqa: PLC0415 - heavy imports only where they are used: `--help` stays quick

    from driftwatch.config import load  # noqa: PLC0415
    from driftwatch.daemon.replay import replay as run  # noqa: PLC0415
    from driftwatch.daemon.watch import load_watch  # noqa: PLC0415
    from driftwatch.errors import ConfigError  # noqa: PLC0415

    loaded = load(config)
    names = [spec.name for spec in loaded.models]
    if not model and len(names) > 1:
        raise ConfigError(f"{config}: has several models; choose one with --model: {', '.join(names)}")
    chosen = loaded.model(model) if model else loaded.models[0]
    watch = load_watch(loaded, names.index(chosen.name))
    if labels:
        print("driftwatch: labels are not joined by this release; --labels has no effect", file=sys.stderr)
    shown: list[Report] = []
    file = report.open("wb") if report else None
    try:

        def tell(line: "Report") -> None:
            shown.append(line)
            if file:
                file.write(line.line() + b"\n")

        summary = run(watch, predictions, now_ms=time.time_ns() // 1_000_000, report=tell, progress=lambda _: None)
    finally:
        if file:
            file.close()
    _print(shown, summary)


def _print(reports: "list[Report]", summary: "Summary") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from driftwatch.evaluation.report import rfc3339  # noqa: PLC0415

    console = Console()
    table = Table("window", "version", "rows", "revision", "most changed (PSI)", "alerts")
    for report in reports:
        psi = sorted(
            ((reading.value, reading.column) for reading in report.readings if reading.statistic == "psi"), reverse=True
        )
        table.add_row(
            f"{rfc3339(report.window.start_ms)} to {rfc3339(report.window.end_ms)}",
            report.version,
            str(report.window.rows),
            str(report.revision),
            ", ".join(f"{column} {value:.3f}" for value, column in psi[:3] if value == value),  # noqa: PLR0124 - leaves out NaN
            ", ".join(f"{note.rule}: {note.column} {note.state}" for note in report.alerts) or "-",
        )
    console.print(table)
    rejected = sum(summary.rejected.values())
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(summary.rejected.items()))
    console.print(
        f"{summary.reports} reports; rows: {summary.accepted} accepted, {summary.late} late, {rejected} rejected"
        + (f" ({reasons})" if reasons else ""),
        highlight=False,
    )
