"""The closed list of data quality checks, and what a check finds out of every column at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from driftwatch.statistics.reading import Reading, Status
from driftwatch.summaries.layout import Floats

Flags = NDArray[np.bool_]

FAMILY = "quality"
CHANCE = 1 / 30_000
"""Of windows in which all is as usual, so many are told of by chance."""


@dataclass(frozen=True, slots=True)
class Check:
    """One entry: the range of its value, which kinds of columns have it, and the value that says that all is well.

    always: every column has a reading of it in every window; else only where there is something to say.
    explains: a window that fails it may drift for that alone, so that the column's drift is not judged.
    of_stream: it is of all rows together, under the column "", and speaks of windows of any number of rows.
    """

    low: float
    high: float
    numeric: bool
    categorical: bool
    always: bool = True
    explains: bool = True
    neutral: float = 0.0
    of_stream: bool = False


_OF_STREAM = {"numeric": False, "categorical": False, "explains": False, "of_stream": True}

CHECKS = {
    "schema": Check(0.0, 1.0, numeric=True, categorical=True, always=False),
    "missing": Check(0.0, 1.0, numeric=True, categorical=True),
    "invalid": Check(0.0, 1.0, numeric=True, categorical=True),
    # Values beyond the reference's range are how drift looks: they explain none away.
    "out_of_range": Check(0.0, 1.0, numeric=True, categorical=False, explains=False),
    "unseen": Check(0.0, 1.0, numeric=False, categorical=True),
    "constant": Check(0.0, 1.0, numeric=True, categorical=True, always=False),
    "sentinel": Check(0.0, 1.0, numeric=True, categorical=False, always=False),
    "unit_change": Check(0.0, np.inf, numeric=True, categorical=False, always=False, neutral=1.0),
    "constraint": Check(0.0, 1.0, numeric=False, categorical=True, explains=False),
    "volume": Check(0.0, np.inf, **_OF_STREAM, neutral=1.0),
    "freshness": Check(0.0, np.inf, **_OF_STREAM),
    "duplicates": Check(0.0, 1.0, **_OF_STREAM),
}
"""All checks by name, in the order of a column's readings; a column has `constraint` only where one is declared."""

STREAM_CHECKS = tuple(name for name, check in CHECKS.items() if check.of_stream)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found of some columns; arrays (columns,), as in `Reading`. at: None where it is about no value."""

    value: Floats
    adjusted: Floats
    lower: Floats
    upper: Floats
    limit: Floats
    beyond: Flags
    at: Sequence[float | str] | None = None

    def readings(self, name: str, columns: Sequence[str], *, status: Status) -> list[tuple[int, Reading]]:
        """Readings with their columns' places; where the status is not OK they have no numbers."""
        check = CHECKS[name]
        if status is not Status.OK:
            listed = enumerate(columns) if check.always else ()
            return [(place, _silent(column, name, status)) for place, column in listed]
        told = np.ones(len(columns), dtype=np.bool_)
        if not check.always:
            told = (self.value != check.neutral) | (self.adjusted != 0) & np.isfinite(self.adjusted)
        places = np.flatnonzero(told).tolist()
        numbers = [part[told].tolist() for part in (self.value, self.adjusted, self.lower, self.upper)]
        names = [columns[place] for place in places]
        at = repeat(math.nan) if self.at is None else [self.at[place] for place in places]
        made = map(
            Reading, names, repeat(FAMILY), repeat(name), *numbers, repeat(math.nan), repeat(Status.OK),
            repeat(None), self.limit[told].tolist(), self.beyond[told].tolist(), at,
        )  # fmt: skip
        return list(zip(places, made, strict=False))


def well(column: str, check: str) -> Reading:
    """The reading that a window without anything to say of a column leaves out."""
    return _silent(column, check, Status.OK)._replace(value=CHECKS[check].neutral)


def _silent(column: str, check: str, status: Status) -> Reading:
    nan = math.nan
    return Reading(column, FAMILY, check, nan, nan, nan, nan, nan, status)
