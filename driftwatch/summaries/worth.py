"""The mergeable state of business value: how much predictions were worth, as they or their labels say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from driftwatch.stream.outputs import LABELLED, Answers
from driftwatch.summaries.layout import Floats

PREDICTED, OUTCOME, ROW = range(3)
"""Whose value: what came with the prediction; with the label; a row's, the label's where it has one, else the
prediction's."""
SIDES = 3

_LIMIT = 1e100


@dataclass(frozen=True, slots=True)
class WorthOutcomes:
    """Power sums of value about a centre; every array may have leading axes (…) of cells.

    rows: (…, 2) predictions, and those whose label has come, with a value or without.
    powers: (…, SIDES, 4) sums over rows with a value of u⁰, u¹, u², u³, where u = value - centre.
    centre: (…, SIDES) near the mean, so that nothing cancels. Values beyond ±1e100 count as that.
    """

    rows: Floats
    powers: Floats
    centre: Floats

    @classmethod
    def empty(cls) -> Self:
        """The identity of `merge`."""
        return cls(np.zeros(2), np.zeros((SIDES, 4)), np.zeros(SIDES))

    @classmethod
    def of(cls, answers: Answers) -> Self:
        """Add the values of predictions and of the labels that have come."""
        kept = answers.state == LABELLED
        said = answers.outputs["value"]
        came = np.where(kept, answers.outcomes["value"], np.nan)
        values = np.stack([said, came, np.where(np.isfinite(came), came, said)])
        rows = np.array([float(answers.rows), float(np.count_nonzero(kept))])
        return cls(rows, *centred_powers(values))

    def merge(self, other: Self) -> Self:
        """Add two states, cell by cell."""
        mine, theirs = self.powers[..., 0], other.powers[..., 0]
        rows = mine + theirs
        middle = (mine * self.centre + theirs * other.centre) / np.where(rows > 0, rows, 1.0)
        # A centre alone stays what it is to the bit, so that adding nothing changes nothing.
        centre = np.where(mine == 0, other.centre, np.where(theirs == 0, self.centre, middle))
        powers = _about(self.powers, self.centre - centre) + _about(other.powers, other.centre - centre)
        return type(self)(self.rows + other.rows, powers, centre)

    def arrays(self) -> dict[str, Floats]:
        """The state as named arrays, for whoever stores it."""
        return {"rows": self.rows, "powers": self.powers, "centre": self.centre}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> Self:
        """The inverse of `arrays`."""
        return cls(**{name: arrays[name] for name in ("rows", "powers", "centre")})


def centred_powers(values: Floats) -> tuple[Floats, Floats]:
    """Power sums (…, 4) of values (…, rows) about their mean, and the mean (…); what is not finite is left out."""
    given = np.isfinite(values)
    known = np.clip(np.where(given, values, 0.0), -_LIMIT, _LIMIT)
    count = given.sum(axis=-1)
    centre = known.sum(axis=-1) / np.maximum(count, 1)
    u = np.where(given, known - centre[..., None], 0.0)
    square = u * u
    parts = (given.astype(np.float64), u, square, square * u)
    return np.stack([part.sum(axis=-1) for part in parts], axis=-1), centre


def _about(powers: Floats, shift: Floats) -> Floats:
    """Power sums of u + shift from those of u."""
    n, first, second, third = (powers[..., place] for place in range(4))
    return np.stack(
        [
            n,
            first + shift * n,
            second + 2 * shift * first + shift**2 * n,
            third + 3 * shift * second + 3 * shift**2 * first + shift**3 * n,
        ],
        axis=-1,
    )
