"""What the board is told: after each step of the engine, and at the start of what a checkpoint brought back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product

import structlog

from driftwatch.errors import StateError
from driftwatch.evaluation.outcome import Outcome
from driftwatch.evaluation.recollect import recollected
from driftwatch.evaluation.report import Report
from driftwatch.monitor import Monitor
from driftwatch.ports.answers import History, Query
from driftwatch.quality.control_alerts import standing
from driftwatch.sinks.board import Board, Cell
from driftwatch.statistics.distribution import Distribution
from driftwatch.stream.raw import Stream

_REPORTS = 10
"""Reports of a version that are asked for the last values of each stage: windows may come without any label."""
_SEGMENTS = 100
"""So many segments are asked for, of each version."""
_NAME = 100
"""A key's name is told to so many characters: it is whatever a producer sends."""

_log = structlog.get_logger()


def show(board: Board, outcome: Outcome, monitors: Iterable[Monitor]) -> None:
    """Show what one step brought; nothing is published when the board would not change."""
    monitors = list(monitors)
    watermarks = _watermarks(monitors)
    show_versions(board, monitors)
    if outcome.reports or outcome.transitions or watermarks != board.picture.watermarks:
        board.publish(
            reports=outcome.reports,
            transitions=outcome.transitions,
            watermarks=watermarks,
            distributions=_distributions(outcome.reports),
        )


def show_versions(board: Board, monitors: Iterable[Monitor]) -> None:
    """Show which versions have been seen, and since when; most steps bring none."""
    shown = board.picture.versions
    known = {monitor.model: monitor.memory.versions.first_ms for monitor in monitors}
    changed = {model: dict(first_ms) for model, first_ms in known.items() if shown.get(model, {}) != first_ms}
    if changed:
        board.know(changed)


def tell_appeared(
    known: Mapping[str, tuple[str, ...]], appeared: Mapping[str, Sequence[str]], *, stream: Stream
) -> Mapping[str, tuple[str, ...]]:
    """Tell in the log which keys of events appear that no column, or other field, reads; gives all of them so far.

    A column that a producer adds is not watched before the reference is built again. known, appeared: by model.
    """
    every = dict(known)
    for model, names in appeared.items():
        short = tuple(name[:_NAME] for name in names)
        every[model] = (*every.get(model, ()), *short)
        _log.warning("keys_appeared", model=model, stream=stream.value, keys=short, why="no column or field reads them")
    return every


def show_labels(board: Board, monitors: Iterable[Monitor]) -> None:
    """Show what has become of labels so far, and how golden sets stand; a set that moves is told in the log."""
    monitors, before = list(monitors), board.picture.controls
    sets = {each.model: each.memory.controls for each in monitors if each.memory.controls is not None}
    controls = {model: each.standings for model, each in sets.items() if each.names}
    board.publish(
        labels={monitor.model: monitor.quality.standing for monitor in monitors if monitor.quality is not None},
        controls=controls,
    )
    for model, some in sets.items():
        for name in some.newly_unknown():
            _log.warning("control_unknown", model=model, control=name, why="it is not in the model's `control`")
    for model, standings in controls.items():
        known = {(each.name, each.version): each.changed for each in before.get(model, ())}
        for each in standings:
            if each.changed > known.get((each.name, each.version), 0):
                _log.warning("control_changed", model=model, control=each.name, version=each.version,
                             answers=each.answers, changed=each.changed, ids=each.ids)  # fmt: skip


def refill(board: Board, monitors: Iterable[Monitor]) -> None:
    """Show the windows and alerts that stood when the state was saved, so that a restart leaves no hole."""
    monitors = list(monitors)
    recalled = [shown for monitor in monitors for shown in monitor.recall()]
    reports = [report for report, _ in recalled]
    board.publish(reports=reports, watermarks=_watermarks(monitors), distributions=_distributions(reports))
    show_versions(board, monitors)
    show_labels(board, monitors)
    golden = [
        step
        for monitor in monitors
        if monitor.memory.controls is not None
        for step in standing(monitor.memory.controls, monitor.memory.alerts, model=monitor.model)
    ]
    board.restore(reports=(), alerts=[*(step for _, steps in recalled for step in steps), *golden])


def remind(board: Board, monitors: Iterable[Monitor], history: History) -> None:
    """Show the performance that was last reported of each version: most of those windows are in no memory any more.

    To be called after `refill`, whose values rest on what has been learnt since. What cannot be read is left out.
    """
    for monitor in monitors:
        versions = monitor.memory.versions.known if monitor.quality is not None else []
        for version, segment in product(versions, ("", *monitor.dimensions.segment_names[:_SEGMENTS])):
            newest = Query(model=monitor.model, version=version, segment=segment, limit=_REPORTS)
            ended = replace(newest, until_ms=_first_open_ms(monitor, version))
            try:
                pages = [history.reports(query).items for query in (newest, ended)]
            except StateError as error:
                _log.warning("performance_unknown", model=monitor.model, version=version, error=str(error))
                continue
            board.publish(reports=[recollected(document) for page in pages for document in page])


def _first_open_ms(monitor: Monitor, version: str) -> int | None:
    """Where the first window begins that still waits for labels; those before it are final."""
    assert monitor.quality is not None
    pending = monitor.quality.known.windows.items()
    starts = [each.window.start_ms for (_, name), each in pending if name == version and not each.final]
    return min(starts, default=None)


def _watermarks(monitors: Iterable[Monitor]) -> dict[str, int]:
    marks = {monitor.model: monitor.windows.watermark_ms for monitor in monitors}
    return {model: mark for model, mark in marks.items() if mark is not None}


def _distributions(reports: Iterable[Report]) -> Mapping[Cell, tuple[Distribution, ...]]:
    """The distributions of each cell's latest report, which is the one that the board shows."""
    ordered = sorted(reports, key=lambda report: (report.window.end_ms, report.revision))
    return {(report.model, report.version, report.segment): report.distributions for report in ordered}
