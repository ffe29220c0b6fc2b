"""Blocks of twice the length, and twice that, from consecutive ones of a length that is given; memory is bounded."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.block_moments import merged
from driftwatch.summaries.layout import Floats


class Ladder:
    """Sums something over blocks, overlapping by half, on each of so many levels; each is made of the one below.

    measure: sums over blocks, (..., blocks, cells) → what is summed, of a shape that does not depend on the blocks.
    """

    def __init__(self, measure: Callable[[Floats], Floats], *, levels: int) -> None:
        self._measure = measure
        self._sums: list[Floats | float] = [0.0] * levels
        self.blocks: NDArray[np.int64] = np.zeros(levels, dtype=np.int64)
        self._last: list[Floats | None] = [None] * levels
        self._seen = [0] * levels

    def add(self, counts: Floats) -> None:
        """Take the next blocks (..., blocks, cells) of half the lowest level's length, and what they make."""
        for level, last in enumerate(self._last):
            before, self._seen[level] = self._seen[level], self._seen[level] + counts.shape[-2]
            line = counts if last is None else np.concatenate([last, counts], axis=-2)
            self._last[level] = counts[..., -1:, :]
            pairs = merged(line)
            self._sums[level] = self._sums[level] + self._measure(pairs)
            self.blocks[level] += pairs.shape[-2]
            first = max(0, before - 1) % 2
            counts = pairs[..., first::2, :]
            if not counts.shape[-2]:
                return

    def sums(self, like: Floats) -> Floats:
        """(levels, ...) the sums so far; like: (...), what they are where there was no block."""
        return np.stack([like if blocks == 0 else each for each, blocks in zip(self._sums, self.blocks, strict=True)])
