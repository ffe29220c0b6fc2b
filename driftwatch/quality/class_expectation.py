"""What the scores of several classes promise, learnt from past labels, and by how much a window's labels break it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.class_calibration import ClassCalibration, calibrate_classes
from driftwatch.quality.lessons import LEAST_LABELS, Lessons
from driftwatch.quality.readings import GAPS, measured, parted
from driftwatch.statistics.estimation import Estimated
from driftwatch.statistics.estimation_classes import estimate_classes
from driftwatch.statistics.estimation_multiclass import ScoredRows, estimate_multiclass, realised_multiclass
from driftwatch.statistics.gap import gap_of
from driftwatch.statistics.reading import Reading, Stage, Status, Support
from driftwatch.stream.outputs import LABELLED, Answers
from driftwatch.summaries.class_scores import class_bins, class_counts
from driftwatch.summaries.class_scores import usable as usable_rows
from driftwatch.summaries.known_outcomes import ClassParts
from driftwatch.summaries.multiclass import class_grid

CALIBRATION_ROWS = 50_000.0
"""Labels that a calibration is made from, the newest ones, and as many as the reference has where it has more."""
COUNTS = "counts"
"""Name of the labelled counts in a lesson."""

Mask = NDArray[np.bool_]


class ClassExpectation:
    """Estimates of a model of several classes, from rows that say a class and have all scores.

    reference: labels of consecutive parts of the reference, when it has any, over its own grid. They are older than any
    window's: they fill what has not come yet, and drop out, the oldest first, as labels come.
    """

    def __init__(self, names: Sequence[str], reference: ClassParts | None = None) -> None:
        self._names = tuple(names)
        self._grid = class_grid() if reference is None else reference.grid
        self._before = () if reference is None else tuple(reference.counts)
        self._most_rows = max(CALIBRATION_ROWS * len(names), float(sum(part.sum() for part in self._before)))
        self._middles = self._grid.middles

    def lesson(self, answers: Answers) -> NDArray[np.int32]:
        """What labelled rows say of each class's score; see `class_counts`."""
        counts: NDArray[np.int32] = class_counts(answers, self._grid)[0]
        return counts

    def learnt(self, lessons: Lessons, version: str) -> ClassCalibration | None:
        """What the newest labels of a version, and the reference's, say of each score; None if they are too few."""
        counts = lessons.total(version, COUNTS, most_rows=self._most_rows, before=self._before)
        return None if counts is None else self.calibration(counts)

    def calibration(self, counts: NDArray[Any]) -> ClassCalibration | None:
        """What lessons' counts say of each score; None as long as they are too few."""
        return calibrate_classes(counts.astype(np.int64), self._middles) if counts[:1].sum() >= LEAST_LABELS else None

    def readings(self, answers: Answers, calibration: ClassCalibration | None, *, final: bool) -> tuple[Reading, ...]:
        """The estimate of a window, and at its end the gap between it and the labels."""
        if calibration is None:
            return ()
        usable = usable_rows(answers)
        rows = self._rows(answers, usable)
        found = estimate_multiclass(rows, calibration)
        intervals = {name: each.interval for name, each in found.items()}
        estimated = (
            *measured(intervals, Support(Stage.ESTIMATED), absent=Status.DEGENERATE),
            *self._by_class(estimate_classes(rows, calibration)),
        )
        if not final:
            return estimated
        labelled = usable & (answers.state == LABELLED) & (answers.outcomes["label"] >= 0)
        promised = found if labelled.sum() == usable.sum() else None
        return (*estimated, *self._gaps(answers, labelled, calibration, promised=promised))

    def _by_class(self, found: dict[str, Estimated]) -> tuple[Reading, ...]:
        intervals = {name: each.interval for name, each in found.items()}
        return tuple(
            reading
            for place, name in enumerate(self._names if found else ())
            for reading in measured(
                {metric: interval.at(place) for metric, interval in intervals.items()},
                Support(Stage.ESTIMATED),
                absent=Status.DEGENERATE,
                column=name,
            )
        )

    def _gaps(
        self,
        answers: Answers,
        labelled: Mask,
        calibration: ClassCalibration,
        *,
        promised: dict[str, Estimated] | None,
    ) -> tuple[Reading, ...]:
        """Realised minus estimated, over the rows whose label has come; promised: of these rows, where it is known.

        A label of a class that is not known is of none of them, in AUC too: the scores have not promised that.
        """
        if not labelled.any():
            return ()
        rows = self._rows(answers, labelled)
        expected = promised or estimate_multiclass(rows, calibration, GAPS)
        labels = answers.outcomes["label"][labelled].astype(np.int64)
        realised = realised_multiclass(rows, labels, bins=self._grid.bins)
        return parted({name: gap_of(realised[name], expected[name]) for name in GAPS})

    def _rows(self, answers: Answers, chosen: Mask) -> ScoredRows:
        return ScoredRows(
            class_bins(answers, chosen, self._grid), answers.outputs["prediction"][chosen].astype(np.int64)
        )
