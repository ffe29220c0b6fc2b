"""What each segment is compared with: its own past, not that of all rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from driftwatch.statistics.drift import Baseline
from driftwatch.statistics.witness import Witness
from driftwatch.summaries.layout import SLOTS, Layout
from driftwatch.summaries.profile import Profile

_KEPT_BYTES = 128 << 20
"""What prepared baselines may take; the others are prepared each time they are asked for."""
_SHOWN_COLUMNS = 10_000
"""Of all segments together; with more of them, how rows spread over groups is shown of all rows only."""
_SLOT_BYTES = 80
"""A prepared column's arrays, for each slot."""


@dataclass(frozen=True, slots=True)
class Standard:
    """What rows are compared with: for the statistics, and for the evidence where a budget goes by it."""

    baseline: Baseline
    witness: Witness | None = None


class SegmentBaselines:
    """The references of segments, each made ready when it is first asked for.

    Windows ask for all of them in turn. Then keeping the first ones, and never the latest, is what saves most.
    profiles: of the reference's rows of each segment, in the order of `names`.
    """

    def __init__(
        self, layout: Layout, names: Sequence[str], profiles: Sequence[Profile], *, groups: int = 10,
        kept_bytes: int = _KEPT_BYTES, witness: Callable[[Profile], Witness] | None = None,
    ) -> None:  # fmt: skip
        self.names = tuple(names)
        self._witness = witness
        self._layout, self._profiles, self._groups = layout, profiles, groups
        self._number = {name: number for number, name in enumerate(self.names)}
        size = _SLOT_BYTES * (len(layout.numeric) * SLOTS + int(layout.offsets[-1])) + 1
        self._room = kept_bytes // size
        self._kept: dict[str, Standard] = {}
        self._shown = len(self.names) * len(layout.names) <= _SHOWN_COLUMNS

    def of(self, segment: str) -> Standard:
        """What a segment is compared with; KeyError when there is no such segment."""
        if segment in self._kept:
            return self._kept[segment]
        profile = self._profiles[self._number[segment]]
        baseline = Baseline.of(self._layout, profile, groups=self._groups, shown=self._shown)
        standard = Standard(baseline, None if self._witness is None else self._witness(profile))
        if len(self._kept) < self._room:
            self._kept[segment] = standard
        return standard
