"""Who is waited for: partitions that are silent, and sources that have yet to say which partitions they have."""

from collections.abc import Callable, Collection, Iterable, Iterator

import structlog

from driftwatch.daemon.learning import Learner
from driftwatch.evaluation.outcome import Outcome
from driftwatch.monitor import Monitor
from driftwatch.ports.streams import Clock

_log = structlog.get_logger()


class Waiting:
    """Tells monitors whom to wait for and how time passes. passing: the clock by which partitions fall silent.

    everybody: gives the monitors, and whoever stands where one will stand.
    """

    def __init__(self, everybody: Callable[[], Iterable[Monitor | Learner]], passing: Clock) -> None:
        self._everybody = everybody
        self._passing = passing

    def expect(self, families: Collection[str]) -> None:
        """Hold windows open until a partition of each family is announced, or for as long as for a silent one."""
        now_ms = self._passing()
        for monitor in self._everybody():
            monitor.expect(families, now_ms=now_ms)

    def announce(self, partitions: Collection[str]) -> bool:
        """Hold windows open for these partitions; whether that is new, so that it must be saved."""
        now_ms, moved = self._passing(), False
        for monitor in self._everybody():
            before = monitor.windows.progress
            monitor.announce(partitions, now_ms=now_ms)
            moved |= monitor.windows.progress != before
        return moved

    def announce_labels(self, partitions: Collection[str]) -> None:
        """Hold the last looks at windows back for these partitions of labels."""
        for monitor in self._everybody():
            monitor.announce_labels(partitions, now_ms=self._passing())

    def tick(self) -> Iterator[tuple[Outcome, bool]]:
        """Let time pass: of each monitor what that brings about, and whether there is anything to save."""
        now_ms = self._passing()
        for monitor in self._everybody():
            windows = monitor.windows
            progress, expected = windows.progress, windows.expected
            outcome = monitor.tick(now_ms=now_ms)
            given_up = sorted(expected - windows.expected)
            if given_up:
                _log.warning("windows_wait_no_longer", model=monitor.model, unannounced=given_up)
            yield outcome, windows.progress != progress
