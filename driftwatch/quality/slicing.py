"""What slices add to the estimates of a binary model: some groups of rows are better or worse than their scores say.

When the mix of groups moves, the calibrated chance of a score moves with it, though nothing has changed within any
group; then the chance is taken of the score and the groups together. What groups say is learnt from the reference's
labels, and from those of final windows as they mature.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.calibration import Calibration
from driftwatch.kernels.interval import Floats
from driftwatch.kernels.slicing import BANDS, Effects
from driftwatch.kernels.slicing import GROUPS as MOST_GROUPS
from driftwatch.quality.lessons import Arrays
from driftwatch.statistics.estimation import BlockUncertainty, Estimated, Joined, estimate_cells
from driftwatch.stream.batch import Ints
from driftwatch.stream.outputs import GROUPS, LABELLED, Answers
from driftwatch.summaries.slices import KnownSlices, SlicedRows, SliceEvidence

MOST_ROWS = 50_000.0
"""Labels that say what groups add, the newest ones: as many as a calibration is made from, and as are sampled of a
reference.

A memory of their own, from 10 000 to 100 000, gained nothing beyond noise on streams whose mix or concept changes, nor
on the reference of the car loan data (tests/benchmarks/slice_memory.py): fewer are better where groups change their
meaning, more where they do not, so that the plainest choice stands.
"""
LESSON = "slices"
"""The part of a lesson that holds what its labels say of slices."""


@dataclass(frozen=True, slots=True)
class GroupedRows:
    """Rows of one window. groups: (rows, slices). slots: (rows,) score bins. said, labels: (rows,) -1 where unknown."""

    groups: NDArray[np.uint8]
    slots: Ints
    said: Ints
    labels: Ints

    def at(self, which: NDArray[np.bool_]) -> Self:
        """Some of them."""
        return type(self)(self.groups[which], self.slots[which], self.said[which], self.labels[which])

    def chances(self, calibration: Calibration) -> Floats:
        """(rows,) chance of the positive class by the score alone; NaN where nothing is known."""
        chances: Floats = np.where(self.said >= 0, calibration.chances[self.slots, self.said], np.nan)
        return chances

    def expected(
        self, calibration: Calibration, effects: Effects, values: Floats | None = None
    ) -> dict[str, Estimated]:
        """Expected metrics of these rows, each with the chance of its own groups; values: see `estimate_binary`."""
        chances = self.chances(calibration)
        known = ~np.isnan(chances)
        rows = self.at(known)
        found = SlicedRows.of(
            rows.groups, chances[known], (rows.slots, rows.said), slots=len(calibration.chances), effects=effects
        )
        return estimate_cells(found.cells, Joined((BlockUncertainty(found.cells.rows, calibration), found)), values)


class Slicing:
    """Slices of one model.

    known: what the reference says of them. first: their place among a row's groups. base: the reference's calibration,
    beside which groups are seen, now and later: a newer one would hold some of what they add already.
    """

    def __init__(self, known: KnownSlices, *, first: int, base: Calibration) -> None:
        self._known, self.base = known, base
        self._slices = known.evidence.response.size // (MOST_GROUPS * BANDS)
        self._first = first
        self._before = known.evidence.effects.log_odds

    def rows(self, answers: Answers, slots: Ints) -> GroupedRows:
        """The rows of a window; slots: (rows,) the score bin of each."""
        groups = answers.outputs[GROUPS][:, self._first : self._first + self._slices]
        labels = np.where(answers.state == LABELLED, answers.outcomes["label"], -1)
        said = answers.outputs["prediction"].astype(np.int64)
        return GroupedRows(np.maximum(groups, 0).astype(np.uint8), slots, said, labels.astype(np.int64))

    def lesson(self, rows: GroupedRows) -> Arrays:
        """What the labels of a window say, which a lesson keeps; slots of the whole grid."""
        rows = rows.at(rows.labels >= 0)
        chances = rows.chances(self.base)
        known = ~np.isnan(chances)
        labels = rows.labels[known].astype(np.float64)
        evidence = SliceEvidence.agreed(rows.groups[known], chances[known], labels, before=self._before)
        return {LESSON: evidence.packed}

    def effects(self, taught: Sequence[Arrays]) -> Effects | None:
        """What groups add by the newest labels, MOST_ROWS with the reference's, which count for what is left.

        taught: lessons, the newest last; all of a lesson or nothing, the newest always. None when that is nothing.
        """
        evidence, rows = SliceEvidence.empty(self._slices), 0.0
        for lesson in (each for each in reversed(taught) if LESSON in each):
            labels = float(lesson["labelled"].sum())
            if rows and rows + labels > MOST_ROWS:
                break
            rows += labels
            evidence = evidence.merge(SliceEvidence.unpacked(lesson[LESSON], self._slices))
        share = float(np.clip((MOST_ROWS - rows) / self._known.rows, 0.0, 1.0))
        found = evidence.merge(self._known.evidence.faded(share)).effects
        return found if found.used.any() else None
