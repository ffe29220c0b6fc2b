"""The plan of a backtest: the history as it is, then without its changes, then with known changes at random moments."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np

from driftwatch.backtest.history import History
from driftwatch.backtest.inject import LABELS, Facts, Injection, can_flip, facts_of, flipped, prepared
from driftwatch.backtest.own_reference import own_watch
from driftwatch.backtest.passing import Pass, passed
from driftwatch.backtest.resample import Halves, block_rows, halves
from driftwatch.backtest.shifts import SHIFTS, Kind, Shift
from driftwatch.daemon.watch import Watch
from driftwatch.errors import DataError

LEAD, WITHIN = 5, 10
"""Windows before a change, in which the monitor is at rest, and those in which the change has to be found."""
REPEATS, FEWEST_REPEATS = 10, 2
"""Trials of each change; fewer where a window costs more: it is judged as often as it slides, and in segments."""
_SEGMENTS = 5
"""So many segments cost about as much as all rows."""
MOST_CLEAN_WINDOWS = 1_000
"""No further run without a change is made once so many windows have been seen."""
_FEWEST_WINDOWS = 4

Progress = Callable[[int, int], None]
"""Told the replays done and those to do."""


@dataclass(frozen=True, slots=True)
class Size:
    """How long windows and trials are. slides: windows that begin in the time of one, 1 unless they slide.

    window_rows: in the middle one of the history's windows. rows: of a trial. lead, within: in whole windows.
    """

    window_rows: int
    windows: int
    slides: int
    lead: int
    within: int

    @property
    def rows(self) -> int:
        """Rows of a trial; the change comes somewhere in the window after the lead."""
        return (self.lead + 1 + self.within) * self.window_rows

    @property
    def block(self) -> int:
        """Rows that stay together when the history is resampled."""
        return block_rows(self.window_rows)


@dataclass(frozen=True, slots=True)
class Clean:
    """A replay without any change. first_ms, last_ms: of its rows."""

    said: Pass
    rows: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A replay with one change in it."""

    injection: Injection
    said: Pass
    first_ms: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """All that was replayed. reference_rows: what resampled rows were compared with."""

    watch: Watch
    history: History
    seed: int
    repeats: int
    size: Size
    reference_rows: int
    as_it_is: Clean
    resampled: tuple[Clean, ...]
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class _World:
    """A history without its changes: the model with a reference from one half, and the other half."""

    watch: Watch
    halves: Halves


def backtest(
    watch: Watch, history: History, *, seed: int, repeats: int | None = None, progress: Progress = lambda _, __: None
) -> Backtest:
    """Replay a history in every way; equal seeds give equal results.

    repeats: divisions of the history, and trials of each change; left out, REPEATS, and fewer where windows cost more.
    DataError when the history is too short.
    """
    generator = np.random.default_rng(seed)
    as_it_is = _as_it_is(watch, history)
    size = _size(watch, as_it_is, history)
    repeats = repeats or _repeats(watch, size)
    plan = _plan(watch, history, repeats=repeats, generator=generator)
    clean = max(1, min(repeats, 2 * MOST_CLEAN_WINDOWS // max(1, size.windows * size.slides)))
    total = 1 + clean + len(plan)
    progress(1, total)
    worlds = list(_worlds(watch, history, size, count=repeats, generator=generator))
    resampled = []
    for world in worlds[:clean]:
        resampled.append(_resampled(world, history, size, generator=generator))
        progress(1 + len(resampled), total)
    trials: list[Trial] = []
    for (shift, facts), world in zip(plan, cycle(worlds), strict=False):
        trials.append(_trial(world, history, size, shift=shift, facts=facts, generator=generator))
        progress(1 + clean + len(trials), total)
    reference_rows = int(worlds[0].halves.reference.size)
    return Backtest(watch, history, seed, repeats, size, reference_rows, as_it_is, tuple(resampled), tuple(trials))


def _repeats(watch: Watch, size: Size) -> int:
    cost = size.slides * (1 + len(watch.reference.dimensions.segment_names) / _SEGMENTS)
    return max(FEWEST_REPEATS, int(REPEATS / cost))


def _as_it_is(watch: Watch, history: History) -> Clean:
    spec, times = watch.spec.window, history.rows.times
    guess = spec.rows or max(1, history.size * (spec.size or 1) // max(1, int(times[-1] - times[0])))
    rows, labels = history.taken(np.arange(history.size), times=times)
    said = passed(watch, rows, labels, window_rows=min(guess, history.size))
    return Clean(said, history.size, int(times[0]), int(times[-1]))


def _size(watch: Watch, as_it_is: Clean, history: History) -> Size:
    """Measure the windows, and fit the trials into the history."""
    spec = watch.spec.window
    counts = [rows for rows in as_it_is.said.windows.values() if rows]
    window_rows = spec.rows or max(1, int(np.median(counts)) if counts else 1)
    slides = 1 if spec.rows else max(1, (spec.size or 1) // max(1, spec.pane_ms))
    windows = history.size // window_rows
    if windows < _FEWEST_WINDOWS:
        raise DataError(
            f"model {watch.spec.name}: the history has {history.size} rows, which are {windows} windows of "
            f"{window_rows}; a backtest needs at least {_FEWEST_WINDOWS}: give more data, or make the windows smaller"
        )
    within = min(WITHIN, max(1, (windows - 1) * 2 // 3))
    return Size(window_rows, windows, slides, lead=max(1, min(LEAD, windows - 1 - within)), within=within)


def _worlds(
    watch: Watch, history: History, size: Size, *, count: int, generator: np.random.Generator
) -> Iterator[_World]:
    for _ in range(count):
        divided = halves(history.size, block=size.block, generator=generator)
        yield _World(own_watch(watch, history, divided.reference), divided)


def _resampled(world: _World, history: History, size: Size, *, generator: np.random.Generator) -> Clean:
    """Replay the half that is not compared with, each row once, at times that stand next to each other."""
    count = sum(part.size for part in world.halves.stream)
    first = int(generator.integers(0, history.size - count + 1))
    times = history.rows.times[first : first + count]
    places, _ = world.halves.rows(count, start=0)
    rows, labels = history.taken(places, times=times, form=world.watch.output_form)
    said = passed(world.watch, rows, labels, window_rows=size.window_rows)
    return Clean(said, count, int(times[0]), int(times[-1]))


def _plan(watch: Watch, history: History, *, repeats: int, generator: np.random.Generator) -> list[tuple[Shift, Facts]]:
    """Which change comes to which column: all columns that can have it in turn, in a random order."""
    facts = facts_of(history.rows, watch.schema)
    plan: list[tuple[Shift, Facts]] = []
    for shift in SHIFTS:
        if shift.kind is Kind.FLIP:
            fitting = [LABELS] if history.labels is not None and can_flip(watch.output_form) else []
        else:
            fitting = [each for each in facts if prepared(shift, each, onset_ms=0, generator=generator) is not None]
        order: Sequence[int] = generator.permutation(len(fitting)).tolist()
        plan += [(shift, fitting[place]) for place in islice(cycle(order), repeats if fitting else 0)]
    return plan


def _trial(
    world: _World, history: History, size: Size, *, shift: Shift, facts: Facts, generator: np.random.Generator
) -> Trial:
    """Replay some windows, in one of which the change begins."""
    count = min(size.rows, history.size)
    first = int(generator.integers(0, history.size - count + 1))
    times = history.rows.times[first : first + count]
    places, again = world.halves.rows(count, start=int(generator.integers(0, len(world.halves.stream))))
    onset = min(count - 1, int((size.lead + generator.random()) * size.window_rows))
    onset_ms = int(times[onset])
    if facts is LABELS:
        injection: Injection | None = flipped(shift, onset_ms=onset_ms, generator=generator)
    else:
        injection = prepared(shift, facts, onset_ms=onset_ms, generator=generator)
    assert injection is not None, "the plan holds what can be done"
    rows, labels = history.taken(places, times=times, again=again, form=world.watch.output_form)
    if labels is None or shift.kind is not Kind.FLIP:  # labels do not answer to what happens to columns
        labels = None
    else:
        since = np.isin(labels.ids, rows.ids[rows.times >= onset_ms])
        labels = injection.labels(labels, since=since, form=world.watch.output_form)
    said = passed(world.watch, injection.rows(rows), labels, window_rows=size.window_rows)
    return Trial(injection, said, int(times[0]))
