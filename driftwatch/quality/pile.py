"""The values of one column in one pane and version: distinct hashes in sorted runs, and how often each came again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Hashes, Ints

_BITS = 64
_NO_COUNTS: Ints = np.zeros(0, dtype=np.int64)

Changed = tuple[Sequence["Run"], Sequence["Run"]]
"""Runs that are gone, and those made in their place."""


@dataclass(frozen=True)
class Run:
    """Distinct hashes, rising. number: its own, never used again. counts: how often each came again, of repeats only.

    A run is never changed: what has been written of it stays so.
    """

    number: int
    hashes: Hashes
    counts: Ints = field(default_factory=lambda: _NO_COUNTS)


class Pile:
    """Remembers one in 2 ** level values.

    No value stands in two runs of distinct ones, each of which is at least twice as long as the next. What came again
    stands apart, in one run with its counts.
    """

    def __init__(self, level: int) -> None:
        self.level = level
        self._distinct: list[Run] = []
        self._again: Run | None = None

    @property
    def runs(self) -> list[Run]:
        """All of them."""
        return [*self._distinct, *([] if self._again is None else [self._again])]

    def add(self, hashes: Hashes, *, first: int) -> Changed:
        """Count values, (rows,); first: the first number that is free for new runs."""
        values, times = np.unique(hashes[_is_low(hashes, self.level)], return_counts=True)
        known = np.zeros(values.size, dtype=np.bool_)
        for run in self._distinct if self._distinct and self._distinct[0].hashes.size else ():
            at = np.minimum(np.searchsorted(run.hashes, values), run.hashes.size - 1)
            known |= run.hashes[at] == values
        gone, made = self._lengthen(values[~known], number=first)
        again = times - ~known
        repeats = self._repeat(values[again > 0], again[again > 0], number=first + len(made))
        return [*gone, *repeats[0]], [*made, *repeats[1]]

    def thin(self, level: int, *, first: int) -> Changed:
        """Remember no more than one in 2 ** level values."""
        if level <= self.level:
            return (), ()
        self.level = level
        gone = self.runs
        self._distinct = [
            kept
            for number, run in enumerate(self._distinct, first)
            if (kept := _thinned(run, level, number)).hashes.size
        ]
        if self._again is not None:
            kept = _thinned(self._again, level, first + len(gone))
            self._again = kept if kept.hashes.size else None
        return gone, self.runs

    def kept_open(self, number: int) -> Sequence[Run]:
        """Where nothing is left an empty run: that the pile remembers few values must itself not be forgotten."""
        if self.runs:
            return ()
        self._distinct = [Run(number, np.zeros(0, dtype=np.uint64))]
        return self._distinct

    def counts(self, level: int) -> tuple[Hashes, int]:
        """The distinct hashes of one in 2 ** level values, and how many rows had them."""
        hashes = np.concatenate([np.zeros(0, dtype=np.uint64), *(run.hashes for run in self._distinct)])
        hashes = hashes[_is_low(hashes, level)]
        again = 0 if self._again is None else int(self._again.counts[_is_low(self._again.hashes, level)].sum())
        return hashes, int(hashes.size) + again

    def adopt(self, run: Run) -> None:
        """Take a run that was written, each before those made later."""
        if run.counts.size:
            self._again = run
        else:
            self._distinct.append(run)

    def _lengthen(self, hashes: Hashes, *, number: int) -> Changed:
        if not hashes.size:
            return (), ()
        gone = []
        while self._distinct and self._distinct[-1].hashes.size < 2 * hashes.size:
            gone.append(self._distinct.pop())
            hashes = np.sort(np.concatenate([gone[-1].hashes, hashes]), kind="stable")
        self._distinct.append(Run(number, hashes))
        return gone, self._distinct[-1:]

    def _repeat(self, hashes: Hashes, counts: Ints, *, number: int) -> Changed:
        if not hashes.size:
            return (), ()
        gone = [] if self._again is None else [self._again]
        if self._again is not None:
            both = np.concatenate([self._again.hashes, hashes])
            hashes, place = np.unique(both, return_inverse=True)
            total = np.zeros(hashes.size, dtype=np.int64)
            np.add.at(total, place, np.concatenate([self._again.counts, counts]))
            counts = total
        self._again = Run(number, hashes, counts.astype(np.int64))
        return gone, [self._again]


def _is_low(hashes: Hashes, level: int) -> NDArray[np.bool_]:
    """Whether hashes are among the lowest part of all that there are."""
    if not level:
        return np.ones(hashes.size, dtype=np.bool_)
    low: NDArray[np.bool_] = hashes >> np.uint64(_BITS - level) == 0
    return low


def _thinned(run: Run, level: int, number: int) -> Run:
    low = _is_low(run.hashes, level)
    return Run(number, run.hashes[low], run.counts[low] if run.counts.size else run.counts)
