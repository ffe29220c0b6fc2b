"""Small numbers for (pane, version): what a remembered row says of both, and counts of rows by what became of them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Codes, Ints

VERSIONS = 1 << 14
"""Versions of a model that can be told apart."""
STATES = 3

_NO_KEY = np.iinfo(np.int64).min


class Cells:
    """The cells that hold rows; a number is used again once no row has it.

    panes, versions, origins: (numbers,) of each cell; times of its rows are kept relative to its origin, ms.
    counts: (numbers, STATES) remembered rows. lying: (numbers,) rows that carry the number, forgotten ones included.
    """

    def __init__(self) -> None:
        self.panes = np.zeros(0, dtype=np.int64)
        self.versions = np.zeros(0, dtype=np.int64)
        self.origins = np.zeros(0, dtype=np.int64)
        self.counts = np.zeros((0, STATES), dtype=np.int64)
        self.lying = np.zeros(0, dtype=np.int64)
        self._free: list[int] = []
        self._keys = np.zeros(0, dtype=np.int64)
        self._numbers = np.zeros(0, dtype=np.int64)

    def of(self, panes: Ints, versions: Codes, times: Ints) -> Ints:
        """The cell of each row, (rows,); new ones begin."""
        keys = panes * VERSIONS + versions
        if keys.size and keys[0] == keys[-1] and (keys == keys[0]).all():
            return np.full(keys.size, self._look(keys[:1], times[:1])[0])
        return self._look(keys, times)

    def add(self, cells: Ints, states: "Ints | NDArray[np.uint8] | int", change: int) -> None:
        """So many more rows, for each of (rows,), in these states."""
        np.add.at(self.counts.reshape(-1), cells * STATES + states, change)

    def lay(self, cells: "Ints | Codes", change: int) -> None:
        """Rows carry these numbers now, or no longer; a cell of which none does is free."""
        np.add.at(self.lying, cells, change)
        if change > 0:
            return
        gone = self._numbers[self.lying[self._numbers] == 0]
        if gone.size:
            self._free += gone.tolist()
            kept = self.lying[self._numbers] > 0
            self._keys, self._numbers = self._keys[kept], self._numbers[kept]
            self.counts[gone] = 0

    def since(self, pane: int) -> Ints:
        """Numbers of the cells that do not start before this, by version and pane."""
        numbers = self._numbers[self.panes[self._numbers] >= pane]
        return numbers[np.lexsort((self.panes[numbers], self.versions[numbers]))]

    def before(self, pane: int) -> Ints:
        """Numbers of the cells that start before this."""
        return self._numbers[self.panes[self._numbers] < pane]

    def rows(self) -> Iterator[tuple[int, int]]:
        """(pane, remembered rows) of each cell."""
        return zip(self.panes[self._numbers].tolist(), self.counts[self._numbers].sum(axis=1).tolist(), strict=True)

    def _look(self, keys: Ints, times: Ints) -> Ints:
        at = np.searchsorted(self._keys, keys)
        new = np.append(self._keys, _NO_KEY)[at] != keys
        if new.any():
            self._begin(keys[new], times[new])
            at = np.searchsorted(self._keys, keys)
        return self._numbers[at]

    def _begin(self, keys: Ints, times: Ints) -> None:
        unique, first = np.unique(keys, return_index=True)
        short = unique.size - len(self._free)
        if short > 0:
            self._grow(short)
        numbers = np.array([self._free.pop() for _ in range(unique.size)], dtype=np.int64)
        self.panes[numbers], self.versions[numbers] = unique // VERSIONS, unique % VERSIONS
        self.origins[numbers] = times[first]
        keys_now = np.concatenate([self._keys, unique])
        order = np.argsort(keys_now)
        self._keys, self._numbers = keys_now[order], np.concatenate([self._numbers, numbers])[order]

    def _grow(self, more: int) -> None:
        size = self.panes.size
        more = max(more, size, 16)
        self.panes, self.versions, self.origins, self.lying = (
            np.concatenate([array, np.zeros(more, dtype=np.int64)])
            for array in (self.panes, self.versions, self.origins, self.lying)
        )
        self.counts = np.concatenate([self.counts, np.zeros((more, STATES), dtype=np.int64)])
        self._free += range(size + more - 1, size - 1, -1)
