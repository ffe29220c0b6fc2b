"""Watches the loss of versions and of their segments, row by row, as labels come: is the model as good as it was."""

from collections.abc import Mapping

import numpy as np

from driftwatch.errors import StateError
from driftwatch.kernels.interval import Floats, Interval
from driftwatch.quality.readings import compared
from driftwatch.quality.segments import WHOLE
from driftwatch.statistics.concept import Terms, concept_readings
from driftwatch.statistics.loss_steps import advance, begin
from driftwatch.statistics.reading import Reading, Stage, Support
from driftwatch.stream.batch import Ints
from driftwatch.stream.dimensions import UNDIVIDED, Dimensions
from driftwatch.stream.join.joined import Settled
from driftwatch.stream.outputs import GROUPS
from driftwatch.summaries.codec import pack, unpack
from driftwatch.summaries.evidence_state import LossLevels

LEVELS = "levels"
MOST_VERSIONS = 64
"""Versions whose loss is watched; the one that came first is given up for one more."""
MOST_STREAMS = 8_192
"""Versions and segments together, 449 bytes each: beyond them versions are given up, then segments are not watched."""

Stream = tuple[str, str]
"""A version, and a segment of its rows."""


class LossWatch:
    """One monitor of the loss for each version and segment: each keeps the promise of its terms for itself.

    reference: number of the reference's labelled rows and the sum of their losses, which the first level of a whole
    version is made of; without any, and for segments, it is learnt from the first labels. dimensions: whose segments
    are watched.
    """

    def __init__(
        self, terms: Terms, *, reference: tuple[int, float] = (0, 0.0), dimensions: Dimensions = UNDIVIDED
    ) -> None:
        self._terms, self._reference = terms, reference
        self._offsets, self._names = dimensions.segment_offsets, (WHOLE, *dimensions.segment_names)
        self._levels = LossLevels.empty(0)
        self._streams: dict[Stream, int] = {}
        self._changed = False

    def see(self, settled: Settled, names: Mapping[int, str], losses: Floats) -> None:
        """Labels have come, in this order; names: version codes → versions.

        losses: (rows,) in [0, 1], NaN of a row that has none.
        """
        told = ~np.isnan(losses)
        settled, losses = settled.at(told), losses[told]
        numbers = self._numbers(settled)
        watched = np.flatnonzero(numbers >= 0)
        keys, which = np.unique(
            np.tile(settled.versions, len(numbers))[watched] * len(self._names) + numbers.ravel()[watched],
            return_inverse=True,
        )
        streams = [divmod(key, len(self._names)) for key in keys.tolist()]
        places = np.array([self._place((names[code], self._names[number])) for code, number in streams], dtype=np.int64)
        kept = places[which] >= 0
        rows = watched[kept] % max(1, settled.rows)
        self._levels, _ = advance(
            self._levels, places[which[kept]], losses=losses[rows], times_ms=settled.times_ms[rows], terms=self._terms
        )
        self._let_go()
        self._changed |= bool(settled.rows)

    def readings(self, version: str, segment: str = WHOLE) -> tuple[Reading, ...]:
        """By how much the loss has left the level that it began at; nothing before there is a level."""
        if (version, segment) not in self._streams:
            return ()
        cell = self._levels.taken(np.array([self._streams[version, segment]]))
        now, record = concept_readings(cell, self._terms)[0], cell.cells[0]
        changed = bool(now.changes)
        accepted = float(record["accepted_mean"]) if changed else now.level
        low = float(record["accepted_low"]) if changed else now.low
        high = float(record["accepted_high"]) if changed else now.high
        # It is worse while the present level is above all that the first one may be, and better while it is below.
        moved = Interval(*(np.asarray(now.level - bound) for bound in (accepted, high, low)))
        return (compared("loss_change", moved, Support(Stage.INTERIM)),)

    def changes(self) -> dict[str, bytes | None]:
        """What was seen, in one chunk; the same until `saved`."""
        if not self._changed:
            return {}
        versions, segments = [version for version, _ in self._streams], [segment for _, segment in self._streams]
        return {LEVELS: pack({"versions": versions, "segments": segments}, self._levels.arrays())}

    def saved(self) -> None:
        """The changes have been written."""
        self._changed = False

    def resume(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from what was written; StateError when it cannot be read."""
        if LEVELS not in chunks:
            return
        meta, arrays = unpack(chunks[LEVELS])
        versions, self._levels = list(meta["versions"]), LossLevels.from_arrays(arrays)
        # Before there were segments a version stood for itself.
        segments = meta.get("segments", [WHOLE] * len(versions))
        self._streams = {stream: place for place, stream in enumerate(zip(versions, segments, strict=False))}
        if not len(self._streams) == len(versions) == len(segments) == self._levels.size:
            raise StateError(f"levels of the loss are of {self._levels.size} streams, not {len(versions)}")

    def _numbers(self, settled: Settled) -> Ints:
        """(1 + segment dimensions, rows) what each row belongs to: everything, 0, and 1 + its segments; -1 for none."""
        numbers = np.zeros((self._offsets.size, settled.rows), dtype=np.int64)
        if self._offsets.size > 1:
            members = settled.outputs[GROUPS].T[: self._offsets.size - 1].astype(np.int64)
            numbers[1:] = np.where(members < 0, -1, 1 + self._offsets[:-1, None] + members)
        return numbers

    def _place(self, stream: Stream) -> int:
        """Where a stream's level stands; -1 where there is no room for it."""
        if stream not in self._streams:
            version, segment = stream
            if segment != WHOLE and len(self._streams) >= MOST_STREAMS and {version} == self._versions:
                return -1
            rows, total = self._reference if segment == WHOLE else (0, 0.0)
            self._streams[stream] = len(self._streams)
            self._levels = self._levels.extended(begin(np.array([rows]), np.array([total]), terms=self._terms))
        return self._streams[stream]

    @property
    def _versions(self) -> set[str]:
        return {version for version, _ in self._streams}

    def _let_go(self) -> None:
        """Of the versions that came first, while there are too many."""
        versions = list(dict.fromkeys(version for version, _ in self._streams))
        while len(versions) > MOST_VERSIONS or (len(self._streams) > MOST_STREAMS and len(versions) > 1):
            gone = versions.pop(0)
            kept = [place for (version, _), place in self._streams.items() if version != gone]
            streams = [stream for stream in self._streams if stream[0] != gone]
            self._levels = self._levels.taken(np.array(kept, dtype=np.int64))
            self._streams = {stream: place for place, stream in enumerate(streams)}
