"""What labels have said of each score lately: the windows that the calibration of estimates is learned from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_WINDOWS = 48
"""Windows remembered: a bound of memory, at 1 500 bins 2 MB."""


@dataclass(frozen=True, slots=True)
class Matured:
    """Labelled counts of final windows, the newest MOST_WINDOWS.

    A sliding sum rather than exponential forgetting: which windows are in it and what they count does not depend on
    the order in which they became final, and a window's counts stay whole numbers.

    ends: (windows,) when each ended, in any unit, increasing. labelled: (windows, bins + 1, 2, 2) score bin ×
    predicted class × label.
    """

    ends: Ints
    labelled: Floats

    @classmethod
    def empty(cls, slots: int) -> Self:
        """Nothing yet, for states of so many bins + 1."""
        return cls(np.zeros(0, np.int64), np.zeros((0, slots, 2, 2)))

    @classmethod
    def of(cls, end: int, labelled: Floats) -> Self:
        """One final window's labels (bins + 1, 2, 2)."""
        return cls(np.array([end], np.int64), labelled[None].astype(np.float64))

    def merge(self, other: Self) -> Self:
        """Both, where windows that end together are parts of one; StateError if their bins differ."""
        if self.labelled.shape[1:] != other.labelled.shape[1:]:
            raise StateError("matured labels of different score grids cannot be added")
        ends, places = np.unique(np.concatenate([self.ends, other.ends]), return_inverse=True)
        labelled = np.zeros((ends.size, *self.labelled.shape[1:]))
        np.add.at(labelled, places, np.concatenate([self.labelled, other.labelled]))
        return type(self)(ends[-MOST_WINDOWS:], labelled[-MOST_WINDOWS:])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything, by name."""
        return {"ends": self.ends, "labelled": self.labelled}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """The state that `arrays` was made of."""
        return cls(arrays["ends"].astype(np.int64), arrays["labelled"].astype(np.float64))

    def counts(self, reference: Self | None = None, *, most_rows: float) -> Floats:
        """(bins + 1, 2, 2) of the newest windows up to `most_rows` rows: all of a window or nothing, at least one.

        reference: consecutive parts of the reference as windows, if it has labels. They are older than any window,
        so that they fill what has not come yet and drop out, oldest first, as labels come.
        """
        parts = self.labelled if reference is None else np.concatenate([reference.labelled, self.labelled])
        rows = parts.sum(axis=(1, 2, 3))[::-1]
        taken = max(int((np.cumsum(rows) <= most_rows).sum()), min(rows.size, 1))
        newest: Floats = parts[rows.size - taken :].sum(axis=0)
        return newest
