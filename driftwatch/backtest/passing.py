"""One pass of rows through the real pipeline, and what it said when."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from driftwatch.daemon.merging import merged
from driftwatch.daemon.watch import Watch
from driftwatch.evaluation.alerts import State, Transition
from driftwatch.evaluation.outcome import Outcome
from driftwatch.evaluation.report import Report
from driftwatch.stream.batch import Batch, Labels
from driftwatch.stream.times import TIMELESS

_CUTS = 4
"""Rows are fed in quarters of a window, so that it is known to a quarter when an alert was told."""
_SOONEST = -(2**62)

WindowKey = tuple[int, int]
"""End of a window in ms, and its ordinal when windows are counted in rows, else 0."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alert that began to fire. told_ms: the greatest event time by then, labels too."""

    rule: str
    column: str
    statistic: str
    segment: str
    version: str
    window: WindowKey
    window_start_ms: int
    told_ms: int
    value: float


@dataclass(slots=True)
class Pass:
    """What a monitor said of some rows.

    windows: rows of each, of all versions together, in the order in which they were first reported.
    standing: window and column of every alert of a column that was firing in a window's report.
    """

    windows: dict[WindowKey, int] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)
    standing: set[tuple[WindowKey, str]] = field(default_factory=set)

    def add(self, outcome: Outcome, *, told_ms: int) -> None:
        """Take what one call said."""
        for report in outcome.reports:
            self._add_report(report)
        for step in outcome.transitions:
            if step.state is State.FIRING:
                self.alarms.append(_alarm(step, told_ms))

    def _add_report(self, report: Report) -> None:
        key = (report.window.end_ms, report.window.ordinal or 0)
        if not report.segment and not report.follows:
            # A report that is made again, with late rows, counts once; versions beside each other count each.
            rows = report.window.rows if report.revision == 1 else 0
            self.windows[key] = self.windows.get(key, 0) + rows
        firing = {note.column for note in report.alerts if note.state == State.FIRING and note.column}
        self.standing |= {(key, column) for column in firing}


def passed(watch: Watch, rows: Batch, labels: Labels | None, *, window_rows: int) -> Pass:
    """Send rows, and their labels as they become known, through a new monitor; window_rows: about as many a window."""
    monitor, said, latest = watch.monitor(), Pass(), _SOONEST
    received_ms = int(rows.times[-1])
    for part in _in_order(watch, rows, labels, window_rows=window_rows):
        if part.rows:
            latest = max(latest, int(part.times.max()))
        if isinstance(part, Labels):
            monitor.label(part, received_ms=received_ms)
        else:
            said.add(monitor.feed(part, received_ms=received_ms), told_ms=latest)
    said.add(monitor.finish(), told_ms=latest)
    return said


def _in_order(watch: Watch, rows: Batch, labels: Labels | None, *, window_rows: int) -> Iterable[Batch | Labels]:
    step = max(1, window_rows // _CUTS)
    parts = ((rows.between(at, min(rows.rows, at + step)), None) for at in range(0, rows.rows, step))
    if labels is None:
        return merged(parts, (), timeless=None, window=watch.spec.window)
    timed = labels.taken(labels.times != TIMELESS)
    timed = timed.taken(np.argsort(timed.times, kind="stable"))
    timeless = labels.taken(labels.times == TIMELESS)
    return merged(parts, [timed] if timed.rows else [], timeless=timeless, window=watch.spec.window)


def _alarm(step: Transition, told_ms: int) -> Alarm:
    key = (step.window_end_ms, step.window_ordinal or 0)
    return Alarm(
        step.rule, step.column, step.statistic, step.segment, step.version,
        key, step.window_start_ms, told_ms, step.value,
    )  # fmt: skip
