"""Columns whose values may not come twice: how many rows of a window, and version, hold one that came before in it.

That is the number of its rows with a value, less the number of distinct values: neither order nor batches matter. The
values are remembered as 64-bit hashes, pane by pane, until the last window of a pane has been reported. Beyond MOST of
them, of all columns of a model, only those whose hash is below a threshold are remembered, half as many each time; of
these every row is counted, so that the share stays what it is. Late rows change nothing once a window is reported.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from driftwatch.errors import StateError
from driftwatch.quality.pending import WindowKey
from driftwatch.quality.pile import Pile, Run
from driftwatch.statistics.reading import Reading
from driftwatch.statistics.traffic import repeated
from driftwatch.stream.batch import Hashes, Ints
from driftwatch.stream.windows import Windows

MOST = 1_000_000
"""Values that a model remembers, 8 bytes each, and 16 more for one that has come again."""

PaneKey = tuple[int, str]
_Key = tuple[int, str, int]
"""Pane, version, and the column's place."""


@dataclass(slots=True)
class Repeated:
    """All of it that must survive, beside the values. level: one in 2 ** level values is remembered of new panes.

    told: version → window end → column → rows with a value, those of them that repeat one, and the level of both.
    """

    level: int = 0
    told: dict[str, dict[int, dict[str, tuple[int, int, int]]]] = field(default_factory=dict)


class _Chunk(msgspec.Struct):
    pane: int
    version: str
    column: str
    level: int
    hashes: bytes
    counts: bytes


class Repeats:
    """Follows the unique columns of one model. most: values that may be remembered; held: those that are."""

    def __init__(self, columns: Sequence[str], windows: Windows, *, most: int = MOST) -> None:
        self.columns = tuple(columns)
        self.repeated = Repeated()
        self._windows, self._most = windows, most
        self._piles: dict[_Key, Pile] = {}
        self._unsaved: dict[int, tuple[_Key, Run] | None] = {}
        self._next = 0
        self.held = 0

    def add(self, uniques: Hashes, cells: Ints, panes: Sequence[PaneKey], *, issued: int) -> None:
        """Count rows: uniques as in `Batch`; cells: (rows,) places in `panes`, -1 for a row that does not count.

        issued: windows up to this end have been reported.
        """
        for cell, (pane, version) in enumerate(panes):
            if self._windows.ends_of(pane)[-1] <= issued:
                continue
            rows = cells == cell
            for place, hashes in enumerate(uniques):
                self._count((pane, version, place), hashes[rows & (hashes != 0)])
        while self.held > self._most:
            self._thin()

    def close(self, ends: Collection[WindowKey], due: int) -> None:
        """Windows are reported for the first time: note what they say, and forget what only they were needed for."""
        for end, version in ends:
            for place, column in enumerate(self.columns):
                piles = [self._piles.get((pane, version, place)) for pane in self._windows.panes_of(end)]
                said = self._joined([pile for pile in piles if pile is not None])
                self.repeated.told.setdefault(version, {}).setdefault(end, {})[column] = said
        for key in [key for key in self._piles if self._windows.ends_of(key[0])[-1] <= due]:
            self._drop(self._piles.pop(key).runs)
        if self.repeated.level and self.held <= self._most // 4:
            self.repeated.level -= 1

    def readings(self, key: WindowKey) -> tuple[Reading, ...]:
        """`duplicates` of each unique column, as it stood when the window was first reported."""
        end, version = key
        said = self.repeated.told.get(version, {}).get(end, {})
        return tuple(repeated(column, *said.get(column, (0, 0, 0))) for column in self.columns)

    def forget(self, before: int) -> None:
        """Panes that start before this are needed no more."""
        kept = {
            version: {end: said for end, said in ends.items() if self._windows.panes_of(end).start >= before}
            for version, ends in self.repeated.told.items()
        }
        self.repeated.told = {version: ends for version, ends in kept.items() if ends}

    def changes(self) -> dict[str, bytes | None]:
        """Chunks by name, None for those that are gone; the same until `saved`."""
        return {str(number): None if each is None else self._packed(*each) for number, each in self._unsaved.items()}

    def saved(self) -> None:
        """The changes have been written."""
        self._unsaved = {}

    def resume(self, repeated: Repeated, chunks: Mapping[str, bytes]) -> list[str]:
        """Go on from what was written; gives the names of the chunks that are needed no more.

        StateError when they cannot be read.
        """
        self.repeated = repeated
        useless = []
        for name in sorted(chunks, key=int):
            chunk = check(name, chunks[name])
            self._next = max(self._next, int(name) + 1)
            if chunk.column not in self.columns:
                useless.append(name)
                continue
            run = Run(int(name), np.frombuffer(chunk.hashes, "<u8"), np.frombuffer(chunk.counts, "<i8"))
            key = chunk.pane, chunk.version, self.columns.index(chunk.column)
            self._piles.setdefault(key, Pile(chunk.level)).adopt(run)
            self.held += run.hashes.size
        return useless

    def _count(self, key: _Key, hashes: Hashes) -> None:
        if not hashes.size:
            return
        pile = self._piles.setdefault(key, Pile(self.repeated.level))
        self._replace(key, *pile.add(hashes, first=self._next))

    def _thin(self) -> None:
        self.repeated.level += 1
        for key, pile in self._piles.items():
            self._replace(key, *pile.thin(self.repeated.level, first=self._next))

    def _replace(self, key: _Key, gone: Sequence[Run], made: Sequence[Run]) -> None:
        self._drop(gone)
        for run in made or self._piles[key].kept_open(self._next):
            self._unsaved[run.number] = key, run
            self._next = max(self._next, run.number + 1)
            self.held += run.hashes.size

    def _drop(self, runs: Sequence[Run]) -> None:
        self._unsaved |= dict.fromkeys([run.number for run in runs])
        self.held -= sum(run.hashes.size for run in runs)

    def _joined(self, piles: Sequence[Pile]) -> tuple[int, int, int]:
        """Of a window's panes together, at the level of the one that remembers least."""
        if not piles:
            return 0, 0, 0
        level = max(pile.level for pile in piles)
        found = [pile.counts(level) for pile in piles]
        distinct = found[0][0] if len(found) == 1 else np.unique(np.concatenate([hashes for hashes, _ in found]))
        rows = sum(rows for _, rows in found)
        return rows, rows - int(distinct.size), level

    def _packed(self, key: _Key, run: Run) -> bytes:
        pane, version, place = key
        level = self._piles[key].level
        hashes, counts = run.hashes.astype("<u8").tobytes(), run.counts.astype("<i8").tobytes()
        return msgspec.msgpack.encode(_Chunk(pane, version, self.columns[place], level, hashes, counts))


def check(name: str, data: bytes) -> _Chunk:
    """Read a chunk; StateError when it is none."""
    try:
        chunk = msgspec.msgpack.decode(data, type=_Chunk)
    except msgspec.DecodeError as error:
        raise StateError(f"values of unique columns, {name}, cannot be read: {error}") from error
    if not name.isdigit() or len(chunk.hashes) % 8 or len(chunk.counts) not in {0, len(chunk.hashes)}:
        raise StateError(f"values of unique columns, {name}: {len(chunk.hashes)} bytes are no whole number of them")
    return chunk
