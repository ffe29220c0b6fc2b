"""What a profile says of all rows of a pane, said of each segment of them: a state that is added to in place.

A segment without a row takes no room. Conservation: the segments of a dimension without conditions add up to the whole.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.kernels.tallying import Places, Tally
from driftwatch.stream.dimensions import Dimensions
from driftwatch.summaries.codec import pack, unpack
from driftwatch.summaries.layout import FINITE, SLOTS, Ints, Layout
from driftwatch.summaries.numeric import Numeric
from driftwatch.summaries.profile import NEVER_FIRST, NEVER_LAST, Profile

CHUNK = 32
"""Segments that are stored together: what has changed is written by chunks."""
_KIND = "segments"


def segment_numbers(dimensions: Dimensions, codes: Places) -> Places:
    """(segment dimensions, rows) the number of the segment that each row is in, -1 for none; codes: of `Dimensions`."""
    first = dimensions.segment_offsets[:-1, None].astype(np.int16)
    members = codes[: len(first)]
    numbers: Places = np.where(members >= 0, members + first, np.int16(-1))
    return numbers


class Segmented:
    """The rows of each of `count` segments; of a segment at most 2³¹ in a pane.

    held: the segments that have rows, in the order of the tally's cells. times: (cells, 3) rows, first and last event
    time of each. changed: the chunks that have taken rows since somebody emptied this.
    """

    def __init__(self, layout: Layout, count: int) -> None:
        self.layout, self.count = layout, count
        self._places = np.full(count + 1, -1, dtype=np.int32)  # the last one stays: what is in no segment
        self.held: list[int] = []
        self.times = np.empty((0, 3), dtype=np.int64)
        self.tally = self._empty(0)
        self.changed: set[int] = set()

    @property
    def present(self) -> tuple[int, ...]:
        """The segments that have rows, ascending."""
        return tuple(sorted(self.held))

    @property
    def size_bytes(self) -> int:
        """What its arrays take."""
        return self.tally.size_bytes + self.times.nbytes

    def place(self, numbers: Places, times: Ints) -> Places:
        """Make room for rows and say which of the tally's cells each is to be added to, (ways, rows), -1 for none.

        numbers: (ways, rows) as `segment_numbers` gives them. times: (rows,) ms. Their numbers and times are counted
        here; their values are for whoever adds them to the tally.
        """
        met = np.zeros(self.count + 1, dtype=np.bool_)
        for line in numbers:
            met[line] = True
        used = np.flatnonzero(met[:-1])
        self._admit(used[self._places[used] < 0].tolist())
        self.changed.update((used // CHUNK).tolist())
        places: Places = self._places[numbers]
        for line in places:
            kept = line >= 0
            cells, moments = line[kept], times[kept]
            np.add.at(self.times[:, 0], cells, 1)
            np.minimum.at(self.times[:, 1], cells, moments)
            np.maximum.at(self.times[:, 2], cells, moments)
        return places

    def absorb(self, other: "Segmented") -> None:
        """Add another one's rows; StateError when it was counted over another layout or of other segments."""
        if (self.layout.fingerprint, self.count) != (other.layout.fingerprint, other.count):
            raise StateError("segments counted over different layouts do not add")
        self._admit([number for number in other.held if self._places[number] < 0])
        places = self._places[other.held].astype(np.int64)
        self.tally.absorb(other.tally, places)
        self.times[places, 0] += other.times[: places.size, 0]
        self.times[places, 1] = np.minimum(self.times[places, 1], other.times[: places.size, 1])
        self.times[places, 2] = np.maximum(self.times[places, 2], other.times[: places.size, 2])
        self.changed |= {number // CHUNK for number in other.held}

    def rows(self, number: int) -> int:
        """How many rows a segment has."""
        place = int(self._places[number])
        return 0 if place < 0 else int(self.times[place, 0])

    def profile(self, number: int) -> Profile:
        """A segment's rows as a profile."""
        place = int(self._places[number])
        if place < 0:
            return Profile.empty(self.layout)
        tally, (rows, first_ms, last_ms) = self.tally, self.times[place].tolist()
        return Profile(
            fingerprint=self.layout.fingerprint,
            rows=rows,
            first_ms=first_ms,
            last_ms=last_ms,
            numeric=Numeric(
                counts=tally.counts[place].astype(np.int64),
                sums=tally.sums[place, :, :FINITE].copy(),
                squares=tally.squares[place].copy(),
                minima=tally.minima[place].copy(),
                maxima=tally.maxima[place].copy(),
            ),
            categories=tally.categories[place].astype(np.int64),
        )

    def chunk(self, number: int) -> bytes:
        """Write the segments of one chunk; of sums only those of bins that hold something."""
        held = [each for each in self.present if each // CHUNK == number]
        places = self._places[held]
        counts = self.tally.counts[places]
        arrays: dict[str, NDArray[Any]] = {
            "segments": np.array(held, dtype=np.int64),
            "times": self.times[places],
            "counts": counts,
            "sums": self.tally.sums[places][counts > 0],
            "squares": self.tally.squares[places],
            "minima": self.tally.minima[places],
            "maxima": self.tally.maxima[places],
            "categories": self.tally.categories[places],
        }
        return pack({"kind": _KIND, "fingerprint": self.layout.fingerprint}, arrays)

    @classmethod
    def from_chunks(cls, layout: Layout, count: int, chunks: Iterable[bytes]) -> "Segmented":
        """Read what `chunk` has written; StateError when it is damaged or of another layout."""
        found = cls(layout, count)
        for data in chunks:
            meta, arrays = unpack(data)
            if (meta.get("kind"), meta.get("fingerprint")) != (_KIND, layout.fingerprint):
                raise StateError("holds no segments of this layout")
            found._take(arrays)
        found.changed.clear()
        return found

    def _take(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        held = arrays["segments"].tolist()
        self._admit(held)
        places = self._places[held]
        self.times[places] = arrays["times"]
        sums = np.zeros(arrays["counts"].shape)
        sums[arrays["counts"] > 0] = arrays["sums"]
        self.tally.sums[places] = sums
        for name in ("counts", "squares", "minima", "maxima", "categories"):
            getattr(self.tally, name)[places] = arrays[name]

    def _admit(self, numbers: list[int]) -> None:
        """Give segments a place in the arrays, which grow by half when they are full."""
        if not numbers:
            return
        self._places[numbers] = range(len(self.held), len(self.held) + len(numbers))
        self.held += numbers
        if len(self.held) > len(self.times):
            cells = min(self.count, max(len(self.held), len(self.times) * 3 // 2))
            self.tally = self.tally.resized(cells)
            times = np.empty((cells, 3), dtype=np.int64)
            times[:] = 0, NEVER_FIRST, NEVER_LAST
            times[: len(self.times)] = self.times
            self.times = times

    def _empty(self, cells: int) -> Tally:
        layout = self.layout
        return Tally.empty(cells, columns=len(layout.numeric), slots=SLOTS, categories=int(layout.offsets[-1]))
