"""The reference of a window is what came right before it: the panes of a period that ends where the window begins.

Panes that are held for late rows are taken one by one. Those let go since are added up in at most GROUPS groups and one
more, in which the period's far end moves; its near end moves with the windows. All versions together are what came: a
version is compared with what went before it, or a new one would never be compared with anything.
"""

from collections.abc import Mapping
from functools import reduce

from driftwatch.errors import StateError
from driftwatch.summaries.against import Against, Span
from driftwatch.summaries.codec import profile_bytes, profile_from_bytes
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.segment_panes import PaneKey

GROUPS = 32
"""Steps in which a period moves on; a shorter one moves pane by pane."""


class Rolling(Against):
    """Compares windows with the `period_ms` before them, once the stream is so old; windows move by pane_ms."""

    def __init__(self, layout: Layout, *, period_ms: int, pane_ms: int) -> None:
        self._layout, self._period = layout, period_ms
        self._step = pane_ms * -(-period_ms // (pane_ms * GROUPS))
        self._gone: dict[int, Profile] = {}
        self._changed: set[int] = set()
        self._last: tuple[list[Profile], Profile | None] = [], None
        self.since: int | None = None

    def reference(self, span: Span, rows: Profile | None, panes: Mapping[PaneKey, Profile]) -> Profile | None:
        """The rows of the period before the window; None before a whole one has been seen, and when it has no rows."""
        if rows is None:
            return None
        start_ms, _ = span
        began = min((pane for pane, _ in panes), default=start_ms)
        began = began if self.since is None else min(began, self.since)
        if began > start_ms - self._period:
            return None
        first = self._group(start_ms - self._period)
        parts = [self._gone[group] for group in sorted(self._gone) if first <= group < start_ms]
        parts += [panes[key] for key in sorted(key for key in panes if first <= key[0] < start_ms)]
        before, known = self._last
        if len(before) != len(parts) or any(one is not two for one, two in zip(before, parts, strict=True)):
            known = reduce(Profile.merge, parts) if parts else None
            self._last = parts, known
        return known

    def let_go(self, panes: Mapping[PaneKey, Profile], *, before: int) -> None:
        """Add panes to their groups, and drop the groups that the windows to come do not reach back to."""
        for key in sorted(panes):
            group, known = self._group(key[0]), self._gone.get(self._group(key[0]))
            self._gone[group] = panes[key] if known is None else known.merge(panes[key])
            self._changed.add(group)
            self.since = key[0] if self.since is None else min(self.since, key[0])
        first = self._group(before - self._period)
        for group in [group for group in self._gone if group < first]:
            del self._gone[group]
            self._changed.add(group)

    def changes(self) -> dict[str, bytes | None]:
        """The groups to write."""
        return {
            self._name(group): profile_bytes(self._gone[group]) if group in self._gone else None
            for group in sorted(self._changed)
        }

    def saved(self) -> None:
        """What had changed has been saved."""
        self._changed.clear()

    def resume(self, chunks: Mapping[str, bytes], *, since: int | None) -> list[str]:
        """Go on from groups of the same period and step; others are of no use, and the period begins anew."""
        useless = [name for name in chunks if not name.startswith(self._name())]
        for name, data in chunks.items():
            if name not in useless:
                start = name.removeprefix(self._name())
                if not start.removeprefix("-").isdigit():
                    raise StateError(f"no chunk of a rolling reference is called {name}")
                self._gone[int(start)] = profile_from_bytes(self._layout, data)
        self.since = since if self._gone or not chunks else None
        return useless

    def held(self) -> dict[int, Profile]:
        """The groups, by their start."""
        return dict(self._gone)

    def _group(self, moment_ms: int) -> int:
        return moment_ms // self._step * self._step

    def _name(self, group: int | None = None) -> str:
        return f"{self._period}/{self._step}/{'' if group is None else group}"
