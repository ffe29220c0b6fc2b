"""Predictions and labels of files in one order of time, as a live stream would have brought them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from driftwatch.stream.batch import Batch, Ints, Labels
from driftwatch.stream.times import TIMELESS
from driftwatch.stream.windows import WindowSpec

Item = tuple[Batch, Labels | None]
"""Predictions, and the labels that their own table holds."""

_PARTS = 10
"""Labels come after every tenth of a counted window: it has no times at which it must know them."""


class Beat:
    """Cuts batches where a window may close, so that each label can come between the right predictions."""

    def __init__(self, window: WindowSpec) -> None:
        self._step_ms = window.slide or window.size
        self._rows = max(1, (window.rows or 0) // _PARTS)
        self._latest = np.iinfo(np.int64).min

    def pieces(self, batch: Batch) -> Iterator[tuple[Batch, int]]:
        """The pieces in order, and the time up to which labels are known before each."""
        clock = np.maximum(np.maximum.accumulate(batch.times), self._latest)
        self._latest = clock[-1]
        begins = clock if self._step_ms is None else clock // self._step_ms * self._step_ms
        ends = [*self._cuts(begins), batch.rows]
        for start, stop in zip([0, *ends], ends, strict=False):
            yield batch.between(start, stop), int(begins[start])

    def _cuts(self, begins: Ints) -> list[int]:
        if self._step_ms is None:
            return list(range(self._rows, begins.size, self._rows))
        cuts: list[int] = (np.flatnonzero(np.diff(begins)) + 1).tolist()
        return cuts


class ByTime:
    """Labels in rising order of time, read as they are needed."""

    def __init__(self, parts: Iterable[Labels]) -> None:
        self._parts = iter(parts)
        self._held: Labels | None = None

    @property
    def ended(self) -> bool:
        """Whether all have been given."""
        return self._next() is None

    def before(self, time_ms: int) -> Iterator[Labels]:
        """All that became known before this time and have not been given yet."""
        while (labels := self._next()) is not None:
            count = int(np.searchsorted(labels.times, time_ms))
            self._held = labels.taken(slice(count, None))
            if count:
                yield labels.taken(slice(count))
            if self._held.rows:
                return

    def rest(self) -> Iterator[Labels]:
        """All others."""
        while (labels := self._next()) is not None:
            self._held = None
            yield labels

    def _next(self) -> Labels | None:
        if self._held is None or not self._held.rows:
            self._held = next(self._parts, None)
        return self._held


class ByPrediction:
    """Labels without a time of their own: each comes with the predictions of its id, at their time."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels.taken(np.argsort(labels.ids, kind="stable"))
        self._met = np.zeros(labels.rows, dtype=np.bool_)

    def of(self, batch: Batch) -> Iterator[Labels]:
        """The labels of these predictions, in the predictions' order."""
        first = np.searchsorted(self._labels.ids, batch.ids)
        counts = np.searchsorted(self._labels.ids, batch.ids, side="right") - first
        if not counts.any():
            return
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat(first, counts) + within
        self._met[places] = True
        yield replace(self._labels.taken(places), times=np.repeat(batch.times, counts))

    def rest(self, time_ms: int) -> Iterator[Labels]:
        """Those whose prediction never came, as if they became known at this time."""
        if not self._met.all():
            left = self._labels.taken(~self._met)
            yield replace(left, times=np.full(left.rows, time_ms, dtype=np.int64))


def merged(
    predictions: Iterable[Item], labels: Iterable[Labels], *, timeless: Labels | None, window: WindowSpec
) -> Iterator[Batch | Labels]:
    """Predictions in their own order, and each label before the first prediction of a later beat of the windows.

    labels: in rising order of time; timeless: those that have none. Time is that of the latest prediction so far.
    """
    timed, beat, latest = ByTime(labels), Beat(window), TIMELESS + 1
    pool = ByPrediction(timeless) if timeless is not None and timeless.rows else None
    for batch, own in predictions:
        if own is None and pool is None and timed.ended:
            yield batch
            continue
        pools = [each for each in (pool, ByPrediction(own) if own is not None and own.rows else None) if each]
        for piece, known_ms in beat.pieces(batch) if batch.rows else ():
            yield from timed.before(known_ms)
            yield piece
            for each in pools:
                yield from each.of(piece)
        latest = max(latest, int(batch.times.max(initial=latest)))
    yield from timed.rest()
    if pool is not None:
        yield from pool.rest(latest)
