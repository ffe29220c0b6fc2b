"""The remembered predictions of whole windows and what has become of them, always in the same order."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Codes, Hashes, Ints
from driftwatch.stream.join.remember import Remembered
from driftwatch.stream.join.sampling import Levels, passes
from driftwatch.stream.outputs import Answers


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is remembered of one version in one window.

    window: index among those asked for. rate: the share of the window's predictions that is remembered here, by
    chance alone: 1, 1/2, 1/4 …. times: (rows,) event times of the predictions, ms.
    """

    window: int
    version: int
    rate: float
    answers: Answers
    times: Ints

    def at(self, which: "Ints | NDArray[np.bool_]") -> Self:
        """Some of its rows."""
        return replace(self, answers=self.answers.at(which), times=self.times[which])


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Rows by version, pane and id. begins: cell → where its rows begin and end."""

    ids: Hashes
    answers: Answers
    times: Ints
    begins: dict[int, tuple[int, int]]


def recall(memory: Remembered, levels: Levels, windows: Sequence[Collection[int]]) -> list[Recalled]:
    """All that is remembered of each window, given by its panes: by window and version, leaving out what is empty.

    Rows stand by pane, id and time, whatever order they came in: so sums over them are the same to the last bit. A
    row that several windows hold is read once.
    """
    cells = memory.cells.since(memory.before)
    held: dict[int, list[tuple[int, int]]] = {}
    for cell, pane, version in zip(
        cells.tolist(), memory.cells.panes[cells].tolist(), memory.cells.versions[cells].tolist(), strict=True
    ):
        held.setdefault(pane, []).append((version, cell))
    asked = {pane for panes in windows for pane in panes if pane in held}
    wanted = np.isin(memory.cells.panes[cells], list(asked))
    rows = _sorted(memory, cells[wanted])
    found = []
    for window, panes in enumerate(windows):
        parts: dict[int, list[tuple[int, int]]] = {}
        for pane in sorted(set(panes) & asked):
            for version, cell in held[pane]:
                parts.setdefault(version, []).append(rows.begins[cell])
        level = max((levels.of(pane) for pane in panes), default=0)
        for version in sorted(parts):
            answers, times = _read(rows, parts[version], level)
            if answers.rows:
                found.append(Recalled(window, version, 2.0**-level, answers, times))
    return found


def _read(rows: _Sorted, pieces: list[tuple[int, int]], level: int) -> tuple[Answers, Ints]:
    """The rows of some pieces, held to one level; where they touch, as they mostly do, without copying."""
    touching = all(one[1] == other[0] for one, other in pairwise(pieces))
    if touching:
        which: slice | Ints = slice(pieces[0][0], pieces[-1][1])
    else:
        which = np.concatenate([np.arange(start, stop) for start, stop in pieces])
    if level:
        places = np.arange(rows.ids.size)[which]
        which = places[passes(rows.ids[places], level)]
    return rows.answers.at(which), rows.times[which]


def _sorted(memory: Remembered, cells: Ints) -> _Sorted:
    """The rows of some cells, by the order of those and by id."""
    ring = memory.ring
    ranks = np.full(memory.cells.panes.size, -1, dtype=np.int32)
    ranks[cells] = np.arange(cells.size)
    wanted = np.zeros(ranks.size, dtype=np.bool_)
    wanted[cells] = True
    pieces = ring.pieces(ring.first, ring.next)
    places = np.concatenate([piece.start + np.flatnonzero(wanted[memory.cells_at(piece)]) for piece in pieces])
    ids, ranks = ring.ids[places], ranks[memory.cells_at(places)]
    order = _order(ranks, ids, lambda rows: memory.times(places[rows]))
    places_now = places[order]
    sizes = np.bincount(ranks, minlength=cells.size)
    ends = np.cumsum(sizes)
    begins = {cell: (int(end - size), int(end)) for cell, size, end in zip(cells.tolist(), sizes, ends, strict=True)}
    answers = Answers(
        memory.outputs.take(places_now), memory.outcomes.take(places_now), memory.states(places_now),
        np.maximum(memory.delays(places_now), 0),
    )  # fmt: skip
    return _Sorted(ids[order], answers, memory.times(places_now), begins)


def _order(ranks: Codes, ids: Hashes, times: Callable[[Ints], Ints]) -> Ints:
    """By rank, id and time, which `times` tells of rows; of equal ones the first to come is first.

    As much of all three as finds room is packed into one word with the row's index, because words sort several times
    faster than indices do; the few rows that this cannot tell apart are then sorted among themselves.
    """
    rows = ids.size
    if not rows:
        return np.zeros(0, dtype=np.int64)
    index_bits, rank_bits = np.uint64(max(rows - 1, 1).bit_length()), np.uint64(int(ranks.max()).bit_length())
    keys = ids >> rank_bits
    if rank_bits:
        leading = ranks.astype(np.uint64)
        leading <<= np.uint64(64) - rank_bits
        keys |= leading
    low = (np.uint64(1) << index_bits) - np.uint64(1)
    keys &= ~low
    keys |= np.arange(rows, dtype=np.uint64)
    keys.sort()
    order = (keys & low).astype(np.int64)
    keys >>= index_bits
    ties = np.flatnonzero(keys[1:] == keys[:-1])
    if ties.size:
        places = np.union1d(ties, ties + 1)
        tied = order[places]
        order[places] = tied[np.lexsort((tied, times(tied), ids[tied], ranks[tied]))]
    return order
