"""Who came: the stream of one model by window, all versions together, and the windows to which nobody came.

A window without rows is reported where the reference says that rows should have come; it stands under the version that
had most rows before. After QUIET of them in a row there is nothing new to say.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from driftwatch.quality.pending import WindowKey
from driftwatch.statistics.reading import Reading
from driftwatch.statistics.traffic import Traffic, Usual, duplicates
from driftwatch.stream.batch import Ints
from driftwatch.stream.windows import NEVER, WindowSpec
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.segment_panes import PaneKey

QUIET = 24
"""Windows without rows that are reported one after the other."""

_FURTHEST = 2_000
"""Windows that are looked through for them at a time: the clock may jump by years."""


@dataclass(slots=True)
class Attended:
    """All of it that must survive. duplicates: pane → events that came again. last_ms: latest row of closed windows.

    leading: the version with most rows in the last window that had any. quiet: windows reported without rows since.
    """

    duplicates: dict[int, int] = field(default_factory=dict)
    last_ms: int = NEVER
    leading: str = ""
    quiet: int = 0


class Attendance:
    """Follows the stream of a model whose windows are windows of time. usual: None where the reference has no times."""

    def __init__(self, spec: WindowSpec, usual: Usual | None) -> None:
        assert spec.rows is None, "windows counted in rows always hold as many"
        self._size, self._pane, self._usual = spec.size or 0, spec.pane_ms, usual
        self.attended = Attended()

    def again(self, times: Ints) -> None:
        """Events came that had come before; times: (events,) in ms."""
        counts = self.attended.duplicates
        for pane in (times // self._pane * self._pane).tolist():
            counts[pane] = counts.get(pane, 0) + 1

    def missed(self, issued: int, due: int, held: Collection[WindowKey]) -> set[WindowKey]:
        """Windows that end after `issued` and not after `due`, are not `held`, and should have had rows."""
        attended = self.attended
        if self._usual is None or not attended.leading or issued < NEVER // 2:
            return set()
        with_rows, found = {end for end, _ in held}, set()
        quiet = attended.quiet
        for end in range(issued + self._pane, due + 1, self._pane)[:_FURTHEST]:
            if end in with_rows:
                quiet = 0
            elif quiet < QUIET and self._usual.missed(end - self._size, end):
                found.add((end, attended.leading))
                quiet += 1
        return found

    def traffic(self, key: WindowKey, panes: Mapping[PaneKey, Profile]) -> Traffic | None:
        """What came in a window, for the report of the version that has most of its rows; None for the others'."""
        end, version = key
        window = range(end - self._size, end, self._pane)
        rows: dict[str, int] = {}
        last_ms = min(self.attended.last_ms, end - 1)
        for (pane, name), profile in panes.items():
            if pane in window and profile.rows:
                rows[name] = rows.get(name, 0) + profile.rows
                last_ms = max(last_ms, profile.last_ms)
        if version != (_leader(rows) or self.attended.leading):
            return None
        again = sum(self.attended.duplicates.get(pane, 0) for pane in window)
        return Traffic(window.start, end, sum(rows.values()), again, last_ms if last_ms > NEVER // 2 else None)

    def readings(self, traffic: Traffic) -> tuple[Reading, ...]:
        """Volume and freshness where the reference knows the week, and duplicates."""
        return (duplicates(traffic),) if self._usual is None else self._usual.readings(traffic)

    def close(self, end: int, panes: Mapping[PaneKey, Profile]) -> None:
        """Windows up to this end have been reported for the first time; called for each, in order."""
        window = range(end - self._size, end, self._pane)
        attended = self.attended
        rows: dict[str, int] = {}
        for (pane, name), profile in panes.items():
            if pane in window and profile.rows:
                rows[name] = rows.get(name, 0) + profile.rows
                attended.last_ms = max(attended.last_ms, profile.last_ms)
        attended.leading = _leader(rows) or attended.leading
        attended.quiet = 0 if rows else attended.quiet + 1

    def forget(self, before: int) -> None:
        """Panes that start before this are needed no more."""
        counts = self.attended.duplicates
        for pane in [pane for pane in counts if pane < before]:
            del counts[pane]


def _leader(rows: Mapping[str, int]) -> str:
    return max(rows, key=lambda name: (rows[name], name), default="")
