"""The segments of all panes of a model: open while rows come, packed once only late rows still can."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import numpy as np

from driftwatch.errors import StateError
from driftwatch.kernels.tallying import Division, Places
from driftwatch.summaries.layout import Ints, Layout
from driftwatch.summaries.segmented import CHUNK, Segmented

PaneKey = tuple[int, str]
"""A pane's start (or ordinal) and the version."""


class SegmentPanes:
    """Of each pane and version the rows of `count` segments.

    A pane that had rows before its segments were counted, as after a change of the configuration, is never divided: its
    segments would not add up to the whole.
    """

    def __init__(self, layout: Layout, count: int) -> None:
        self.layout, self.count = layout, count
        self._open: dict[PaneKey, Segmented] = {}
        self._packed: dict[PaneKey, dict[int, bytes]] = {}
        self._changed: dict[PaneKey, set[int]] = {}

    def divide(
        self, keys: Sequence[PaneKey], cells: Ints, *, numbers: Places, times: Ints, whole: Mapping[PaneKey, object]
    ) -> Division | None:
        """Where to add rows, beside their panes; None when there is nothing to divide.

        keys: of each cell. cells, times: (rows,), -1 for a row that is not counted. numbers: (ways, rows) the segments
        of each row. whole: the panes that have rows already.
        """
        if not self.count:
            return None
        members = np.full(numbers.shape, -1, dtype=np.int32)
        states: list[Segmented | None] = []
        for cell, key in enumerate(keys):
            rows = np.flatnonzero(cells == cell)
            state = self._opened(key, begun=key in whole) if rows.size else None
            states.append(state)
            if state is not None:
                members[:, rows] = state.place(numbers[:, rows], times[rows])
        # A tally grows while rows are placed: it is asked for when all are.
        return Division(members, [None if state is None else state.tally for state in states])

    def window(self, keys: Iterable[PaneKey]) -> Segmented | None:
        """The segments of some panes together, not to be changed; None when one of them is not divided."""
        states = []
        for key in keys:
            state = self._read(key)
            if state is None:
                return None
            states.append(state)
        if len(states) == 1:
            return states[0]
        total = Segmented(self.layout, self.count)
        for state in states:
            total.absorb(state)
        return total

    def pack(self, before: int) -> None:
        """Let the panes that start before this take little room: no more rows are expected for them."""
        for key in [key for key in self._open if key[0] < before]:
            state = self._open.pop(key)
            self._note(key, state)
            self._packed[key] = {number: state.chunk(number) for number in _chunks(state)}

    def forget(self, key: PaneKey) -> None:
        """Let go of a pane."""
        state, packed = self._open.pop(key, None), self._packed.pop(key, {})
        gone = set(packed) if state is None else set(_chunks(state))
        if gone:
            self._changed.setdefault(key, set()).update(gone)

    def changes(self) -> dict[str, bytes | None]:
        """The chunks to write, by name, None for those that are gone; the same until `saved`."""
        for key, state in self._open.items():
            self._note(key, state)
        return {
            f"{start}/{number}/{version}": self._chunk((start, version), number)
            for (start, version), numbers in sorted(self._changed.items())
            for number in sorted(numbers)
        }

    def saved(self) -> None:
        """What had changed has been saved."""
        self._changed.clear()

    def resume(self, chunks: Mapping[str, bytes]) -> None:
        """Go on, as a new one, from what was written; StateError when it is damaged or a name is none of ours."""
        for name, data in chunks.items():
            start, number, version = _parsed(name)
            Segmented.from_chunks(self.layout, self.count, [data])
            self._packed.setdefault((start, version), {})[number] = data

    @property
    def size_bytes(self) -> tuple[int, int]:
        """What open and packed panes take."""
        packed = chain.from_iterable(chunks.values() for chunks in self._packed.values())
        return sum(state.size_bytes for state in self._open.values()), sum(map(len, packed))

    def _opened(self, key: PaneKey, *, begun: bool) -> Segmented | None:
        if key in self._open:
            return self._open[key]
        if key not in self._packed and begun:
            return None
        state = self._read(key) or Segmented(self.layout, self.count)
        if self._packed.pop(key, None) is None:
            # The first chunk says, even without a row, that the pane is divided.
            state.changed.add(0)
        self._open[key] = state
        return state

    def _read(self, key: PaneKey) -> Segmented | None:
        if key in self._open:
            return self._open[key]
        if key not in self._packed:
            return None
        return Segmented.from_chunks(self.layout, self.count, self._packed[key].values())

    def _note(self, key: PaneKey, state: Segmented) -> None:
        if state.changed:
            self._changed.setdefault(key, set()).update(state.changed)
            state.changed.clear()

    def _chunk(self, key: PaneKey, number: int) -> bytes | None:
        if key in self._open:
            return self._open[key].chunk(number)
        return self._packed.get(key, {}).get(number)


def _chunks(state: Segmented) -> list[int]:
    return sorted({0, *(number // CHUNK for number in state.present)})


def _parsed(name: str) -> tuple[int, int, str]:
    start, _, rest = name.partition("/")
    number, slash, version = rest.partition("/")
    if not slash or not number.isdigit():
        raise StateError(f"no chunk of segments is called {name}")
    return int(start), int(number), version
