"""The letters that were written before: those in the outbox, and those that no checkpoint has seen yet."""

from collections.abc import Callable, Sequence

import structlog

from driftwatch.errors import StateError
from driftwatch.evaluation.events import EventType
from driftwatch.ports.letters import Letter, Outbox

_log = structlog.get_logger()


class OutboxPast:
    """What the policies of targets ask about the past. An outbox that cannot be read counts as empty.

    So rather one request too many is made than none.
    """

    def __init__(self, outbox: Outbox, unsaved: Sequence[Letter]) -> None:
        self._outbox, self._unsaved = outbox, unsaved

    def asked(self, target: str, key: str) -> Sequence[Letter]:
        """Give the letters with this key, the newest first."""
        of_late = [each for each in reversed(self._unsaved) if (each.target, each.key) == (target, key)]
        return [*of_late, *self._read(target, lambda: self._outbox.asked(target, key))]

    def told(self, target: str, lane: str, alerts: Sequence[str]) -> Sequence[Letter]:
        """Give the letters of a lane that tell of one of these alerts, but not of its end."""
        of_late = [
            each
            for each in self._unsaved
            if (each.target, each.lane) == (target, lane)
            and each.type != EventType.RESOLVED
            and not set(alerts).isdisjoint(each.alerts)
        ]
        return [*of_late, *self._read(target, lambda: self._outbox.told(target, lane, alerts))]

    def _read(self, target: str, ask: Callable[[], Sequence[Letter]]) -> Sequence[Letter]:
        try:
            return ask()
        except StateError as error:
            _log.error("past_unknown", target=target, error=str(error))
            return ()
