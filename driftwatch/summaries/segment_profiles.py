"""The profiles of a reference's segments: each is the counts of its own rows, and they are stored side by side."""

from collections.abc import Mapping, Sequence

import numpy as np

from driftwatch.errors import StateError
from driftwatch.kernels.tallying import Division
from driftwatch.stream.batch import Batch
from driftwatch.stream.dimensions import Dimensions
from driftwatch.stream.season import Season
from driftwatch.summaries.layout import Floats, Ints, Layout
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.season_profiles import SeasonProfiles
from driftwatch.summaries.segmented import Segmented, segment_numbers

_PREFIX = "segment_"


class SegmentCounter:
    """Counts rows into every segment at once, and how many there are of every protected group.

    season: count each of its slots, too. They stand behind the segments: one more way in which every row is divided.
    """

    def __init__(self, layout: Layout, dimensions: Dimensions, season: Season | None = None) -> None:
        self._dimensions, self._season = dimensions, season
        self._names = len(dimensions.segment_names)
        self._state = Segmented(layout, self._names + (season.slots if season else 0))
        self._protected: list[Ints] = [np.zeros(len(each.members), dtype=np.int64) for each in dimensions.protected]

    def divide(self, batch: Batch, *, count: int) -> Division | None:
        """Where the values of these rows are to be added as well, whichever of `count` cells they are in."""
        if not batch.rows or not (self._dimensions.all or self._season):
            return None
        codes = self._dimensions.codes(batch.numeric, batch.categorical)
        first = len(self._dimensions.segments)
        for rows, line in zip(self._protected, codes[first:], strict=False):
            np.add(rows, np.bincount(line[line >= 0], minlength=rows.size), out=rows)
        if not first and self._season is None:
            return None
        numbers = segment_numbers(self._dimensions, codes)
        if self._season is not None:
            slots = (self._names + self._season.slot_of(batch.times)).astype(np.int16)
            numbers = np.concatenate([numbers, slots[None, :]])
        members = self._state.place(numbers, batch.times)
        return Division(members, [self._state.tally] * count)

    @property
    def segments(self) -> tuple[Profile, ...]:
        """One profile for each of `dimensions.segment_names`."""
        return tuple(self._state.profile(number) for number in range(self._names))

    @property
    def season(self) -> SeasonProfiles | None:
        """The rows by slot of the season, when one was asked for."""
        return None if self._season is None else SeasonProfiles.of(self._season, self._state, first=self._names)

    @property
    def protected_rows(self) -> tuple[int, ...]:
        """Rows of each member of each protected dimension, one dimension after the other."""
        return tuple(int(count) for rows in self._protected for count in rows)


def segment_arrays(segments: Sequence[Profile]) -> dict[str, Ints | Floats]:
    """The profiles as named arrays with one dimension more, the first; nothing where there are none."""
    if not segments:
        return {}
    each = [segment.arrays() for segment in segments]
    return {_PREFIX + name: np.stack([arrays[name] for arrays in each]) for name in each[0]}  # type: ignore[misc]


def segments_from_arrays(layout: Layout, count: int, arrays: Mapping[str, Ints | Floats]) -> tuple[Profile, ...]:
    """Return the inverse of `segment_arrays`; StateError when they are not so many or do not fit the layout."""
    own = {name.removeprefix(_PREFIX): array for name, array in arrays.items() if name.startswith(_PREFIX)}
    if any(len(array) != count for array in own.values()) or (count and "scalars" not in own):
        raise StateError(f"the reference does not hold the profiles of its {count} segments")
    return tuple(
        Profile.from_arrays(layout, {name: array[place] for name, array in own.items()}) for place in range(count)
    )
