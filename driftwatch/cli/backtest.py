"""`driftwatch backtest`: what a configuration would have done; see `driftwatch.backtest`."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftwatch.cli.replay import chosen_watch

if TYPE_CHECKING:
    from driftwatch.daemon.watch import Watch


class Form(StrEnum):
    """How the findings are written."""

    TEXT = "text"
    JSON = "json"


def backtest(
    *,
    config: Annotated[Path, typer.Option("--config", help="The configuration file.")],
    predictions: Annotated[
        list[str], typer.Option("--predictions", help="Files, or globs in quotes; may be given again.")
    ],
    labels: Annotated[
        list[str] | None,
        typer.Option("--labels", help="Files with labels; without any, labels in tables of predictions count."),
    ] = None,
    model: Annotated[str, typer.Option("--model", help="Which model, when the file has several.")] = "",
    form: Annotated[Form, typer.Option("--format", help="How the findings are written.")] = Form.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where they are written; standard output when left out.")
    ] = None,
    picture: Annotated[Path | None, typer.Option("--picture", help="Draw them into this SVG file, too.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Equal seeds give equal findings.")] = 0,
    repeats: Annotated[
        int | None,
        typer.Option(
            "--repeats", min=1, max=10_000, help="Trials of each change; 10, or fewer of sliding windows and segments."
        ),
    ] = None,
) -> None:
    """Replay history with and without changes: false alarms per month, power and delay."""
    from driftwatch.backtest import picture as drawn  # noqa: PLC0415 - heavy imports only where they are used
    from driftwatch.backtest.text import text  # noqa: PLC0415

    watch = chosen_watch(config, model)
    for path in filter(None, (output, picture)):
        _write(path, "", mode="a")  # that it cannot be written is better known now than after minutes
    found = _found(watch, predictions, labels or (), seed=seed, repeats=repeats)
    if picture is not None:
        _write(picture, drawn.picture(found))
    said = _json(found) if form is Form.JSON else text(found)
    if output is None:
        typer.echo(said, nl=False)
    else:
        _write(output, said)


def _found(
    watch: "Watch", predictions: Sequence[str], labels: Sequence[str], *, seed: int, repeats: int | None
) -> dict[str, Any]:
    """Run it, and show on standard error how far it is."""
    import time  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    from driftwatch.backtest.history import read_history  # noqa: PLC0415
    from driftwatch.backtest.score import findings  # noqa: PLC0415
    from driftwatch.backtest.trials import backtest as run  # noqa: PLC0415

    began, now_ms = time.monotonic(), time.time_ns() // 1_000_000
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("replaying", total=None)
        history = read_history(watch, predictions, labels=labels, now_ms=now_ms)
        test = run(
            watch,
            history,
            seed=seed,
            repeats=repeats,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    replays = 1 + len(test.resampled) + len(test.trials)
    console.print(f"{replays} replays in {time.monotonic() - began:.1f} s", highlight=False)
    return findings(test)


def _json(found: dict[str, Any]) -> str:
    import json  # noqa: PLC0415

    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, said: str, *, mode: str = "w") -> None:
    """Write a file, or more of it; what goes wrong with it is the operator's to mend."""
    from driftwatch.errors import DataError  # noqa: PLC0415

    try:
        with path.open(mode, encoding="utf-8") as file:
            file.write(said)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}") from error
