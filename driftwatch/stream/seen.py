"""Which events have been seen before: a bounded memory of 64-bit hashes, first in, first out.

Law: what is called a duplicate depends on the order of the rows alone, never on how they were cut into batches. So a
generation ends after an exact number of hashes, and the first of equals is the new one.

An event is lost as a duplicate of another one by collision with probability `capacity` / 2^64: 5e-14 at a million.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.hashing import hash_texts
from driftwatch.stream.batch import Batch, Hashes

GENERATIONS = 8
"""The memory forgets an eighth at a time: cheap, and the newest seven eighths are always known."""
CHUNK = 4_096
"""Hashes are stored in chunks of so many, in the order in which they came; only the last one is ever written again."""

_HALF = np.uint64(32)


def event_hashes(batch: Batch) -> Hashes:
    """The hash of each row's id and version, (rows,); 0 where it has no id.

    The version is in it because a canary scores the same event as the version beside it, and both count.
    """
    versions = hash_texts(list(batch.version_names))[batch.versions]
    return np.where(batch.ids == 0, batch.ids, batch.ids ^ versions)


class _Generation:
    """Hashes in sorted runs, each at least twice as long as the next, behind a Bloom filter of 16 bits a hash.

    The filter asks two bits; about one new hash in seventy finds both set and has to be searched for.
    """

    def __init__(self, length: int) -> None:
        self.runs: list[Hashes] = []
        self.size = 0
        self._bits = np.zeros(1 << (2 * length - 1).bit_length(), dtype=np.uint8)

    def add(self, hashes: Hashes) -> None:
        run = np.sort(hashes)
        for half in (run, run >> _HALF):
            np.bitwise_or.at(self._bits, *self._place(half))
        while self.runs and self.runs[-1].size < 2 * run.size:
            run = np.sort(np.concatenate([self.runs.pop(), run]), kind="stable")
        self.runs.append(run)
        self.size += hashes.size

    def knows(self, hashes: Hashes) -> NDArray[np.bool_]:
        known = np.zeros(hashes.size, dtype=np.bool_)
        likely = np.flatnonzero(self._has(hashes))
        likely = likely[self._has(hashes[likely] >> _HALF)]
        for run in self.runs:
            at = np.minimum(np.searchsorted(run, hashes[likely]), run.size - 1)
            known[likely] |= run[at] == hashes[likely]
        return known

    def _has(self, hashes: Hashes) -> NDArray[np.bool_]:
        place, bit = self._place(hashes)
        found: NDArray[np.bool_] = np.not_equal(self._bits[place] & bit, 0)
        return found

    def _place(self, hashes: Hashes) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        place = ((hashes >> np.uint64(3)) & np.uint64(self._bits.size - 1)).astype(np.int64)
        return place, np.left_shift(np.uint8(1), (hashes & np.uint64(7)).astype(np.uint8))


class Seen:
    """Remembers the last `capacity` hashes or a little less, at least 8 chunks; with capacity 0 nothing at all.

    forgotten: how many hashes have been forgotten since the beginning; total: how many were ever remembered.
    """

    def __init__(self, capacity: int) -> None:
        self._length = max(CHUNK, capacity // GENERATIONS // CHUNK * CHUNK) if capacity else 0
        self._generations = [_Generation(self._length)]
        self._unsaved: dict[int, Hashes] = {}
        self._tail = np.zeros(0, dtype=np.uint64)
        self._dropped_chunks = self._tail_saved = 0
        self.forgotten = self.total = 0

    def new(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Whether each hash, (rows,), comes for the first time; those that do are remembered.

        0 stands for "has no id" and is always new.
        """
        if not self._length:
            return np.ones(hashes.size, dtype=np.bool_)
        new = np.zeros(hashes.size, dtype=np.bool_)
        start = 0
        while start < hashes.size:
            rest = hashes[start:]
            fresh = self._first_times(rest)
            # Forgetting changes what is known: look again behind the hash that fills the generation.
            room = self._length - self._generations[-1].size
            stop = rest.size if fresh.size < room else int(fresh[room - 1]) + 1
            fresh = fresh[:room]
            new[start + fresh] = True
            self._remember(rest[fresh])
            start += stop
        new[hashes == 0] = True
        return new

    def changes(self) -> dict[int, Hashes | None]:
        """What a checkpoint writes: chunks by number, None for those that are forgotten; the same until `saved`."""
        gone: dict[int, Hashes | None] = dict.fromkeys(range(self._dropped_chunks, self.forgotten // CHUNK))
        return gone | self._unsaved | ({self.total // CHUNK: self._tail} if self._tail.size > self._tail_saved else {})

    def saved(self) -> None:
        """The changes have been written."""
        self._unsaved = {}
        self._dropped_chunks = self.forgotten // CHUNK
        self._tail_saved = self._tail.size

    def resume(self, chunks: Mapping[int, Hashes]) -> None:
        """Go on, in a new memory, from the chunks that were written."""
        if not chunks or not self._length:
            return
        self._dropped_chunks = min(chunks)
        self.forgotten = self.total = min(chunks) * CHUNK
        for number in sorted(chunks):
            self._remember(chunks[number])
        # A smaller capacity than before forgets on the way: those chunks are still to be dropped.
        self._unsaved, self._tail_saved = {}, self._tail.size

    def _first_times(self, hashes: Hashes) -> NDArray[np.intp]:
        """Places of the hashes that are neither known nor stand before, in order."""
        places = np.arange(hashes.size)
        ordered = np.sort(hashes)
        if (ordered[1:] == ordered[:-1]).any():
            places = np.sort(np.unique(hashes, return_index=True)[1])
        known = hashes[places] == 0
        for generation in self._generations:
            known |= generation.knows(hashes[places])
        return np.compress(~known, places)

    def _remember(self, hashes: Hashes) -> None:
        while hashes.size:
            generation = self._generations[-1]
            some, hashes = np.split(hashes, [self._length - generation.size])
            generation.add(some)
            self._append(some)
            if generation.size == self._length:
                self._turn()

    def _append(self, hashes: Hashes) -> None:
        number = self.total // CHUNK
        tail = np.concatenate([self._tail, hashes])
        self.total += hashes.size
        whole = tail.size // CHUNK
        for place in range(whole):
            self._unsaved[number + place] = tail[place * CHUNK : (place + 1) * CHUNK].copy()
        self._tail = tail[whole * CHUNK :].copy()
        self._tail_saved = 0 if whole else self._tail_saved

    def _turn(self) -> None:
        """Begin a generation, and forget the oldest when there are too many."""
        self._generations.append(_Generation(self._length))
        if len(self._generations) > GENERATIONS:
            self.forgotten += self._generations.pop(0).size
            gone = self.forgotten // CHUNK
            self._unsaved = {number: chunk for number, chunk in self._unsaved.items() if number >= gone}
