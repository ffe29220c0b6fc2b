"""Numbered rows in a ring, found again by the hash of their id: bounded, nothing is sorted, nothing is deleted.

Rows are numbered in the order they come; row n lies at place n modulo the ring's size. Rows whose ids fall into the
same bucket are linked, from each one to the one before it. To forget the oldest rows is to move `first` forward:
whatever still points at them points to a row that is newer than the one it stands at, or older than `first`, and there
a search ends. So forgetting costs nothing, and a row costs 8 bytes of id and 6 of links.
"""

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Hashes, Ints

LOAD = 2
"""Rows to a bucket in a full ring: half the buckets save two bytes a row and cost one more step of a search."""
PORTION = 1 << 16
"""Rows are linked so many at a time, so that those of a restored memory need no large temporary arrays."""

_HALF = np.uint64(32)


class Ring:
    """Ids of the rows [first, next), at most `size` of them, and how to find them."""

    def __init__(self, size: int, first: int = 0) -> None:
        self.size = max(1, size)
        self.first = self.next = first
        self.ids = np.empty(self.size, dtype=np.uint64)
        # Both hold places + 1, 0 for none; what was never written takes no memory.
        self._newest = np.zeros(self.size // LOAD + 1, dtype=np.uint32)
        self._before = np.empty(self.size, dtype=np.uint32)

    @property
    def span(self) -> int:
        """Rows that lie in the ring."""
        return self.next - self.first

    @property
    def nbytes(self) -> int:
        """Bytes of a full ring."""
        return self.ids.nbytes + self._newest.nbytes + self._before.nbytes

    def places(self, first: int, stop: int) -> Ints:
        """Where the rows [first, stop) lie."""
        return np.arange(first, stop, dtype=np.int64) % self.size

    def pieces(self, first: int, stop: int) -> list[slice]:
        """Where the rows [first, stop) lie: one slice, or two around the ring's end."""
        start, length = first % self.size, stop - first
        if start + length <= self.size:
            return [slice(start, start + length)]
        return [slice(start, self.size), slice(0, start + length - self.size)]

    def numbers(self, places: Ints) -> Ints:
        """The numbers of rows that lie in the ring."""
        return self.next - 1 - self._ages(places)

    def append(self, ids: Hashes) -> Ints:
        """Take in rows, for which there must be room; where they lie now, (rows,)."""
        assert self.span + ids.size <= self.size
        places = self.places(self.next, self.next + ids.size)
        self.ids[places] = ids
        for start in range(0, ids.size, PORTION):
            self._link(ids[start : start + PORTION], places[start : start + PORTION])
        self.next += ids.size
        return places

    def find(self, ids: Hashes) -> tuple[Ints, Ints]:
        """All pairs (index into `ids`, place of a row with that id), by index and then by age, the oldest first."""
        marks = self._newest[self._buckets(ids)]
        queries = np.flatnonzero(marks)
        places = marks[queries].astype(np.int64) - 1
        ages = self._ages(places)
        linked = ages < self.span
        found: list[tuple[Ints, Ints]] = []
        while True:
            # Indices pick several times faster than flags do.
            on = linked.nonzero()[0]
            if not on.size:
                break
            queries, places, ages = queries[on], places[on], ages[on]
            same = (self.ids[places] == ids[queries]).nonzero()[0]
            if same.size:
                found.append((queries[same], places[same]))
            older = self._before[places].astype(np.int64) - 1
            age = self._ages(older)
            linked = (older >= 0) & (age > ages) & (age < self.span)
            places, ages = older, age
        if not found:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        # A search goes from new to old; the sort is stable.
        which = np.concatenate([pair[0] for pair in reversed(found)])
        order = np.argsort(which, kind="stable")
        return which[order], np.concatenate([pair[1] for pair in reversed(found)])[order]

    def _link(self, ids: Hashes, places: Ints) -> None:
        buckets, marks = self._buckets(ids), (places + 1).astype(np.uint32)
        before = self._newest[buckets]
        self._newest[buckets] = marks
        if (self._newest[buckets] != marks).any():  # several of these rows share a bucket: the last one is its newest
            order = np.argsort(buckets, kind="stable")
            shared = np.flatnonzero(buckets[order[1:]] == buckets[order[:-1]])
            before[order[shared + 1]] = marks[order[shared]]
        self._before[places] = before

    def _buckets(self, ids: Hashes) -> Ints:
        # The upper half of the bits: sampling goes by the lowest ones.
        return (((ids >> _HALF) * np.uint64(self._newest.size)) >> _HALF).astype(np.int64)

    def _ages(self, places: Ints) -> Ints:
        ages = (self.next - 1) % self.size - places
        ages += (ages < 0) * self.size
        return ages


def turns(ids: Hashes) -> list[NDArray[np.int64]]:
    """Indices of `ids` such that each id stands at most once in a part: its first time in the first, and so on."""
    ordered = np.sort(ids)
    if not (ordered[1:] == ordered[:-1]).any():
        return [np.arange(ids.size)]
    order = np.argsort(ids, kind="stable")
    ranks = np.arange(ids.size)
    begins = np.concatenate([[True], ids[order[1:]] != ids[order[:-1]]])
    turn = np.empty(ids.size, dtype=np.int64)
    turn[order] = ranks - np.maximum.accumulate(np.where(begins, ranks, 0))
    return np.split(np.argsort(turn, kind="stable"), np.cumsum(np.bincount(turn))[:-1])
