"""Ways to divide rows into groups: segments that are reported, groups that are compared, slices to weigh by.

A dimension puts every row into at most one of its members. It looks at nothing but the columns of a batch, so that the
same row is in the same member in the reference, in a window and in a replay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Codes, Floats, Ints

Members = NDArray[np.int16]
"""(rows,) or (dimensions, rows) which member a row is in; NOBODY where it is in none."""

NOBODY = -1
OTHER = "_other"
"""Holds the rows of a column's dimension that are in no named member, those without a value among them."""


class Dimension(Protocol):
    """One way to divide rows."""

    @property
    def name(self) -> str:
        """As it is configured."""
        ...

    @property
    def members(self) -> tuple[str, ...]:
        """The names of its members, as reports write them."""
        ...

    def codes(self, numeric: Floats, categorical: Codes) -> Members:
        """Which member each row is in; numeric: (columns, rows), categorical: (columns, rows) as in `Batch`."""
        ...


@dataclass(frozen=True)
class ByCategory:
    """A categorical column's named values, and all other rows together as `column=_other`, the last member.

    column: place among the categorical columns. places: (slots of the column,) slot code → member.
    """

    name: str
    members: tuple[str, ...]
    column: int
    places: tuple[int, ...]

    @property
    def kept(self) -> tuple[str, ...]:
        """The named values, in the members' order."""
        return tuple(member.removeprefix(f"{self.name}=") for member in self.members[:-1])

    @classmethod
    def of(cls, name: str, column: int, vocabulary: Sequence[str], *, kept: Sequence[str]) -> "ByCategory":
        """Name the values in `kept`, which are among the column's `vocabulary`, each."""
        place = {value: member for member, value in enumerate(kept)}
        # Slots are those of the vocabulary, then other, missing and invalid.
        places = (*(place.get(value, len(kept)) for value in vocabulary), *[len(kept)] * 3)
        return cls(name, (*(f"{name}={value}" for value in kept), f"{name}={OTHER}"), column, places)

    def codes(self, numeric: Floats, categorical: Codes) -> Members:
        """Which member each row is in: one look-up a row."""
        del numeric
        members: Members = np.asarray(self.places, dtype=np.int16).take(categorical[self.column])
        return members


@dataclass(frozen=True)
class ByRange:
    """A numeric column cut at inner `edges`, ascending and at least one; rows without a number are `column=_other`.

    Member i holds edges[i-1] < x ≤ edges[i], as bins do.
    """

    name: str
    column: int
    edges: tuple[float, ...]

    @cached_property
    def members(self) -> tuple[str, ...]:
        """The ranges, ascending, and `_other`."""
        *between, last = texts = _told_apart(self.edges)
        ranges = (f"{low}<{self.name}<={high}" for low, high in zip(between, texts[1:], strict=True))
        return (f"{self.name}<={texts[0]}", *ranges, f"{self.name}>{last}", f"{self.name}={OTHER}")

    def codes(self, numeric: Floats, categorical: Codes) -> Members:
        """Which member each row is in."""
        del categorical
        values = numeric[self.column]
        places: Members = np.searchsorted(np.asarray(self.edges), values).astype(np.int16)
        places[~np.isfinite(values)] = len(self.edges) + 1
        return places


def _told_apart(edges: Sequence[float]) -> list[str]:
    """The edges with as many digits as tell them apart."""
    for digits in (6, 9, 12):
        texts = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(texts)) == len(texts):
            return texts
    return [repr(edge) for edge in edges]


@dataclass(frozen=True)
class Crossed:
    """Pairs of members of two dimensions, those named in `kept`, and all other rows together.

    kept: (member of first, member of second) of each named pair.
    """

    first: Dimension
    second: Dimension
    kept: tuple[tuple[int, int], ...]

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.first.name}&{self.second.name}"

    @cached_property
    def members(self) -> tuple[str, ...]:
        """The named pairs, and `_other`."""
        pairs = (f"{self.first.members[one]}&{self.second.members[two]}" for one, two in self.kept)
        return (*pairs, f"{self.name}={OTHER}")

    @cached_property
    def _places(self) -> Members:
        # One row and column more for rows that are in no member: index -1.
        shape = len(self.first.members) + 1, len(self.second.members) + 1
        places = np.full(shape, len(self.kept), dtype=np.int16)
        for member, pair in enumerate(self.kept):
            places[pair] = member
        return places

    def codes(self, numeric: Floats, categorical: Codes) -> Members:
        """Which member each row is in."""
        one, two = self.first.codes(numeric, categorical), self.second.codes(numeric, categorical)
        return self._places[one, two]


@dataclass(frozen=True)
class Dimensions:
    """All of a model's: segments are reported each, protected groups are compared, slices weigh estimates.

    The codes of a row stand in this order wherever they are kept.
    """

    segments: tuple[Dimension, ...] = ()
    protected: tuple[Dimension, ...] = ()
    slices: tuple[Dimension, ...] = ()

    @cached_property
    def all(self) -> tuple[Dimension, ...]:
        """Every dimension, in the order of a row's codes."""
        return (*self.segments, *self.protected, *self.slices)

    def codes(self, numeric: Floats, categorical: Codes) -> Members:
        """(dimensions, rows) which member of each dimension each row is in; columns as in `Batch`."""
        rows = categorical.shape[1] if categorical.size else numeric.shape[1]
        codes = np.empty((len(self.all), rows), dtype=np.int16)
        for place, dimension in enumerate(self.all):
            codes[place] = dimension.codes(numeric, categorical)
        return codes

    @cached_property
    def segment_names(self) -> tuple[str, ...]:
        """The members of all segment dimensions, one after the other: a segment's number is its place here."""
        return tuple(name for dimension in self.segments for name in dimension.members)

    @cached_property
    def segment_offsets(self) -> Ints:
        """(segment dimensions + 1,) the number of each dimension's first segment."""
        return np.cumsum([0, *(len(dimension.members) for dimension in self.segments)]).astype(np.int64)


UNDIVIDED = Dimensions()
"""Of a model that is looked at as a whole."""
