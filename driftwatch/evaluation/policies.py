"""When a letter waits, or is not written: what a target's table says, as pure functions. The time is an argument."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from driftwatch.evaluation.alarm import SEVERITIES, Alarm
from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.kinds import KINDS, kind_of
from driftwatch.evaluation.quiet import QuietHoursSpec, quiet_until_ms
from driftwatch.spec import DurationMs, PositiveDurationMs, Rate, Spec, meant, rate

_DAY_MS = 86_400_000
Severity = Literal["info", "warning", "critical"]


class Withheld(StrEnum):
    """Why a letter waits or is not sent: the label `reason` of `driftwatch_letters_withheld_total`."""

    APPROVAL = "approval"
    """It waits until somebody approves."""
    SILENCED = "silenced"
    """It waits for the end of a silence."""
    QUIET = "quiet"
    """It waits for the end of the quiet hours."""
    MIN_SEVERITY = "min_severity"
    SEND_RESOLVED = "send_resolved"
    ONLY_IF = "only_if"
    COOLDOWN = "cooldown"
    AT_MOST = "at_most"
    ASKED = "asked"
    """The target has been asked for the same incident meanwhile."""
    REJECTED = "rejected"
    """Somebody said no."""
    EXPIRED = "expired"
    """Nobody approved in time."""
    ENDED = "ended"
    """Its alerts ended before it was sent, or it is the end of what was never told."""


REQUESTS = frozenset({EventType.RETRAIN, EventType.ROLLBACK})
"""What pipelines are asked for; everything else is told to people."""
HOLDS = frozenset({Withheld.APPROVAL, Withheld.SILENCED, Withheld.QUIET})
"""The reasons for which a letter waits; for the others it is dropped."""


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _tables(value: Any) -> Any:
    return (value,) if isinstance(value, dict) else _tuple(value)


def _kind(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f'"{name}" is not known; {meant(name, list(KINDS)) or "write one of " + ", ".join(KINDS)}')
    return name


def _period(text: Any) -> Rate:
    read = rate(text)
    if read.per_ms is None or read.count != int(read.count):
        raise ValueError('write a whole number and a time, such as "2 per 7d"')
    return read


class ConditionSpec(Spec):
    """One table of `only_if`: it holds when enough of the model's alerts that fire are of the kind it names.

    kinds: what the alerts are about; of any kind when left out. min_importance: of their columns, in [0, 1]; a column
    whose importance is not known has 1. columns: in how many different columns; one alert will do when left out.
    """

    kinds: Annotated[tuple[Annotated[str, AfterValidator(_kind)], ...], BeforeValidator(_tuple)] = ()
    columns: int = Field(default=0, ge=0)
    min_importance: float = Field(default=0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say what must fire: kinds, columns or min_importance")
        return self

    def holds(self, alarms: Iterable[Alarm], importance: Mapping[str, float]) -> bool:
        """Whether these alerts of one model are enough."""
        fit = [
            alarm
            for alarm in alarms
            if (not self.kinds or kind_of(alarm.column, alarm.statistic) in self.kinds)
            and importance.get(alarm.column, 1.0) >= self.min_importance
        ]
        return len({alarm.column for alarm in fit if alarm.column}) >= self.columns if self.columns else bool(fit)


class PolicySpec(Spec):
    """The keys of a target that say when it is written to.

    Of requests (retrain, rollback), each counted by model and kind of request:
    cooldown: for so long after one no other is made. at_most: so many in any such time.
    approval: "manual": one waits until somebody approves; approval_expires: for so long, then it is dropped.
    only_if: it is made only once one of these holds; what did not hold at first may with a later alert.
    quiet_requests: quiet hours are for requests, too.
    Of notices: quiet_hours: they wait for the end of these. repeat: sent again after so long, while an alert fires
    that is neither acknowledged nor silenced; "0s" never. send_resolved: whether the end of alerts is told.
    Of both: min_severity: what is less grave is not sent.
    """

    cooldown: DurationMs = 0
    at_most: Annotated[Rate, BeforeValidator(_period)] | None = None
    approval: Literal["automatic", "manual"] = "automatic"
    approval_expires: PositiveDurationMs = _DAY_MS
    only_if: Annotated[tuple[ConditionSpec, ...], BeforeValidator(_tables)] = ()
    quiet_hours: Annotated[tuple[QuietHoursSpec, ...], BeforeValidator(_tables)] = ()
    quiet_requests: bool = False
    repeat: DurationMs = 0
    send_resolved: bool = True
    min_severity: Severity = "info"


@dataclass(frozen=True, slots=True)
class Matter:
    """What a letter is, as policies see it: a request to a pipeline, the end of alerts, or neither."""

    severity: str
    request: bool = False
    end: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of a letter: it is sent (no reason), waits until release_ms (0: until somebody speaks), or not."""

    reason: Withheld | None = None
    release_ms: int = 0
    expires_ms: int = 0

    @property
    def state(self) -> str:
        """The letter's state: pending, held or dropped."""
        if self.reason is None:
            return "pending"
        return "held" if self.reason in HOLDS else "dropped"


SENT = Ruling()


@dataclass(frozen=True, slots=True)
class Begun:
    """A letter that told of the beginning of what another one tells the end of."""

    state: str
    hold: str
    release_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter that waits. over: all of its alerts have ended. asked: so was its target, for the same incident.

    begun: of an end, the letters that told of the beginnings.
    """

    hold: str
    release_ms: int
    expires_ms: int
    over: bool = False
    asked: bool = False
    begun: Sequence[Begun] = ()


def unwanted(policy: PolicySpec, matter: Matter) -> Withheld | None:
    """Say why the target does not want such a letter at all; None when it does."""
    if SEVERITIES.index(matter.severity) < SEVERITIES.index(policy.min_severity):
        return Withheld.MIN_SEVERITY
    return Withheld.SEND_RESOLVED if matter.end and not policy.send_resolved else None


def unfulfilled(policy: PolicySpec, alarms: Sequence[Alarm], importance: Mapping[str, float]) -> bool:
    """Whether a request would need other alerts of the model than those that fire."""
    return bool(policy.only_if) and not any(each.holds(alarms, importance) for each in policy.only_if)


def ruled(
    policy: PolicySpec, matter: Matter, *, silenced_until_ms: int, asked_ms: Sequence[int], now_ms: int
) -> Ruling:
    """Say what becomes of a letter that the target wants, now.

    silenced_until_ms: 0 when one of its alerts is to be heard of. asked_ms: when the requests of this kind that count
    (see `counts`) were made to the target for the model, in any order.
    A request that waits for the end of a silence is judged by the limits of requests when it is over.
    """
    if silenced_until_ms > now_ms:
        return Ruling(Withheld.SILENCED, release_ms=silenced_until_ms)
    if matter.request:
        over = _too_many(policy, asked_ms, now_ms=now_ms)
        if over is not None:
            return Ruling(over)
        if policy.approval == "manual":
            return Ruling(Withheld.APPROVAL, expires_ms=now_ms + policy.approval_expires)
    if not matter.request or policy.quiet_requests:
        until_ms = quiet_until_ms(policy.quiet_hours, severity=matter.severity, now_ms=now_ms)
        if until_ms:
            return Ruling(Withheld.QUIET, release_ms=until_ms)
    return SENT


def after_beginning(ruling: Ruling, begun: Sequence[Begun]) -> Ruling:
    """Let the end of alerts wait for its beginning: told at the same time, or both not.

    begun: empty where nobody knows of any; then the end is told.
    """
    if ruling.state == "dropped" or not begun or any(each.state not in {"held", "dropped"} for each in begun):
        return ruling
    held = [each for each in begun if each.state == "held"]
    return Ruling(Withheld(held[0].hold), release_ms=held[0].release_ms) if held else Ruling(Withheld.ENDED)


def examined(
    policy: PolicySpec, matter: Matter, waiting: Waiting, *, silenced_until_ms: int, asked_ms: Sequence[int],
    now_ms: int,
) -> Ruling:  # fmt: skip
    """Say what becomes of a letter that waits, now; arguments as of `ruled`.

    A request that was counted while it waited is not judged by its limits again.
    """
    if waiting.expires_ms and now_ms >= waiting.expires_ms:
        return Ruling(Withheld.EXPIRED)
    if matter.end:
        told = ruled(policy, matter, silenced_until_ms=silenced_until_ms, asked_ms=(), now_ms=now_ms)
        return after_beginning(told, waiting.begun)
    if waiting.over:
        return Ruling(Withheld.ENDED)
    if waiting.hold == Withheld.APPROVAL:
        return Ruling(Withheld.APPROVAL, waiting.release_ms, waiting.expires_ms)
    uncounted = waiting.hold == Withheld.SILENCED
    if uncounted and waiting.asked and silenced_until_ms <= now_ms:
        return Ruling(Withheld.ASKED)
    before_ms = asked_ms if uncounted else ()
    return ruled(policy, matter, silenced_until_ms=silenced_until_ms, asked_ms=before_ms, now_ms=now_ms)


def is_to_be_repeated(policy: PolicySpec, matter: Matter, *, sent_ms: int, now_ms: int) -> bool:
    """Whether it is time to send a notice again that was delivered then."""
    if not policy.repeat or now_ms - sent_ms < policy.repeat:
        return False
    return not quiet_until_ms(policy.quiet_hours, severity=matter.severity, now_ms=now_ms)


def matter_of(kind: str, alarms: Iterable[Alarm]) -> Matter:
    """See an event of this type, which tells of these alerts, as policies do: as grave as the gravest."""
    severity = max((SEVERITIES.index(each.severity) for each in alarms), default=len(SEVERITIES) - 1)
    return Matter(SEVERITIES[severity], request=kind in REQUESTS, end=kind == EventType.RESOLVED)


def counts(state: str, *, hold: str, last_result: str) -> bool:
    """Whether a request counts for cool-downs and limits: all that were made, but for those that nobody heard of.

    A rejected one counts: whoever said no is not asked again at once.
    """
    if state == "held":
        return hold != Withheld.SILENCED
    return state != "dropped" or last_result == Withheld.REJECTED


def _too_many(policy: PolicySpec, asked_ms: Sequence[int], *, now_ms: int) -> Withheld | None:
    if policy.cooldown and any(now_ms - each < policy.cooldown for each in asked_ms):
        return Withheld.COOLDOWN
    limit = policy.at_most
    if limit is not None and limit.per_ms is not None:
        within = sum(now_ms - each < limit.per_ms for each in asked_ms)
        if within >= limit.count:
            return Withheld.AT_MOST
    return None
