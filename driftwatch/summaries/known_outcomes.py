"""What a reference's own labels say: how good the model was when it was well."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.summaries.regression import AE, ONE, RegressionGrid, RegressionOutcomes
from driftwatch.summaries.scores import ScoreGrid
from driftwatch.summaries.slices import KnownSlices, SliceEvidence

Ints = NDArray[np.int64]

PARTS = 10
"""Consecutive parts of the reference that are told apart, so that it can fade, the oldest first."""

_EDGES, _PARTS, _STATE, _SLICES = "outcome_edges", "outcome_parts", "outcome_", "slices/"
_CLASS_EDGES, _CLASS_PARTS = "class_edges", "class_parts"


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """Labels of a binary model's reference. counts: (PARTS, bins + 1, 2, 2) score bin × predicted class × label."""

    grid: ScoreGrid
    counts: Ints


@dataclass(frozen=True, slots=True)
class ClassParts:
    """Labels of a multiclass model's reference. counts: (PARTS, K, 2, bins, 2); see `class_scores.class_counts`."""

    grid: ScoreGrid
    counts: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of a regression's reference. scale: that of the bounded loss, above 0; see `statistics.concept`."""

    moments: RegressionOutcomes
    scale: float


@dataclass(frozen=True, slots=True)
class KnownOutcomes:
    """The labelled rows of a reference.

    rows: those that have a prediction, too; losses: the sum of their losses, each in [0, 1]. refused: labels that are
    none of the classes or no numbers. classes, threshold: what the labels were read with. scores: of a binary model.
    class_scores: of a multiclass one; None of references that older releases built. errors: of a regression. slices: of
    the slices that say something of a binary model's labels, if there are any.
    """

    rows: int
    losses: float
    refused: int = 0
    classes: tuple[str, ...] = ()
    threshold: float = 0.5
    scores: ScoreParts | None = None
    class_scores: ClassParts | None = None
    errors: Errors | None = None
    slices: KnownSlices | None = None

    @property
    def performance(self) -> tuple[str, float] | None:
        """The metric that says it shortly, and its value; None without a labelled row."""
        if not self.rows:
            return None
        if self.errors is None:
            return "accuracy", 1 - self.losses / self.rows
        sums = self.errors.moments.products[:, ONE].sum(axis=0)
        return "mae", float(sums[AE] / sums[ONE])

    def meta(self) -> dict[str, Any]:
        """What is no array, as JSON holds it."""
        return {
            "rows": self.rows,
            "losses": self.losses,
            "refused": self.refused,
            "classes": list(self.classes),
            "threshold": self.threshold,
            "scale": None if self.errors is None else self.errors.scale,
            "level": None if self.errors is None else self.errors.moments.grid.level,
            **({} if self.slices is None else {"slice_rows": self.slices.rows}),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name; the grid is among them, so that a later one need not be the same."""
        if self.scores is not None:
            slices = {} if self.slices is None else self.slices.evidence.arrays()
            return {
                _EDGES: self.scores.grid.edges,
                _PARTS: self.scores.counts,
                **{_SLICES + name: array for name, array in slices.items()},
            }
        if self.class_scores is not None:
            return {_CLASS_EDGES: self.class_scores.grid.edges, _CLASS_PARTS: self.class_scores.counts}
        if self.errors is not None:
            moments = self.errors.moments
            return {
                _EDGES: np.array(moments.grid.edges),
                **{_STATE + name: array for name, array in moments.arrays().items()},
            }
        return {}

    @classmethod
    def from_parts(cls, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `meta` and `arrays`; StateError when the arrays do not fit each other."""
        scores = class_scores = errors = None
        if _PARTS in arrays:
            scores = ScoreParts(ScoreGrid(arrays[_EDGES]), arrays[_PARTS])
            if scores.counts.shape != (PARTS, scores.grid.bins + 1, 2, 2):
                raise StateError("the labels of the reference do not fit its score bins")
        elif _CLASS_PARTS in arrays:
            class_scores = ClassParts(ScoreGrid(arrays[_CLASS_EDGES]), arrays[_CLASS_PARTS])
            if class_scores.counts.shape != (PARTS, len(meta["classes"]), 2, class_scores.grid.bins, 2):
                raise StateError("the labels of the reference do not fit its classes")
        elif _EDGES in arrays:
            grid = RegressionGrid(tuple(arrays[_EDGES].tolist()), meta["level"])
            state = {name.removeprefix(_STATE): array for name, array in arrays.items() if name.startswith(_STATE)}
            errors = Errors(RegressionOutcomes.from_arrays(grid, state), meta["scale"])
        slice_rows = meta.get("slice_rows")
        evidence = {name.removeprefix(_SLICES): array for name, array in arrays.items() if name.startswith(_SLICES)}
        return cls(
            rows=meta["rows"],
            losses=meta["losses"],
            refused=meta["refused"],
            classes=tuple(meta["classes"]),
            threshold=meta["threshold"],
            scores=scores,
            class_scores=class_scores,
            errors=errors,
            slices=None if slice_rows is None else KnownSlices(SliceEvidence.from_arrays(evidence), slice_rows),
        )
