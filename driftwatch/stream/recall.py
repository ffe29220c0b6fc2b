"""The remembered predictions of whole windows and what has become of them, always in the same order."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from driftwatch.stream.batch import Hashes, Ints
from driftwatch.stream.outputs import Answers
from driftwatch.stream.remember import Remembered
from driftwatch.stream.sampling import Levels, passes


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is remembered of one version in one window.

    window: index among those asked for. rate: the share of the window's predictions that is remembered here, by
    chance alone: 1, 1/2, 1/4 ….
    """

    window: int
    version: int
    rate: float
    answers: Answers


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Rows by version, pane and id. begins: cell → where its rows begin and end."""

    ids: Hashes
    answers: Answers
    begins: dict[int, tuple[int, int]]


def recall(memory: Remembered, levels: Levels, windows: Sequence[Collection[int]]) -> list[Recalled]:
    """All that is remembered of each window, given by its panes: by window and version, leaving out what is empty.

    Rows stand by pane, id and time, whatever order they came in: so sums over them are the same to the last bit. A
    row that several windows hold is read once.
    """
    cells = memory.cells.since(memory.before)
    panes = memory.cells.panes[cells].tolist()
    versions = memory.cells.versions[cells].tolist()
    asked = {pane for panes_of in windows for pane in panes_of}
    wanted = np.array([cell for cell, pane in zip(cells.tolist(), panes, strict=True) if pane in asked], dtype=np.int64)
    rows = _sorted(memory, wanted)
    found = []
    for window, panes_of in enumerate(windows):
        within = frozenset(panes_of)
        parts: dict[int, list[tuple[int, int]]] = {}
        level = 0
        for cell, pane, version in zip(cells.tolist(), panes, versions, strict=True):
            if pane in within:
                parts.setdefault(version, []).append(rows.begins[cell])
        level = max((levels.of(pane) for pane in within), default=0)
        for version, pieces in parts.items():
            answers = _read(rows, pieces, level if levels.any else 0)
            if answers.rows:
                found.append(Recalled(window, version, 2.0**-level, answers))
    return found


def _read(rows: _Sorted, pieces: list[tuple[int, int]], level: int) -> Answers:
    """The rows of some pieces, held to one level; where they touch, as they mostly do, without copying."""
    touching = all(one[1] == other[0] for one, other in pairwise(pieces))
    if touching:
        which: slice | Ints = slice(pieces[0][0], pieces[-1][1])
    else:
        which = np.concatenate([np.arange(start, stop) for start, stop in pieces])
    if level:
        places = np.arange(rows.ids.size)[which]
        which = places[passes(rows.ids[places], level)]
    answers = rows.answers
    return Answers(answers.outputs[which], answers.outcomes[which], answers.state[which], answers.delays_ms[which])


def _sorted(memory: Remembered, cells: Ints) -> _Sorted:
    """The rows of some cells, by the order of those and by id."""
    ring = memory.ring
    ranks = np.full(memory.cells.panes.size, -1, dtype=np.int32)
    ranks[cells] = np.arange(cells.size)
    wanted = np.zeros(ranks.size, dtype=np.bool_)
    wanted[cells] = True
    pieces, start = [], ring.first
    for codes in memory.cells_of(ring.first, ring.next):
        pieces.append(start + np.flatnonzero(wanted[codes]))
        start += codes.size
    places = np.concatenate(pieces) % ring.size
    ids = ring.ids[places]
    codes = memory.cells_at(places)
    order = _order(ranks[codes], ids, memory.times(places))
    places = places[order]
    sizes = np.bincount(ranks[codes], minlength=cells.size)
    ends = np.cumsum(sizes)
    begins = {cell: (int(end - size), int(end)) for cell, size, end in zip(cells.tolist(), sizes, ends, strict=True)}
    answers = Answers(
        memory.outputs.take(places), memory.outcomes.take(places), memory.states(places),
        np.maximum(memory.delays(places), 0),
    )  # fmt: skip
    return _Sorted(ids[order], answers, begins)


def _order(ranks: "np.ndarray[tuple[int], np.dtype[np.int32]]", ids: Hashes, times: Ints) -> Ints:
    """By rank, id and time; of equal ones the first to come is first.

    As much of all three as finds room is packed into one word with the row's index, because words sort several times
    faster than indices do; the few rows that this cannot tell apart are then sorted among themselves.
    """
    rows = ids.size
    if not rows:
        return np.zeros(0, dtype=np.int64)
    index_bits, rank_bits = np.uint64(max(rows - 1, 1).bit_length()), np.uint64(int(ranks.max()).bit_length())
    keys = ids >> rank_bits
    if rank_bits:
        keys |= ranks.astype(np.uint64) << (np.uint64(64) - rank_bits)
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
        order[places] = tied[np.lexsort((tied, times[tied], ids[tied], ranks[tied]))]
    return order
