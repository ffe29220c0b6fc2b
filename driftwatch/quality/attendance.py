"""Who came: the stream of one model by window, all versions together, and the windows to which nobody came.

A window without rows is reported where the reference says that rows should have come; it stands under the version that
had most rows before. After QUIET of them in a row there is nothing new to say. Of windows that are counted in rows
there is nothing to say at all: each holds as many.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from driftwatch.quality.pending import WindowKey
from driftwatch.quality.repeats import Repeats
from driftwatch.statistics.reading import Reading
from driftwatch.statistics.traffic import Traffic, Usual, duplicates
from driftwatch.stream.batch import Batch
from driftwatch.stream.versions import OTHER_VERSION, Versions
from driftwatch.stream.windows import NEVER, WindowSpec
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.segment_panes import PaneKey

QUIET = 24
"""Windows without rows that are reported one after the other."""

_FURTHEST = 2_000
"""Windows that are looked through for them at a time: the clock may jump by years."""


@dataclass(slots=True)
class Attended:
    """All of it that must survive. first_ms, last_ms: earliest row when windows first closed, latest of closed windows.

    duplicates: version → pane → events that came again before the pane's windows closed.
    leading: the version with most rows in the last window that had any. quiet: windows reported without rows since.
    """

    duplicates: dict[str, dict[int, int]] = field(default_factory=dict)
    first_ms: int | None = None
    last_ms: int = NEVER
    leading: str = ""
    quiet: int = 0


class Again:
    """The events of a batch that had come before, each told in its turn among the new ones; new: (events,) those."""

    def __init__(self, batch: Batch, new: NDArray[np.bool_]) -> None:
        self._events = None if new.all() else batch.where(~new)
        self._after = np.cumsum(new)[~new]
        self._told = 0

    def until(self, rows: int) -> Iterator[tuple[int, str]]:
        """Time in ms and version of those that stand before the last of the first so many new rows."""
        first, self._told = self._told, max(self._told, int(np.searchsorted(self._after, rows)))
        if self._events is not None:
            part = self._events.between(first, self._told)
            yield from zip(part.times.tolist(), [part.version_names[code] for code in part.versions], strict=True)


class Attendance:
    """Follows the stream of a model. usual: None where the reference has no times. repeats: of its unique columns."""

    def __init__(self, spec: WindowSpec, usual: Usual | None = None, repeats: Repeats | None = None) -> None:
        self._size, self._pane, self._usual = spec.size or 0, spec.pane_ms, usual
        self.repeats = repeats
        self.attended = Attended()
        self._closing: dict[int, tuple[Traffic, str]] = {}

    def again(self, events: Iterable[tuple[int, str]], known: Versions) -> None:
        """Events came that had come before: time in ms and version of each, by the name under which it is known."""
        for time, name in events if self._pane else ():
            version = name if name in known.known else OTHER_VERSION
            counts = self.attended.duplicates.setdefault(version, {})
            pane = time // self._pane * self._pane
            counts[pane] = counts.get(pane, 0) + 1

    @property
    def spans_versions(self) -> bool:
        """Whether the report of one version rests on the rows of the others."""
        return self._usual is not None and self._pane > 0

    def close(
        self, issued: int, due: int, held: Collection[WindowKey], panes: Mapping[PaneKey, Profile], *,
        finished: bool = False,
    ) -> set[WindowKey]:  # fmt: skip
        """Let windows close that end after `issued` and not after `due`; held: those with rows among them.

        Gives those without rows that should have had some. finished: the input has ended, and has not fallen silent.
        """
        missed: set[WindowKey] = set()
        self._closing, attended = {}, self.attended
        if self.repeats is not None:
            self.repeats.close(held, due)
        if not self.spans_versions:
            return missed
        if attended.first_ms is None:
            attended.first_ms = min((profile.first_ms for profile in panes.values()), default=None)
        with_rows = {end for end, _ in held}
        ends = with_rows if issued < NEVER // 2 else with_rows.union(self._ends(issued, due))
        for end in sorted(ends):
            if end in with_rows:
                traffic, attended.leading = self._traffic(end, panes)
                attended.last_ms = max(attended.last_ms, traffic.last_ms or NEVER)
                attended.quiet = 0
            elif self._is_missed(end):
                traffic = self._traffic(end, {})[0]
                attended.quiet += 1
                missed.add((end, attended.leading))
            else:
                continue
            self._closing[end] = traffic, attended.leading
        if finished:
            self._end(max((profile.last_ms for profile in panes.values()), default=NEVER))
        return missed

    def readings(self, key: WindowKey, panes: Mapping[PaneKey, Profile], *, rows: int) -> tuple[Reading, ...]:
        """What there is to say of the stream in the report of a window of one version, which has so many rows.

        Its own duplicates, and those of the values of unique columns; where the reference knows the week, in the report
        of the version that has most of the window's rows, volume and freshness of all versions together.
        """
        repeats = () if self.repeats is None else self.repeats.readings(key)
        if not self._pane:
            return repeats
        end, version = key
        counts = self.attended.duplicates.get(version, {})
        own = (duplicates(rows, sum(counts.get(pane, 0) for pane in self._window(end))), *repeats)
        if self._usual is None:
            return own
        traffic, leading = self._closing.get(end) or self._traffic(end, panes)
        return (*self._usual.readings(traffic), *own) if version == leading else own

    def forget(self, before: int) -> None:
        """Panes that start before this are needed no more."""
        if self.repeats is not None:
            self.repeats.forget(before)
        kept = {
            version: {pane: count for pane, count in counts.items() if pane >= before}
            for version, counts in self.attended.duplicates.items()
        }
        self.attended.duplicates = {version: counts for version, counts in kept.items() if counts}

    def _window(self, end: int) -> range:
        return range(end - self._size, end, self._pane)

    def _ends(self, issued: int, due: int) -> range:
        return range(issued + self._pane, due + 1, self._pane)[:_FURTHEST]

    def _traffic(self, end: int, panes: Mapping[PaneKey, Profile]) -> tuple[Traffic, str]:
        """What came in the window with this end, and the version that has most of its rows."""
        window, first_ms = self._window(end), self.attended.first_ms
        rows: dict[str, int] = {}
        last_ms = min(self.attended.last_ms, end - 1)
        for (pane, name), profile in panes.items():
            if pane in window:
                rows[name] = rows.get(name, 0) + profile.rows
                last_ms = max(last_ms, profile.last_ms)
        known_ms = last_ms if last_ms > NEVER // 2 else None
        leading = max(rows, key=lambda name: (rows[name], name), default="")
        begun = first_ms is not None and first_ms <= window.start
        return Traffic(window.start, end, sum(rows.values()), known_ms, whole=begun), leading

    def _end(self, reached_ms: int) -> None:
        """The input has ended: windows that reach beyond its last row are not whole, and nobody has fallen silent."""
        for end, (traffic, leading) in self._closing.items():
            if end - 1 > reached_ms:
                self._closing[end] = replace(traffic, whole=False, last_ms=None), leading

    def _is_missed(self, end: int) -> bool:
        attended, usual = self.attended, self._usual
        if usual is None or not attended.leading or attended.quiet >= QUIET:
            return False
        return usual.missed(end - self._size, end)
