"""What each segment is compared with: its own past, not that of all rows."""

from collections.abc import Sequence

from driftwatch.statistics.drift import Baseline
from driftwatch.summaries.layout import SLOTS, Layout
from driftwatch.summaries.profile import Profile

_KEPT_BYTES = 128 << 20
"""What prepared baselines may take; the others are prepared each time they are asked for."""
_SHOWN_COLUMNS = 10_000
"""Of all segments together; with more of them, how rows spread over groups is shown of all rows only."""
_SLOT_BYTES = 80
"""A prepared column's arrays, for each slot."""


class SegmentBaselines:
    """The references of segments, each made ready when it is first asked for.

    Windows ask for all of them in turn. Then keeping the first ones, and never the latest, is what saves most.
    profiles: of the reference's rows of each segment, in the order of `names`.
    """

    def __init__(
        self, layout: Layout, names: Sequence[str], profiles: Sequence[Profile], *, groups: int = 10,
        kept_bytes: int = _KEPT_BYTES,
    ) -> None:  # fmt: skip
        self.names = tuple(names)
        self._layout, self._profiles, self._groups = layout, profiles, groups
        self._number = {name: number for number, name in enumerate(self.names)}
        size = _SLOT_BYTES * (len(layout.numeric) * SLOTS + int(layout.offsets[-1])) + 1
        self._room = kept_bytes // size
        self._kept: dict[str, Baseline] = {}
        self._shown = len(self.names) * len(layout.names) <= _SHOWN_COLUMNS

    def of(self, segment: str) -> Baseline:
        """The baseline of a segment; KeyError when there is no such segment."""
        if segment in self._kept:
            return self._kept[segment]
        profile = self._profiles[self._number[segment]]
        baseline = Baseline.of(self._layout, profile, groups=self._groups, shown=self._shown)
        if len(self._kept) < self._room:
            self._kept[segment] = baseline
        return baseline
