"""How the rows of each column spread over its groups, in the reference and in a window: what a dashboard draws."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np

from driftwatch.statistics.pair import Grid, Side
from driftwatch.summaries.layout import SLOTS, Floats, Ints, Layout

MAX_GROUPS = 12
"""Groups of one column that are shown; a metric has a series for each."""
_REST = ("other", "missing", "invalid")


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the rows of one column spread over its groups; shares in [0, 1], one for each group and side."""

    column: str
    groups: tuple[str, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """The groups of every column, named once; at most MAX_GROUPS a column, those beyond them taken together.

    starts: where each group shown begins among the grid's cells. offsets: (columns + 1,) each column's first group.
    reference: (groups,) shares of the reference.
    """

    columns: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    starts: Ints
    offsets: Ints
    reference: Floats

    @classmethod
    def of(cls, layout: Layout, side: Side) -> Self:
        """Name the groups of a reference: intervals of numbers, categories by their name, and what is neither."""
        grid = side.grid
        names: list[tuple[str, ...]] = []
        starts: list[int] = []
        rest: tuple[str, ...]
        for place, _ in enumerate(layout.names):
            first, stop = int(grid.offsets[place]), int(grid.offsets[place + 1])
            if place < grid.numeric:
                listed = _intervals(layout, grid, place, first, stop)
                rest = _REST[1:]
            else:
                shown = MAX_GROUPS - len(_REST)
                known = layout.categorical[place - grid.numeric].vocabulary[:shown]
                listed = [f'"{name}"' if name in _REST else name for name in known]
                rest = _REST
            names.append((*listed, *rest))
            starts += [*range(first, first + len(listed)), *_last(first + len(listed), stop, len(rest))]
        offsets = np.concatenate([[0], np.cumsum([len(groups) for groups in names])]).astype(np.int64)
        begins = np.array(starts, dtype=np.int64)
        return cls(layout.names, tuple(names), begins, offsets, _shares(side, begins))

    def against(self, side: Side) -> Self:
        """The same groups with the shares of another reference, over the grid of the first."""
        return replace(self, reference=_shares(side, self.starts))

    def distributions(self, side: Side) -> tuple[Distribution, ...]:
        """Every column's shares of the rows, beside the reference's."""
        reference, current = self.reference.tolist(), _shares(side, self.starts).tolist()
        spans = pairwise(self.offsets.tolist())
        return tuple(
            Distribution(column, groups, tuple(reference[first:stop]), tuple(current[first:stop]))
            for column, groups, (first, stop) in zip(self.columns, self.groups, spans, strict=True)
        )


def _shares(side: Side, starts: Ints) -> Floats:
    counts = np.add.reduceat(side.cells, starts) if starts.size else side.cells
    shares: Floats = counts / max(1, side.profile.rows)
    return shares


def _last(after: int, stop: int, count: int) -> list[int]:
    """Where the last `count` groups begin: single cells at the end, but "other" takes all that is not shown."""
    begins = list(range(stop - count, stop))
    return [after, *begins[1:]] if count == len(_REST) else begins


def _intervals(layout: Layout, grid: Grid, column: int, first: int, stop: int) -> list[str]:
    """Name a numeric column's groups by the edges between them: at most two less than MAX_GROUPS, the last open.

    Bins are closed on the right; the first edge stands just below the least value, so what it parts is "less than".
    """
    slots = (grid.starts[first : stop - 2] - column * SLOTS).tolist()[: MAX_GROUPS - 2]
    edges = layout.edges[column]
    ends = [float(np.nextafter(edges[0], np.inf) if slot == 1 else edges[slot - 1]) for slot in slots[1:]]
    least = bool(ends) and slots[1] == 1
    names = _names([f"{end:.6g}" for end in ends], least=least)
    return names if len(set(names)) == len(names) else _names([repr(end) for end in ends], least=least)


def _names(ends: list[str], *, least: bool) -> list[str]:
    if not ends:
        return ["all"]
    names = [f"{'<' if least else '≤'} {ends[0]}"]
    for place, (low, high) in enumerate(pairwise(ends)):
        names.append(high if low == high else f"{'[' if least and place == 0 else '('}{low}, {high}]")
    return [*names, f"> {ends[-1]}"]
