"""Which ids are remembered when there is not room for all: by their hash alone, the same on both sides of the join.

Every pane has a level: it keeps the ids whose lowest `level` bits are all 0, a share of 2^-level. A level never falls,
it is set by the pane's first row and rises when memory is short, and what it then leaves out is dropped at once. So
at any time a pane holds exactly those of its rows that pass its level, whatever came in which order and was dropped
when: ids being hashes, this is a fair sample of each pane. Panes of different levels are a fair sample together only
where all are held to the highest level among them; whoever reads several together does so.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Hashes, Ints

HIGHEST = 64
"""At this level nothing is kept."""


def passes(ids: Hashes, levels: Ints | int) -> NDArray[np.bool_]:
    """Whether each id, (rows,), is in the sample of its level, (rows,) or one for all."""
    passed: NDArray[np.bool_] = (ids & _MASKS[levels]) == 0
    return passed


_MASKS = np.array([(1 << level) - 1 for level in range(HIGHEST + 1)], dtype=np.uint64)


class Levels:
    """The level of each pane that has been seen, and the one that all others have.

    lowest: an id that does not pass it passes nowhere. any: whether anything is left out anywhere.
    """

    def __init__(self, others: int = 0, panes: Iterable[tuple[int, int]] = ()) -> None:
        self.others = others
        self.panes = dict(panes)
        self._look()

    def _look(self) -> None:
        levels = [self.others, *self.panes.values()]
        self.lowest, self.any = min(levels), max(levels) > 0

    def of(self, pane: int) -> int:
        """The level of a pane."""
        return self.panes.get(pane, self.others)

    def rise(self) -> None:
        """The panes that keep most, those that are still to come among them, keep half of it."""
        lowest = self.lowest
        raised = min(lowest + 1, HIGHEST)
        self.panes = {pane: max(level, raised) for pane, level in self.panes.items()}
        self.others = max(self.others, raised)
        self._look()

    def forget(self, before_pane: int, rows: Iterable[tuple[int, int]], capacity: int) -> None:
        """Panes before this are gone; those to come may keep more when (pane, rows) that are held leave room for it.

        They do when all that came for the panes held, had it been kept at the new level, filled three quarters.
        """
        self.panes = {pane: level for pane, level in self.panes.items() if pane >= before_pane}
        if self.others:
            came = sum(count << self.of(pane) for pane, count in rows)
            while self.others and 4 * came <= 3 * capacity << (self.others - 1):
                self.others -= 1
        self._look()
