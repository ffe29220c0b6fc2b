"""`driftwatch replay`: the pipeline over files; see `driftwatch.daemon.replay`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from driftwatch.cli.replay_screen import Screen

if TYPE_CHECKING:
    from collections.abc import Collection

    from driftwatch.config import Config
    from driftwatch.daemon.watch import Watch
    from driftwatch.evaluation.outcome import Outcome
    from driftwatch.quality.pending import WindowKey


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
    revisions: Annotated[
        bool, typer.Option("--revisions", help="Write a line whenever late rows or labels change a window, too.")
    ] = False,
) -> None:
    """Run the pipeline over files at full speed: no server, no state, no webhooks."""
    import time  # noqa: PLC0415 - heavy imports only where they are used: `--help` stays quick

    import msgspec  # noqa: PLC0415

    from driftwatch.daemon.last_word import LastWords  # noqa: PLC0415
    from driftwatch.daemon.replay import replay as run  # noqa: PLC0415

    now_ms = time.time_ns() // 1_000_000
    watch = _learnt_watch(config, model, predictions, now_ms=now_ms)
    screen = Screen(watch.importance)
    with _lines(report) as file:

        def write(document: dict[str, Any]) -> None:
            if file:
                file.write(msgspec.json.encode(document) + b"\n")

        def closed(outcome: "Outcome", changing: "Collection[WindowKey]") -> None:
            screen.show(outcome)
            words.release(changing)

        def last(document: dict[str, Any]) -> None:
            screen.tell(document)
            if not revisions:
                write(document)

        words = LastWords(last, revision=write if revisions else None)
        summary = run(
            watch, predictions, labels=labels or (), now_ms=now_ms, report=words.add, closed=closed
        )  # fmt: skip
        words.finish()
    screen.close(summary)


def chosen_watch(config: Path, model: str) -> "Watch":
    """The one model to replay; ConfigError when there is not just one, or it cannot be watched."""
    from driftwatch.config import naming  # noqa: PLC0415
    from driftwatch.daemon.watch import load_watch  # noqa: PLC0415

    loaded, position = _chosen(config, model)
    with naming(config):
        return load_watch(loaded, position)


def _learnt_watch(config: Path, model: str, predictions: list[str], *, now_ms: int) -> "Watch":
    """As `chosen_watch`; a reference that has to be learnt is, from the first part of the predictions."""
    from driftwatch.config import naming  # noqa: PLC0415
    from driftwatch.daemon.first_part import learn_first  # noqa: PLC0415

    loaded, position = _chosen(config, model)
    reference = loaded.models[position].reference
    if reference is None or not reference.learns:
        return chosen_watch(config, model)
    with naming(config):
        return learn_first(loaded, position, predictions, now_ms=now_ms)


def _chosen(config: Path, model: str) -> "tuple[Config, int]":
    """The configuration, and the place of the one model."""
    from driftwatch.config import load, naming  # noqa: PLC0415
    from driftwatch.errors import ConfigError  # noqa: PLC0415

    loaded = load(config)
    names = [spec.name for spec in loaded.models]
    if not model and len(names) > 1:
        raise ConfigError(f"{config}: has several models; choose one with --model: {', '.join(names)}")
    with naming(config):
        return loaded, names.index(loaded.model(model).name if model else names[0])


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
