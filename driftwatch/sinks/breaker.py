"""A circuit breaker: is a target down, and may it be asked again."""

from enum import IntEnum

FAILURES = 5
"""So many attempts in a row that say that the target is down open the circuit."""

_FIRST_OPEN_MS, _LONGEST_OPEN_MS = 30_000, 300_000


class Circuit(IntEnum):
    """The state: the value of `driftwatch_target_circuit_state`."""

    CLOSED = 0
    HALF_OPEN = 1
    """One letter may go, to see whether the target is back."""
    OPEN = 2
    """Nothing is sent; the letters wait and use up no attempt of theirs."""


class Breaker:
    """Counts one target's failures. It is told the time (ms), and remembers until the process ends.

    An open circuit lasts 30 s, twice as long after each probe that fails, at most 5 min: less than any wait of a letter
    that failed alone often enough to open it (30 min and more), so one letter's schedule is never stretched.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._opened = 0
        self._open_until_ms = 0

    def state(self, now_ms: int) -> Circuit:
        """Say whether it is closed, open, or open for long enough to try."""
        if not self._opened:
            return Circuit.CLOSED
        return Circuit.OPEN if now_ms < self._open_until_ms else Circuit.HALF_OPEN

    def failed(self, now_ms: int) -> None:
        """Count an attempt that says that the target is down."""
        self._failures += 1
        if self._failures >= FAILURES:
            # The end is set first, so that another thread never sees an open circuit that ended long ago.
            self._open_until_ms = now_ms + min(_FIRST_OPEN_MS << min(self._opened, 10), _LONGEST_OPEN_MS)
            self._opened += 1

    def answered(self) -> None:
        """Close the circuit: the target is there, whatever it said."""
        self._failures = self._opened = 0
