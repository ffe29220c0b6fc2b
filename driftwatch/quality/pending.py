"""Which windows are looked at again, and when: as their labels come, and once more when none is waited for.

A window is looked at as it closes; then at ages of 1, 2, 4, 8, … steps of its windows, if labels have come since; and a
last time `label_wait` after its end. Ages are counted in event time, so that a replay looks at the same moments.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from driftwatch.evaluation.report import Window

WindowKey = tuple[int, str]
"""The end of a window, or its ordinal + 1, and the version."""
Decided = tuple[str, str]
"""A rule, and the segment of a window whose metrics it has judged: "" for all of it."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A window that was reported and may be again.

    looked: how far windows had closed at the last look. mark: what had come by then, see `Performance`.
    decided: rules that have judged its metrics, by segment. final: no more labels are waited for, though late rows may
    come.
    """

    window: Window
    looked: int
    mark: int = 0
    decided: frozenset[Decided] = frozenset()
    final: bool = False


@dataclass(slots=True)
class Agenda:
    """The windows that may be reported again.

    changed: those that were noted or let go since the last checkpoint.
    unit: one step of windows, ms, or 1 where they are counted. wait_ms: how long labels are waited for. keep_ms: how
    long late rows may change a window.
    """

    unit: int
    wait_ms: int
    keep_ms: int
    windows: dict[WindowKey, Pending] = field(default_factory=dict)
    changed: set[WindowKey] = field(default_factory=set)

    def note(self, key: WindowKey, pending: Pending) -> None:
        """A window was looked at."""
        self.windows[key] = pending
        self.changed.add(key)

    def due(self, closed: int, *, matured_ms: int) -> set[WindowKey]:
        """Windows to look at now that windows have closed so far, and labels are complete up to `matured_ms`."""
        return {
            key
            for key, pending in self.windows.items()
            if not pending.final
            and (self.matured(pending.window, matured_ms) or self._aged(key[0], pending.looked, closed))
        }

    def matured(self, window: Window, matured_ms: int) -> bool:
        """Whether no more labels of a window are waited for."""
        return window.end_ms + self.wait_ms <= matured_ms

    def forget(self, matured_ms: int) -> None:
        """Let go of the windows that nothing can change any more."""
        longest_ms = max(self.wait_ms, self.keep_ms)
        for key, pending in list(self.windows.items()):
            if pending.window.end_ms + longest_ms <= matured_ms:
                del self.windows[key]
                self.changed.add(key)

    def _aged(self, end: int, looked: int, closed: int) -> bool:
        """Whether a power of two of steps has passed since the last look."""
        return _doublings(closed - end, self.unit) > _doublings(looked - end, self.unit)


def _doublings(age: int, unit: int) -> int:
    return (age // unit).bit_length() if age > 0 else 0


def earliest(windows: Mapping[WindowKey, Pending]) -> int | None:
    """The least key of a window that may be reported again; None while there is none."""
    return min((end for end, _ in windows), default=None)
