"""What the scores of several classes promise, learnt from past labels, and by how much a window's labels break it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.class_calibration import ClassCalibration, calibrate_classes
from driftwatch.quality.lessons import LEAST_LABELS
from driftwatch.quality.readings import GAPS, measured, parted
from driftwatch.statistics.estimation import Estimated
from driftwatch.statistics.estimation_multiclass import ScoredRows, estimate_multiclass, realised_multiclass
from driftwatch.statistics.gap import gap_of
from driftwatch.statistics.reading import Reading, Stage, Status, Support
from driftwatch.stream.outputs import LABELLED, Answers
from driftwatch.summaries.multiclass import class_grid

CALIBRATION_ROWS = 50_000.0
"""Labels that a calibration is made from, the newest ones."""

Mask = NDArray[np.bool_]


class ClassExpectation:
    """Estimates of a model of so many classes, from rows that say a class and have all scores."""

    def __init__(self, classes: int) -> None:
        self._classes, self._grid = classes, class_grid()
        self._middles = self._grid.middles

    def lesson(self, answers: Answers) -> NDArray[np.int32]:
        """(K, 2, bins, 2) labelled rows by class, whether it was predicted, bin of its score, whether it is the label.

        Of labels of known classes only.
        """
        labels = answers.outcomes["label"].astype(np.int64)
        taught = _usable(answers) & (answers.state == LABELLED) & (labels >= 0) & (labels < self._classes)
        rows, labels, bins = self._rows(answers, taught), labels[taught], self._grid.bins
        counts = [
            np.bincount(((rows.said == code) * bins + rows.bins[:, code]) * 2 + (labels == code), minlength=4 * bins)
            for code in range(self._classes)
        ]
        return np.array(counts, dtype=np.int32).reshape(self._classes, 2, bins, 2)

    def calibration(self, counts: NDArray[Any]) -> ClassCalibration | None:
        """What lessons' counts say of each score; None as long as they are too few."""
        return calibrate_classes(counts.astype(np.int64), self._middles) if counts[:1].sum() >= LEAST_LABELS else None

    def readings(self, answers: Answers, calibration: ClassCalibration | None, *, final: bool) -> tuple[Reading, ...]:
        """The estimate of a window, and at its end the gap between it and the labels."""
        if calibration is None:
            return ()
        usable = _usable(answers)
        found = estimate_multiclass(self._rows(answers, usable), calibration)
        intervals = {name: each.interval for name, each in found.items()}
        estimated = measured(intervals, Support(Stage.ESTIMATED), absent=Status.DEGENERATE)
        if not final:
            return estimated
        labelled = usable & (answers.state == LABELLED) & (answers.outcomes["label"] >= 0)
        promised = found if labelled.sum() == usable.sum() else None
        return (*estimated, *self._gaps(answers, labelled, calibration, promised=promised))

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
        outputs = answers.outputs[chosen]
        bins = np.empty(outputs["scores"].shape, dtype=np.uint16)
        for code in range(self._classes):
            scores = np.clip(outputs["scores"][:, code].astype(np.float64), 0.0, 1.0)
            bins[:, code] = self._grid.bins_of(scores)
        return ScoredRows(bins, outputs["prediction"].astype(np.int64))


def _usable(answers: Answers) -> Mask:
    known: Mask = (answers.outputs["prediction"] >= 0) & ~np.isnan(answers.outputs["scores"]).any(axis=1)
    return known
