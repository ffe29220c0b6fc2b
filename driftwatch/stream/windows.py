"""Which pane a row belongs to, whether it comes too late, and when windows close.

Law: the same rows cut into batches anywhere give the same panes, the same late rows, and close windows after the same
rows. So the running watermark advances *inside* a batch, and a batch is cut where a window closes. Lateness is judged
against the row's own partition, closing against the least of the partitions that are not idle, so that the
interleaving of partitions changes no count.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from pydantic import model_validator

from driftwatch.spec import DurationMs, PositiveDurationMs, Spec
from driftwatch.stream.batch import Ints

NEVER = np.iinfo(np.int64).min // 4
"""Before any event; far enough from the end of int64 that durations can be added and subtracted."""

MAX_SLIDES = 10_000
"""Most windows that one row may be part of."""


class WindowSpec(Spec):
    """`window = { size, slide, lateness, idle_after, keep, max_future }` in event time, or `{ rows }` by count.

    size: length of a window; slide: distance between windows, a divisor of size (default: size, tumbling).
    lateness: how far events may be out of order before their window closes without them.
    idle_after: a partition silent for so long (wall clock) holds no window open.
    keep: how long a closed window still takes late rows, which raise its report's revision.
    max_future: an event dated further than that after its receipt is rejected.
    """

    size: PositiveDurationMs | None = None
    slide: PositiveDurationMs | None = None
    lateness: DurationMs = 60_000
    idle_after: PositiveDurationMs = 60_000
    keep: DurationMs = 86_400_000
    max_future: DurationMs = 600_000
    rows: int | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.size is None) == (self.rows is None):
            raise ValueError(
                'give either a size, such as { size = "1h" }, or a number of rows, such as { rows = 5000 }'
            )
        if self.rows is not None:
            if self.rows < 1:
                raise ValueError("rows must be at least 1")
            if self.slide is not None:
                raise ValueError("windows counted in rows do not slide: leave slide out")
        elif self.slide is not None and self.size is not None and self.size % self.slide:
            raise ValueError("size must be a whole multiple of slide")
        elif self.slide is not None and self.size is not None and self.size > self.slide * MAX_SLIDES:
            raise ValueError(f"size must be at most {MAX_SLIDES} times slide: each event counts in so many windows")
        return self

    @property
    def pane_ms(self) -> int:
        """Length of a pane, the step in which windows slide."""
        return self.slide or self.size or 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a model's stream has come: everything of it that must survive.

    greatest: partition → greatest event time seen, ms, or NEVER.
    idle: partitions that hold no window open.
    closed_ms: every window that ends at or before this has been reported.
    counted: rows that have entered windows counted in rows.
    """

    greatest: Mapping[str, int] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()
    closed_ms: int = NEVER
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """Rows [start, stop) go to `panes`; then, if `close` says so, windows that end at or before it are due.

    panes: (stop - start,) key of each row's pane, its start in ms or its ordinal when windows are counted in rows;
    meaningless where `late` is set, for such rows are counted and dropped.
    """

    start: int
    stop: int
    panes: Ints
    late: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    close: int | None


class Windows:
    """Places rows and says when windows are due. Keeps one frozen `Progress`, which it replaces."""

    def __init__(self, spec: WindowSpec, progress: Progress | None = None) -> None:
        self.spec = spec
        self.progress = progress or Progress()
        self._heard: dict[str, int] = {}
        self._expected: dict[str, int] = {}

    def place(self, times: Ints, partition: str, *, received_ms: int) -> Iterator[Step]:
        """Cut one batch's rows at each point where windows become due; times: (rows,) in ms."""
        self._heard[partition] = received_ms
        if not times.size:
            return
        if self.spec.rows is not None:
            yield from self._count(times, self.spec.rows)
        else:
            yield from self._follow(times, partition)

    def _count(self, times: Ints, rows: int) -> Iterator[Step]:
        start, total = 0, int(times.size)
        never_late = np.zeros(total, dtype=np.bool_)
        while start < total:
            counted = self.progress.counted
            stop = min(total, start + rows - counted % rows)
            panes = np.full(stop - start, counted // rows, dtype=np.int64)
            self.progress = replace(self.progress, counted=counted + stop - start)
            full = self.progress.counted % rows == 0
            yield Step(start, stop, panes, never_late[start:stop], counted // rows + 1 if full else None)
            start = stop

    def _follow(self, times: Ints, partition: str) -> Iterator[Step]:
        spec, pane = self.spec, self.spec.pane_ms
        before = self.progress
        own = np.maximum(np.maximum.accumulate(times), before.greatest.get(partition, NEVER))
        others = [
            greatest for name, greatest in before.greatest.items() if name != partition and name not in before.idle
        ]
        if self._expected:
            others.append(NEVER)
        frontier = np.minimum(own, min(others)) if others else own
        due = (frontier - spec.lateness) // pane * pane
        panes = times // pane * pane
        closed = np.maximum.accumulate(np.maximum(due, before.closed_ms))
        opening = np.concatenate([[before.closed_ms], closed[:-1]])
        # A pane that every active partition has left behind is gone; a partition that was idle finds it so.
        left_behind = np.maximum(own - spec.lateness, opening)
        late = panes + pane + spec.keep <= left_behind
        greatest = {**before.greatest, partition: int(own[-1])}
        idle = before.idle - {partition}
        cuts = (np.flatnonzero(closed > opening) + 1).tolist()
        start = 0
        for stop in [*cuts, int(times.size)]:
            if stop > start:
                close = int(closed[stop - 1]) if closed[stop - 1] > opening[stop - 1] else None
                self.progress = Progress(greatest, idle, int(closed[stop - 1]), before.counted)
                yield Step(start, stop, panes[start:stop], late[start:stop], close)
            start = stop

    @property
    def expected(self) -> frozenset[str]:
        """What is expected and holds windows open."""
        return frozenset(self._expected)

    def expect(self, families: Collection[str], *, now_ms: int) -> None:
        """Partitions are to come whose names are not known: of each family, "<family>" itself or "<family>/…".

        A family holds windows open as a partition would that has not spoken: until one of it is announced, or for
        `idle_after`. Forgotten at a restart, as how long partitions have been silent is.
        """
        self._expected |= dict.fromkeys(families, now_ms)

    def announce(self, partitions: Collection[str], *, now_ms: int) -> None:
        """Partitions that exist: one that has not spoken yet holds windows open until it idles."""
        for family in self.expected:
            if any(f"{name}/".startswith(f"{family}/") for name in partitions):
                del self._expected[family]
        new = [name for name in partitions if name not in self.progress.greatest]
        self._heard |= dict.fromkeys(new, now_ms)
        self.progress = replace(self.progress, greatest={**self.progress.greatest, **dict.fromkeys(new, NEVER)})

    def tick(self, *, now_ms: int) -> int | None:
        """Let time pass: partitions idle, and when all do, the watermark follows the wall clock.

        Returns the new point up to which windows are due, or None. Windows counted in rows never close by time.
        """
        progress, spec = self.progress, self.spec
        self._expected = {name: since for name, since in self._expected.items() if now_ms - since <= spec.idle_after}
        if spec.rows is not None or not progress.greatest:
            return None
        silent = {name: now_ms - self._heard.setdefault(name, now_ms) for name in progress.greatest}
        idle = frozenset(name for name, since in silent.items() if since > spec.idle_after)
        awake = [greatest for name, greatest in progress.greatest.items() if name not in idle]
        awake += [NEVER] * len(self._expected)
        if awake:
            frontier = min(awake)
        else:
            frontier = max(progress.greatest.values())
            if frontier > NEVER:
                frontier += min(silent.values()) - spec.idle_after
        closed = max(progress.closed_ms, (frontier - spec.lateness) // spec.pane_ms * spec.pane_ms)
        self.progress = replace(progress, idle=idle, closed_ms=closed)
        return closed if closed > progress.closed_ms else None

    @property
    def watermark_ms(self) -> int | None:
        """Event time before which rows are no longer waited for; None before the first, or when rows are counted."""
        return self.progress.closed_ms if self.spec.rows is None and self.progress.closed_ms > NEVER // 2 else None

    def finish(self) -> int:
        """The input has ended: every row's windows are due, but for those that reach beyond the last pane.

        Such a window would hold less than its size, and each row is in one that does not. Returns the point up to
        which windows are due.
        """
        if self.spec.rows is not None:
            return self.progress.counted // self.spec.rows + 1
        reached = max(self.progress.greatest.values(), default=NEVER)
        pane = self.spec.pane_ms
        closed = max(self.progress.closed_ms, reached // pane * pane + pane)
        self.progress = replace(self.progress, closed_ms=closed)
        return closed

    def forget_before(self) -> int:
        """Panes that start before this are needed by no window that can still change."""
        if self.spec.rows is not None:
            return self.progress.counted // self.spec.rows
        size = self.spec.size or 0
        return self.progress.closed_ms - self.spec.keep - size

    def ends_of(self, pane: int) -> range:
        """The keys of the windows that hold a pane: their ends."""
        if self.spec.rows is not None:
            return range(pane + 1, pane + 2)
        step = self.spec.pane_ms
        return range(pane + step, pane + (self.spec.size or 0) + 1, step)

    def ending(self, panes: Iterable[tuple[int, str]], *, after: int = NEVER, until: int) -> set[tuple[int, str]]:
        """The windows of some panes, with the name that stands beside each pane: those of an end in (after, until]."""
        return {(end, name) for pane, name in panes for end in self.ends_of(pane) if after < end <= until}

    def within(self, end: int, panes: Iterable[tuple[int, str]]) -> set[str]:
        """The names that stand beside those of the panes that are in the window with this end."""
        inside = self.panes_of(end)
        return {name for pane, name in panes if pane in inside}

    def panes_of(self, end: int) -> range:
        """The panes of the window with this end."""
        if self.spec.rows is not None:
            return range(end - 1, end)
        return range(end - (self.spec.size or 0), end, self.spec.pane_ms)
