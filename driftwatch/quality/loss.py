"""Watches each version's loss row by row, as labels come: whether the model is still as good as it was."""

from collections.abc import Mapping

import numpy as np

from driftwatch.errors import StateError
from driftwatch.kernels.interval import Floats, Interval
from driftwatch.quality.readings import compared
from driftwatch.statistics.concept import Terms, concept_readings
from driftwatch.statistics.loss_steps import advance, begin
from driftwatch.statistics.reading import Reading, Stage, Support
from driftwatch.stream.join.joined import Settled
from driftwatch.summaries.codec import pack, unpack
from driftwatch.summaries.evidence_state import LossLevels

LEVELS = "levels"
MOST_VERSIONS = 64
"""Versions whose loss is watched; the one that came first is given up for one more."""


class LossWatch:
    """One monitor of the loss for each version.

    reference: number of the reference's labelled rows and the sum of their losses, which the first level is made of;
    without any it is learnt from a version's first labels.
    """

    def __init__(self, terms: Terms, *, reference: tuple[int, float] = (0, 0.0)) -> None:
        self._terms, self._reference = terms, reference
        self._levels = LossLevels.empty(0)
        self._versions: list[str] = []
        self._changed = False

    def see(self, settled: Settled, names: Mapping[int, str], losses: Floats) -> None:
        """Labels have come, in this order; names: version codes → versions.

        losses: (rows,) in [0, 1], NaN of a row that has none.
        """
        told = ~np.isnan(losses)
        settled, losses = settled.at(told), losses[told]
        codes, which = np.unique(settled.versions, return_inverse=True)
        places = np.array([self._place(names[code]) for code in codes.tolist()], dtype=np.int64)
        self._levels, _ = advance(
            self._levels, places[which], losses=losses, times_ms=settled.times_ms, terms=self._terms
        )
        spare = len(self._versions) - MOST_VERSIONS
        if spare > 0:
            self._versions = self._versions[spare:]
            self._levels = self._levels.taken(np.arange(spare, self._levels.size))
        self._changed |= bool(settled.rows)

    def readings(self, version: str) -> tuple[Reading, ...]:
        """By how much the loss has left the level that it began at; nothing before there is a level."""
        if version not in self._versions:
            return ()
        cell = self._levels.taken(np.array([self._versions.index(version)]))
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
        return {LEVELS: pack({"versions": self._versions}, self._levels.arrays())} if self._changed else {}

    def saved(self) -> None:
        """The changes have been written."""
        self._changed = False

    def resume(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from what was written; StateError when it cannot be read."""
        if LEVELS not in chunks:
            return
        meta, arrays = unpack(chunks[LEVELS])
        self._versions, self._levels = list(meta["versions"]), LossLevels.from_arrays(arrays)
        if len(self._versions) != self._levels.size:
            raise StateError(f"levels of the loss are of {self._levels.size} versions, not {len(self._versions)}")

    def _place(self, version: str) -> int:
        if version not in self._versions:
            rows, total = self._reference
            fresh = begin(np.array([rows]), np.array([total]), terms=self._terms)
            self._versions.append(version)
            self._levels = self._levels.extended(fresh)
        return self._versions.index(version)
