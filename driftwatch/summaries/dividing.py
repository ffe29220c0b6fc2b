"""How the ways to divide rows that a person wrote become the dimensions of one reference.

What takes its members from the data takes them from the reference: the values of a category with the most rows, the
quantiles of a number, the pairs with the most rows. There are as many segments as `most` allows; what is left over of
a dimension is its `_other`, so that its members' rows always sum to those of the whole.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any

import numpy as np

from driftwatch.errors import ConfigError
from driftwatch.stream.batch import Batch
from driftwatch.stream.conditions import ByCondition, Condition
from driftwatch.stream.dimensions import ByCategory, ByRange, Crossed, Dimension, Dimensions
from driftwatch.stream.division import QUANTILES, SegmentSpec, SideSpec
from driftwatch.summaries.layout import Floats, Ints, Layout

LONGEST_NAME = 200
"""Characters of a segment's name; a value that makes a longer one is in `_other`, as one that cannot be printed."""

Cuts = Callable[[int, int], Floats]
"""(numeric column, ranges) → its inner edges, ascending, at least one and at most ranges - 1."""


@dataclass(frozen=True)
class Division:
    """What is asked of a model. most: segments, and protected groups, that there may be of each, `_other` included."""

    segments: tuple[SegmentSpec, ...] = ()
    protected: tuple[SegmentSpec, ...] = ()
    most: int = 100

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        lists = {"segments": self.segments, "protected": self.protected}
        return {key: [spec.model_dump(exclude_none=True) for spec in specs] for key, specs in lists.items()} | {
            "most": self.most
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Division":
        """The inverse of `to_json`."""
        segments, protected = (
            tuple(SegmentSpec.model_validate(spec) for spec in document[key]) for key in ("segments", "protected")
        )
        return cls(segments, protected, document["most"])


NO_DIVISION = Division()
"""Of a model that is looked at as a whole."""


class Divider:
    """Chooses the members: knows every candidate, counts their rows where that decides, and keeps the largest."""

    def __init__(self, division: Division, layout: Layout, cuts: Cuts) -> None:
        """Take the layout with all its vocabularies; ConfigError where a way to divide does not fit it."""
        self._most = division.most
        self._segments = [
            _candidates(spec, layout, cuts, key=f"segments[{place}]") for place, spec in enumerate(division.segments)
        ]
        self._protected = [
            _candidates(spec, layout, cuts, key=f"protected[{place}]", contrary=True)
            for place, spec in enumerate(division.protected)
        ]

    @property
    def must_count(self) -> bool:
        """Whether the rows have to be seen before it is known which members there are."""
        return any(
            sum(each.fixed + each.free for each in some) > self._most or any(each.crosses for each in some)
            for some in (self._segments, self._protected)
        )

    def add(self, batch: Batch) -> None:
        """Count more rows."""
        for each in (*self._segments, *self._protected):
            each.add(batch)

    def dimensions(self) -> Dimensions:
        """What rows are divided by; ConfigError where not even the members that must be there fit into `most`."""
        return Dimensions(
            segments=_chosen(self._segments, self._most, what="segments"),
            protected=_chosen(self._protected, self._most, what="protected groups"),
        )


class _Candidates:
    """The possible members of one dimension: `sides` are the dimensions with all of theirs, or none of a condition."""

    def __init__(self, sides: Sequence[ByCategory | ByRange], condition: ByCondition | None = None) -> None:
        self._sides = sides
        self._condition = condition
        sizes = [len(side.members) for side in sides]
        self._rows: Ints = np.zeros(sizes if condition is None else 0, dtype=np.int64)

    @property
    def crosses(self) -> bool:
        return len(self._sides) > 1

    @property
    def _ranges(self) -> bool:
        return len(self._sides) == 1 and isinstance(self._sides[0], ByRange)

    @property
    def fixed(self) -> int:
        """Members that there are in any case."""
        if self._condition is not None:
            return len(self._condition.members)
        return len(self._sides[0].members) if self._ranges else len(("_other",))

    @property
    def free(self) -> int:
        """Members that may be dropped."""
        return 0 if self._condition is not None or self._ranges else int(self._rows[self._named].size)

    @property
    def _named(self) -> tuple[slice, ...]:
        """All but the last of each side, which is its `_other`."""
        return tuple(slice(0, size - 1) for size in self._rows.shape)

    def add(self, batch: Batch) -> None:
        if self._condition is not None or self._ranges:
            return
        codes = [side.codes(batch.numeric, batch.categorical).astype(np.int64) for side in self._sides]
        flat = np.ravel_multi_index(codes, self._rows.shape)
        self._rows += np.bincount(flat, minlength=self._rows.size).reshape(self._rows.shape)

    def largest(self) -> Iterator[tuple[int, int, str]]:
        """Those that may be dropped, as place, rows and name, the largest first; pairs without a row are none."""
        if not self.free:
            return
        rows = self._rows[self._named]
        for place in np.argsort(-rows, axis=None, kind="stable").tolist():
            at = np.unravel_index(place, rows.shape)
            if self.crosses and not rows[at]:
                return
            name = "&".join(side.members[int(member)] for side, member in zip(self._sides, at, strict=True))
            yield place, int(rows[at]), name

    def fixed_names(self) -> tuple[str, ...]:
        return self.built(np.zeros(0, dtype=np.int64)).members

    def built(self, kept: Ints) -> Dimension:
        """The dimension with these of the members that may be dropped, and all others."""
        if self._condition is not None:
            return self._condition
        if self._ranges:
            return self._sides[0]
        places = np.unravel_index(kept, [size - 1 for size in self._rows.shape])
        sides = [
            _narrowed(side, list(dict.fromkeys(place.tolist())))
            for side, place in zip(self._sides, places, strict=True)
        ]
        if not self.crosses:
            return sides[0][0]
        (first, firsts), (second, seconds) = sides
        pairs = tuple((firsts[a], seconds[b]) for a, b in zip(*(place.tolist() for place in places), strict=True))
        return Crossed(first, second, pairs)


def _narrowed(side: ByCategory | ByRange, places: list[int]) -> tuple[ByCategory | ByRange, dict[int, int]]:
    """The side with these members alone, and their new places; ranges stay as they are."""
    if isinstance(side, ByRange):
        return side, {place: place for place in places}
    member = {place: new for new, place in enumerate(places)}
    slots = tuple(member.get(place, len(places)) for place in side.places)
    return ByCategory(
        side.name, (*(side.members[place] for place in places), side.members[-1]), side.column, slots
    ), member


def _candidates(spec: SegmentSpec, layout: Layout, cuts: Cuts, *, key: str, contrary: bool = False) -> _Candidates:
    if spec.where is None:
        return _Candidates([_side(side, layout, cuts, key=key) for side in spec.sides])
    try:
        condition = Condition.of(spec.where, layout.numeric, layout.categorical)
    except ConfigError as error:
        raise ConfigError(f"{key}.where: {error}") from error
    return _Candidates([], ByCondition(spec.title, condition, contrary))


def _side(side: SideSpec, layout: Layout, cuts: Cuts, *, key: str) -> ByCategory | ByRange:
    numeric = [column.name for column in layout.numeric]
    if side.column in numeric:
        place = numeric.index(side.column)
        return ByRange(side.column, place, tuple(cuts(place, side.quantiles or QUANTILES).tolist()))
    for place, column in enumerate(layout.categorical):
        if column.name == side.column and side.quantiles is None:
            return ByCategory.of(column.name, place, column.vocabulary, kept=column.vocabulary)
        if column.name == side.column:
            raise ConfigError(f'{key}.quantiles: "{side.column}" is no number and has none; leave it out')
    near = get_close_matches(side.column[:100], layout.names, n=1, cutoff=0.65)
    hint = f'did you mean "{near[0]}"?' if near else "the data has to have it, and it may not stand in `ignore`"
    raise ConfigError(f'{key}: the reference has no column "{side.column}"; {hint}')


def _chosen(candidates: Sequence[_Candidates], most: int, *, what: str) -> tuple[Dimension, ...]:
    least = sum(each.fixed for each in candidates)
    if least > most:
        raise ConfigError(
            f"max_segments: is {most}, but there are {least} {what} that cannot be left out; write at least {least}"
        )
    room = most - least
    taken = {name for each in candidates for name in each.fixed_names()}
    found: list[tuple[int, int, int]] = []
    for owner, each in enumerate(candidates):
        fitting = _fitting(each, taken)
        found += [(-rows, owner, place) for place, rows in islice(fitting, room)]
    kept = sorted(found)[:room]
    return tuple(
        each.built(np.array([place for _, whose, place in kept if whose == owner], dtype=np.int64))
        for owner, each in enumerate(candidates)
    )


def _fitting(candidates: _Candidates, taken: set[str]) -> Iterator[tuple[int, int]]:
    """Place and rows of those whose name can be printed and is nobody's yet, which it is then."""
    for place, rows, name in candidates.largest():
        if name not in taken and len(name) <= LONGEST_NAME and name.isprintable():
            taken.add(name)
            yield place, rows
