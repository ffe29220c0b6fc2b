"""What policies ask of a running service whenever letters are written, and what they withhold, told in log and metric.

Everything here belongs to the engine's thread.
"""

from collections.abc import Iterable, Sequence

import structlog

from driftwatch.daemon.doors import Doors
from driftwatch.daemon.past import OutboxPast
from driftwatch.errors import StateError
from driftwatch.evaluation.alarm import alarm_of
from driftwatch.evaluation.alerts import State
from driftwatch.evaluation.incidents import Incident
from driftwatch.evaluation.silences import Silence
from driftwatch.ports.letters import Letter
from driftwatch.sinks.occasion import Occasion, under_policies
from driftwatch.sinks.targets.spec import TargetSpec

_log = structlog.get_logger()


class Occasions:
    """Knows what was sent, what fires, and what is silenced."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def occasion(self, incident: Incident | None, *, unsaved: Sequence[Letter], base_url: str) -> Occasion:
        """See how things stand now. unsaved: letters that no checkpoint has seen yet."""
        now_ms = self._doors.clock()
        steps = self._doors.board.picture.alerts.values()
        return Occasion(
            now_ms=now_ms,
            past=OutboxPast(self._doors.outbox, unsaved),
            silences=self._unexpired(now_ms),
            firing=[alarm_of(step) for step in steps if step.state is State.FIRING],
            importance=self._doors.importance,
            incident=incident,
            base_url=base_url,
        )

    def examine(self, targets: Iterable[TargetSpec]) -> bool:
        """Look at letters that wait and at notices that may be repeated; whether any is to be delivered now."""
        try:
            changed = self._doors.outbox.examine({spec.name: spec for spec in targets}, now_ms=self._doors.clock())
        except StateError as error:  # it is asked again at the next tick
            _log.warning("letters_unexamined", error=str(error))
            return False
        self.tell(changed)
        return any(letter.state == "pending" for letter in changed)

    def under_policies(
        self, drafts: Iterable[Letter], targets: Iterable[TargetSpec], occasion: Occasion, *, model: str
    ) -> list[Letter]:
        """Apply their targets' policies to letters about a model, and tell what comes of it."""
        policies = {spec.name: spec for spec in targets}
        written = [
            under_policies(
                letter,
                policies[letter.target],
                model=model,
                alarms=[alarm for alarm in occasion.firing if alarm.id in letter.alerts],
                occasion=occasion,
            )
            for letter in drafts
        ]
        self.tell(written)
        return written

    def tell(self, letters: Iterable[Letter]) -> None:
        """Tell in the log, and count, which letters wait or are dropped, and why."""
        for letter in letters:
            if letter.state == "pending":
                if letter.repeats:
                    _log.info("letter_repeated", target=letter.target, webhook_id=letter.sent_as)
                continue
            reason = letter.hold if letter.state == "held" else letter.last_result
            self._doors.telemetry.withheld(letter.target, reason)
            _log.info("letter_withheld", target=letter.target, webhook_id=letter.id, event_type=letter.type,
                      state=letter.state, reason=reason, alert=letter.alert_id)  # fmt: skip

    def _unexpired(self, now_ms: int) -> Sequence[Silence]:
        if self._doors.silences is None:
            return ()
        try:
            return self._doors.silences.unexpired(now_ms=now_ms)
        except StateError as error:  # rather a word too many than none
            _log.error("silences_unknown", error=str(error))
            return ()
