"""What is known when letters are written, and what a target's policies make of a letter then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from driftwatch.evaluation.alarm import Alarm
from driftwatch.evaluation.incidents import Incident
from driftwatch.evaluation.policies import (
    Begun,
    Matter,
    PolicySpec,
    Ruling,
    Withheld,
    after_beginning,
    counts,
    matter_of,
    ruled,
    unfulfilled,
    unwanted,
)
from driftwatch.evaluation.silences import Silence, silenced_until_ms
from driftwatch.ports.letters import Letter


class Past(Protocol):
    """The letters that were written before, saved or not; their bodies need not be there."""

    def asked(self, target: str, key: str) -> Sequence[Letter]:
        """Those with this key, such as requests of one kind for one model, the newest first; not endlessly many."""

    def told(self, target: str, lane: str, alerts: Sequence[str]) -> Sequence[Letter]:
        """Those of a lane that tell of one of these alerts, but not of its end."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """A moment at which letters are written.

    firing: the alerts that fire now, of any model. importance: by model, of its columns. incident: what the letters
    belong to. base_url: for links.
    """

    now_ms: int
    past: Past
    silences: Sequence[Silence] = ()
    firing: Sequence[Alarm] = ()
    importance: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    incident: Incident | None = None
    base_url: str = ""

    def firing_of(self, model: str) -> list[Alarm]:
        """The alerts of a model that fire now."""
        return [alarm for alarm in self.firing if alarm.model == model]

    def are_silenced(self, alarms: Sequence[Alarm]) -> bool:
        """Whether nobody is to hear of any of these now."""
        return silenced_until_ms(alarms, self.silences, now_ms=self.now_ms) > self.now_ms


def under_policies(
    letter: Letter, policy: PolicySpec, *, model: str, alarms: Sequence[Alarm], occasion: Occasion
) -> Letter:
    """Decide whether a letter about a model is sent, waits, or is dropped; a dropped one is kept without its body.

    alarms: the alerts that it tells of; without any it is neither silenced nor less grave than anything.
    """
    matter, now_ms = matter_of(letter.type, alarms), occasion.now_ms
    reason = unwanted(policy, matter)
    if (
        reason is None
        and matter.request
        and unfulfilled(policy, occasion.firing_of(model), occasion.importance.get(model, {}))
    ):
        reason = Withheld.ONLY_IF
    ruling = Ruling(reason) if reason else _ruled(letter, policy, matter, alarms=alarms, occasion=occasion)
    if ruling.state == "dropped":
        return replace(letter, state="dropped", body=b"", last_result=str(ruling.reason))
    return replace(
        letter,
        state=ruling.state,
        hold=str(ruling.reason or ""),
        release_ms=ruling.release_ms,
        expires_ms=ruling.expires_ms,
        next_ms=now_ms,
    )


def _ruled(
    letter: Letter, policy: PolicySpec, matter: Matter, *, alarms: Sequence[Alarm], occasion: Occasion
) -> Ruling:
    asked: Sequence[Letter] = ()
    if matter.request and (policy.cooldown or policy.at_most):
        asked = occasion.past.asked(letter.target, letter.key)
    ruling = ruled(
        policy,
        matter,
        silenced_until_ms=silenced_until_ms(alarms, occasion.silences, now_ms=occasion.now_ms),
        asked_ms=[each.created_ms for each in asked if is_counted(each)],
        now_ms=occasion.now_ms,
    )
    if not matter.end:
        return ruling
    told = occasion.past.told(letter.target, letter.lane, letter.alerts)
    return after_beginning(ruling, [Begun(each.state, each.hold, each.release_ms) for each in told])


def is_counted(letter: Letter) -> bool:
    """Whether a request counts as one that was made."""
    return counts(letter.state, hold=letter.hold, last_result=letter.last_result)
