"""History with the time taken out of it: rows in another order, in which no real change remains.

Blocks of consecutive rows are dealt out so that every stretch as long as a window holds blocks of all ages: the history
is cut into STRATA parts of time, and each round takes one block of each part, every block once. What changed in the
course of the history is then in every window to the same extent, while rows that stand next to each other stay
together. It is the block bootstrap (Künsch 1989) without replacement and stratified by time; dependence over more rows
than a block has is broken up, so that a stream with long waves alarms more often than is measured here.
"""

from dataclasses import dataclass

import numpy as np

from driftwatch.stream.batch import Ints

STRATA = 10
"""Parts of time of which every window holds rows; a block is a tenth of a window."""


@dataclass(frozen=True, slots=True)
class Halves:
    """One way to divide a history: what is compared with, and what is replayed; places of rows, in their new order."""

    reference: Ints
    stream: tuple[Ints, ...]

    def rows(self, count: int, *, start: int) -> tuple[Ints, Ints]:
        """Places of so many rows of the stream from one of its rounds on, and how often each was taken before."""
        rounds = self.stream[start:] + self.stream[:start]
        once = np.concatenate(rounds)
        times = -(-count // once.size)
        again = np.repeat(np.arange(times, dtype=np.int64), once.size)
        return np.tile(once, times)[:count], again[:count]


def block_rows(window_rows: int) -> int:
    """Rows of a block."""
    return max(1, window_rows // STRATA)


def dealt(rows: int, *, block: int, generator: np.random.Generator) -> list[Ints]:
    """Rounds of places, together a permutation of 0 … rows - 1; each round has at most a block of each part."""
    strata = np.array_split(np.arange(-(-rows // block)), STRATA)
    shuffled = [generator.permutation(blocks) for blocks in strata]
    rounds = []
    for number in range(max(map(len, shuffled))):
        chosen = [blocks[number] for blocks in shuffled if number < len(blocks)]
        order = generator.permutation(np.array(chosen))
        rounds.append(np.concatenate([np.arange(at * block, min(rows, (at + 1) * block)) for at in order]))
    return rounds


def halves(rows: int, *, block: int, generator: np.random.Generator) -> Halves:
    """Divide a history of two windows at least at random: half of the rounds to compare with, the others to replay."""
    rounds = dealt(rows, block=block, generator=generator)
    order = generator.permutation(len(rounds))
    middle = len(rounds) // 2
    reference = np.concatenate([rounds[at] for at in order[:middle]])
    return Halves(reference, tuple(rounds[at] for at in order[middle:]))
