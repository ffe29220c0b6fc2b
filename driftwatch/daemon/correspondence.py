"""What is written to targets of an outcome: its groups, and the letters that each of them becomes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from driftwatch.daemon.occasions import Occasions
from driftwatch.daemon.telemetry import Telemetry
from driftwatch.errors import StateError
from driftwatch.evaluation.casebook import Casebook, Notice
from driftwatch.evaluation.groups import Group
from driftwatch.evaluation.incidents import Incident
from driftwatch.evaluation.outcome import Appeared, Outcome
from driftwatch.ports.letters import Letter, Outbox
from driftwatch.ports.streams import Clock
from driftwatch.sinks.incident_letters import write_incident_letters
from driftwatch.sinks.letters import counts_as_asked, write_letters
from driftwatch.sinks.targets.spec import TargetSpec

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Who is written to, and what of."""

    targets: Sequence[TargetSpec]
    outbox: Outbox
    clock: Clock
    casebook: Casebook
    occasions: Occasions
    base_url: str = ""

    def of(self, outcome: Outcome, *, unsaved: Iterable[Letter]) -> list[Letter]:
        """Write what targets get of an outcome. unsaved: letters that no checkpoint has seen yet."""
        if any(isinstance(event, Appeared) for event in outcome.course):
            self.look_out()  # a request that has just been delivered comes before what it brought about
        before, letters = list(unsaved), list[Letter]()
        for event in self.casebook.hear(outcome, now_ms=self.clock()):
            if isinstance(event, Notice):
                letters += self.of_incidents([event])
                continue
            written = self.letters(event.group, event.incident, unsaved=(*before, *letters))
            requests = [f"{each.type} {each.target}" for each in written if counts_as_asked(each)]
            self.casebook.asked(event.group.lead.step.model, requests)
            letters += written
        return letters

    def of_incidents(self, notices: Iterable[Notice]) -> list[Letter]:
        """Write what targets get of the turns that incidents have taken."""
        letters = list[Letter]()
        for notice in notices:
            drafts = write_incident_letters(
                notice.kind, notice.incident, targets=self.targets, now_ms=self.clock(), base_url=self.base_url
            )
            occasion = self.occasions.occasion(notice.incident, unsaved=letters, base_url=self.base_url)
            letters += self.occasions.under_policies(drafts, self.targets, occasion, model=notice.incident.model)
        return letters

    def passed(self) -> list[Letter]:
        """Let incidents hear of what has been delivered, and of the time; what targets get of that."""
        self.look_out()
        return self.of_incidents(self.casebook.passed(now_ms=self.clock()))

    def look_out(self) -> None:
        """Note of which incidents the first request has been delivered."""
        for incident in list(self.casebook.open.values()):
            if incident.requested_ms is not None:
                continue
            try:
                at_ms = self.outbox.first_delivered_ms(incident.id)
            except StateError as error:  # it is asked again at the next tick
                _log.warning("delivery_unknown", incident=incident.id, error=str(error))
                return
            if at_ms is not None:
                self.casebook.requested(incident.model, at_ms=at_ms)

    def letters(self, group: Group, incident: Incident | None, *, unsaved: Sequence[Letter]) -> list[Letter]:
        """Write the letters of one group, which belongs to this incident."""
        occasion = self.occasions.occasion(incident, unsaved=unsaved, base_url=self.base_url)
        written = write_letters(group, targets=self.targets, occasion=occasion)
        self.occasions.tell(written)
        return written

    def examine(self) -> bool:
        """Look at letters that wait, and at notices that may be repeated; whether any is to be delivered now."""
        return self.occasions.examine(self.targets)


def count_letters(outbox: Outbox, telemetry: Telemetry) -> None:
    """Show how many letters wait; deliveries go on while nothing else happens, so this is asked at every save."""
    try:
        telemetry.outbox(outbox.pending())
    except StateError as error:  # the metrics stay as they were; the checkpoint itself says what is wrong
        _log.warning("letters_uncounted", error=str(error))
