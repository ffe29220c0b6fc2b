"""What is written to targets of an outcome: its groups, and the letters that each of them becomes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from driftwatch.errors import StateError
from driftwatch.evaluation.groups import Group, Importance, grouped
from driftwatch.evaluation.incidents import Incident
from driftwatch.evaluation.outcome import Outcome
from driftwatch.ports.letters import Letter, Outbox
from driftwatch.ports.streams import Clock
from driftwatch.sinks.letters import Addressee, write_letters

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Who is written to, and what of. importance: of each model's columns, by which letters rank them."""

    targets: Sequence[Addressee]
    importance: Mapping[str, Importance]
    outbox: Outbox
    clock: Clock
    base_url: str = ""

    def of(self, outcome: Outcome, *, unsaved: Iterable[Letter]) -> list[Letter]:
        """Write what targets get of an outcome. unsaved: letters that no checkpoint has seen yet."""
        before, letters = list(unsaved), list[Letter]()
        said = (*outcome.reports, *outcome.grounds)
        for group in grouped(outcome.transitions, said, importance=self.importance):
            letters += self.letters(group, None, unsaved=(*before, *letters))
        return letters

    def letters(self, group: Group, incident: Incident | None, *, unsaved: Sequence[Letter]) -> list[Letter]:
        """Write the letters of one group, which belongs to this incident."""
        return write_letters(
            group,
            targets=self.targets,
            last_sent_ms=lambda target, key: self._last_sent_ms(target, key, unsaved=unsaved),
            now_ms=self.clock(),
            base_url=self.base_url,
            incident=incident,
        )

    def _last_sent_ms(self, target: str, key: str, *, unsaved: Iterable[Letter]) -> int | None:
        of_late = [letter.created_ms for letter in unsaved if (letter.target, letter.key) == (target, key)]
        if of_late:
            return max(of_late)
        try:
            return self.outbox.last_sent_ms(target, key)
        except StateError as error:  # rather one request too many than none
            _log.error("cooldown_unknown", target=target, error=str(error))
            return None
