"""How many rows come at which hour of the week: what is usual at this time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.summaries.layout import Floats, Ints

HOURS = 168
"""Of a week, in UTC, from Monday 00:00 on."""
HOUR_MS = 3_600_000
GAP = HOURS
"""Hours without a row that are taken for a time that the table does not cover; shorter ones for hours of 0 rows."""
MOST_HOURS = 1_000_000
"""Hours with rows that are told apart, 114 years; a table of more is not one of a rhythm."""

_FIRST = 72
"""The hour of the week at which 1970 began, a Thursday."""


def hour_of_week(hours: Ints) -> Ints:
    """Which of the HOURS each hour since the epoch is."""
    return (hours + _FIRST) % HOURS


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Rows by the hour of the week; each (HOURS,).

    rows: of all weeks together. covered: how many such hours there were. squares: the sum over them of rows².
    Hours that the table covers in part, its first and last, are left out.
    """

    rows: Ints
    covered: Ints
    squares: Floats

    @property
    def mean(self) -> Floats:
        """(HOURS,) rows to expect of an hour; NaN where none was covered."""
        return _ratio(self.rows, self.covered)

    @property
    def variance(self) -> Floats:
        """(HOURS,) of the rows of such hours, unbiased; NaN where fewer than two were covered."""
        spread = self.squares - self.rows * np.where(self.covered > 0, self.mean, 0.0)
        return _ratio(np.maximum(spread, 0.0), self.covered - 1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for whoever stores them."""
        return {"rhythm": np.stack([self.rows, self.covered]), "rhythm_squares": self.squares}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self | None:
        """Return the inverse of `arrays`, None where they are not there; StateError when they do not fit."""
        if "rhythm" not in arrays:
            return None
        table, squares = arrays["rhythm"].astype(np.int64), arrays["rhythm_squares"].astype(np.float64)
        if table.shape != (2, HOURS) or squares.shape != (HOURS,):
            raise StateError("the stored rhythm is not one of a week's hours")
        return cls(table[0], table[1], squares)


class RhythmCounter:
    """Counts rows by the hour; the order of the rows does not matter."""

    def __init__(self) -> None:
        self._rows: dict[int, int] | None = {}

    def add(self, times: Ints) -> None:
        """Count rows by their times (rows,), in ms since the epoch."""
        if self._rows is None:
            return
        hours, counts = np.unique(times // HOUR_MS, return_counts=True)
        for hour, count in zip(hours.tolist(), counts.tolist(), strict=True):
            self._rows[hour] = self._rows.get(hour, 0) + count
        if len(self._rows) > MOST_HOURS:
            self._rows = None

    def rhythm(self, first_ms: int, last_ms: int) -> Rhythm | None:
        """Close the count of a table of this range of times; None where it has more hours than can be told apart."""
        if self._rows is None:
            return None
        hours = np.array(sorted(self._rows), dtype=np.int64)
        counts = np.array([self._rows[hour] for hour in hours.tolist()], dtype=np.int64)
        first, after = -(-first_ms // HOUR_MS), (last_ms + 1) // HOUR_MS
        breaks = np.flatnonzero(np.diff(hours) > GAP)
        begins = np.maximum(hours[np.append(0, breaks + 1)], first) if hours.size else hours
        ends = np.minimum(hours[np.append(breaks, hours.size - 1)] + 1, after) if hours.size else hours
        whole = (hours >= first) & (hours < after)
        hours, counts = hours[whole], counts[whole]
        of_week = hour_of_week(hours)
        rows = np.bincount(of_week, counts, minlength=HOURS).astype(np.int64)
        squares = np.bincount(of_week, counts.astype(np.float64) ** 2, minlength=HOURS).astype(np.float64)
        return Rhythm(rows, _covered(begins, ends), squares)


def _ratio(above: Ints | Floats, below: Ints) -> Floats:
    """NaN where `below` is not above 0."""
    quotient: Floats = np.divide(above, below, out=np.full(HOURS, np.nan), where=below > 0)
    return quotient


def _covered(begins: Ints, ends: Ints) -> Ints:
    """(HOURS,) how many hours from each begin up to each end, not included, are of each hour of the week."""
    held = ends > begins
    begins, lengths = begins[held], (ends - begins)[held]
    starts = hour_of_week(begins)
    steps = np.bincount(starts, minlength=2 * HOURS + 1) - np.bincount(
        starts + lengths % HOURS, minlength=2 * HOURS + 1
    )
    line = np.cumsum(steps)
    covered: Ints = line[:HOURS] + line[HOURS : 2 * HOURS] + int((lengths // HOURS).sum())
    return covered
