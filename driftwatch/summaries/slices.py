"""What matured labels have said of slices: which groups of rows are better or worse than their score says."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.kernels.expected import Cells, gather
from driftwatch.kernels.slicing import BANDS, GROUPS, Effects, agreed, features_of, fit, newton_sums, shifted

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class SliceEvidence:
    """Sums over labelled rows from which the effects of slices are estimated; see `kernels.slicing`.

    response: (features,). information: (features, features); features = slices · GROUPS · BANDS.
    """

    response: Floats
    information: Floats

    @classmethod
    def empty(cls, slices: int) -> Self:
        """No row yet."""
        size = slices * GROUPS * BANDS
        return cls(np.zeros(size), np.zeros((size, size)))

    @classmethod
    def of(cls, groups: Codes, chances: Floats, labels: Floats, *, log_odds: Floats | None = None) -> Self:
        """Learn from labelled rows: group codes (rows, slices), calibrated chances and labels in {0, 1}, both (rows,).

        log_odds: (features,) effects known so far; the nearer they are to the truth, the more exact the sums. Only
        evidence of equal log_odds obeys of(A) + of(B) = of(A ++ B).
        """
        known = np.zeros(groups.shape[1] * GROUPS * BANDS) if log_odds is None else log_odds
        return cls(*newton_sums(features_of(groups, chances), chances, labels, known))

    @classmethod
    def converged(cls, groups: Codes, chances: Floats, labels: Floats, *, rounds: int = 4) -> Self:
        """Learn from many rows at once, such as the reference's: sums at effects that these rows agree with."""
        found = cls.of(groups, chances, labels)
        for _ in range(rounds):
            effects = found.effects
            if not effects.used.any():
                break
            found = cls.of(groups, chances, labels, log_odds=effects.log_odds)
        return found

    @classmethod
    def agreed(cls, groups: Codes, chances: Floats, labels: Floats, *, before: Floats) -> Self:
        """Learn from some rows, such as a window's: sums at effects that these rows agree with, chosen or not.

        before: (features,) effects that were learnt elsewhere, which may hold here or not.
        """
        features = features_of(groups, chances)
        return cls.of(groups, chances, labels, log_odds=agreed(features, chances, labels, (before, 0 * before)))

    def merge(self, other: Self) -> Self:
        """Both; StateError if they are of different numbers of slices."""
        if self.response.size != other.response.size:
            raise StateError("evidence of different slices cannot be added")
        return type(self)(self.response + other.response, self.information + other.information)

    def faded(self, share: float) -> Self:
        """The same with each row counting for `share` of a row, in [0, 1]."""
        return type(self)(self.response * share, self.information * share)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything, by name."""
        return {"response": self.response, "information": self.information}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """The state that `arrays` was made of."""
        return cls(arrays["response"].astype(np.float64), arrays["information"].astype(np.float64))

    @property
    def effects(self) -> Effects:
        """The effects of the slices that say something."""
        return fit(self.response, self.information)

    @property
    def packed(self) -> NDArray[np.float32]:
        """(parts,) the same without what is 0 of any row or stands there twice; packed evidence adds, too."""
        one, other = _meetings(self.response.size // (GROUPS * BANDS))
        return np.concatenate([self.response, self.information[one, other]]).astype(np.float32)

    @classmethod
    def unpacked(cls, packed: NDArray[np.float32], slices: int) -> Self:
        """The inverse of `packed`; StateError if that is of another number of slices."""
        size = slices * GROUPS * BANDS
        one, other = _meetings(slices)
        if packed.shape != (size + one.size,):
            raise StateError("evidence of different slices cannot be added")
        information = np.zeros((size, size))
        information[one, other] = information[other, one] = packed[size:]
        return cls(packed[:size].astype(np.float64), information)


@lru_cache(maxsize=8)
def _meetings(slices: int) -> tuple[Ints, Ints]:
    """The pairs of features, each once, that one row can have: of two slices in one band, and each with itself."""
    feature = np.arange(slices * GROUPS * BANDS)
    band, column = feature % BANDS, feature // (GROUPS * BANDS)
    meet = (band[:, None] == band) & (column[:, None] < column)
    one, other = np.nonzero(meet | np.eye(feature.size, dtype=np.bool_))
    return one, other


@dataclass(frozen=True, slots=True)
class SlicedRows:
    """A window's predictions, gathered with the chances of their own groups, and how the effects' errors carry over.

    cells: by score bin × predicted class. places: (rows,) the cell of each row. features: (rows, slices).
    pulls: (rows,) p (1 - p): by how much a row's chance grows with the effects of its features.
    """

    cells: Cells
    places: Ints
    features: Ints
    pulls: Floats
    effects: Effects

    @classmethod
    def of(cls, groups: Codes, chances: Floats, cells: tuple[Ints, Ints], *, slots: int, effects: Effects) -> Self:
        """Gather rows: group codes (rows, slices), calibrated chances (rows,).

        cells: score bin in [0, slots) and predicted class in {0, 1}, each (rows,).
        """
        bins, predicted = cells
        features = features_of(groups, chances)
        own = shifted(chances, features, effects.log_odds)
        gathered = gather(bins, predicted, own, slots=slots)
        return cls(gathered, bins * 2 + predicted, features[:, effects.used], own * (1 - own), effects)

    def variance(self, turn: Floats) -> Floats:
        """(…) variance, from the errors of the effects, of a metric that moves by `turn` (…, bins + 1, 2).

        That is for each positive row more in a cell.
        """
        size, features = self.effects.log_odds.size, self.features.ravel()
        each = turn.reshape(-1, turn.shape[-2] * 2)[:, self.places] * self.pulls
        pulls = np.stack(
            [np.bincount(features, weights.repeat(self.features.shape[1]), minlength=size) for weights in each]
        )
        carried: Floats = np.einsum("me,me->m", pulls @ self.effects.covariance, pulls)
        return np.maximum(carried, 0.0).reshape(turn.shape[:-2])


@dataclass(frozen=True, slots=True)
class KnownSlices:
    """What a reference's labels say of its slices. rows: labelled rows, of which the evidence is."""

    evidence: SliceEvidence
    rows: int
