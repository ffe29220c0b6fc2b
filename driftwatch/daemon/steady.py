"""Time in which nobody spoke, as the process lived it: a clock that only goes on, and never leaps."""

from driftwatch.ports.streams import Clock

MAX_STEP_MS = 10_000
"""The engine asks every second. What passes between two questions beyond this was no waiting: the clock was set, or the
process or its machine was stopped (SIGSTOP, a closed lid), and events of that time are still to be read."""


class SteadyClock:
    """Milliseconds that have passed since the wall clock's first answer, beginning with it. For one thread.

    A wall clock that is set back stands still here, one that is set forth moves this by MAX_STEP_MS at most.
    """

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._last = self._now = wall()

    def __call__(self) -> int:
        """Give the time."""
        wall = self._wall()
        self._now += min(max(wall - self._last, 0), MAX_STEP_MS)
        self._last = wall
        return self._now
