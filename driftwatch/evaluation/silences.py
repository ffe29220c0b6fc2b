"""Silences: what people do not want to hear of, for how long, and why (after Prometheus' Alertmanager)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from driftwatch.evaluation.alarm import Alarm
from driftwatch.evaluation.pattern import Pattern

LABELS = ("model", "version", "segment", "column", "rule", "severity")
"""What a matcher may look at."""
MAX_MATCHERS, MAX_TEXT = 20, 1_000
_WRITTEN = re.compile(r'\s*([a-z_]+)\s*(=~|!~|!=|=)\s*("?)(.*?)\3\s*', re.DOTALL)


class Operator(StrEnum):
    """How a matcher compares; patterns must fit the whole value."""

    EQUAL = "="
    UNEQUAL = "!="
    FITS = "=~"
    FITS_NOT = "!~"


class SilenceState(StrEnum):
    """Where a silence stands."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label of an alert. Raises ValueError, in words, when it can not be one."""

    name: str
    operator: Operator
    value: str

    def __post_init__(self) -> None:
        if self.name not in LABELS:
            raise ValueError(f'"{self.name}" is no label of an alert; write one of {", ".join(LABELS)}')
        if len(self.value) > MAX_TEXT:
            raise ValueError(f"a value has at most {MAX_TEXT} characters")
        if self.operator in {Operator.FITS, Operator.FITS_NOT}:
            try:
                _pattern(self.value)
            except ValueError as error:
                raise ValueError(f'pattern "{self.value[:50]}": {error}') from None

    def accepts(self, value: str) -> bool:
        """Whether a label's value meets it."""
        match self.operator:
            case Operator.EQUAL:
                return value == self.value
            case Operator.UNEQUAL:
                return value != self.value
            case Operator.FITS:
                return _pattern(self.value).fits(value)
            case Operator.FITS_NOT:
                return not _pattern(self.value).fits(value)

    def __str__(self) -> str:
        return f'{self.name}{self.operator}"{self.value}"'


@dataclass(frozen=True, slots=True)
class Silence:
    """While it is active, what tells of alerts that meet all of its matchers waits. starts_ms ≤ t < ends_ms."""

    id: str
    matchers: tuple[Matcher, ...]
    author: str
    comment: str
    starts_ms: int
    ends_ms: int
    created_ms: int

    def state(self, now_ms: int) -> SilenceState:
        """Where it stands."""
        if now_ms >= self.ends_ms:
            return SilenceState.EXPIRED
        return SilenceState.ACTIVE if now_ms >= self.starts_ms else SilenceState.PENDING

    def covers(self, alarm: Alarm) -> bool:
        """Whether an alert meets all of its matchers."""
        return all(matcher.accepts(getattr(alarm, matcher.name)) for matcher in self.matchers)


def read_matcher(text: str) -> Matcher:
    """Read `rule="drift"`, `column=~amount|age` and the like; ValueError when it is none."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is no matcher; write a label, =, !=, =~ or !~ and a value, such as rule="drift"')
    return Matcher(found[1], Operator(found[2]), found[4])


def check_matchers(matchers: Sequence[Matcher]) -> None:
    """Raise ValueError when there are none or too many, or when they would silence everything."""
    if not 0 < len(matchers) <= MAX_MATCHERS:
        raise ValueError(f"give 1 to {MAX_MATCHERS} matchers")
    if all(matcher.accepts("") for matcher in matchers):
        raise ValueError('at least one matcher must not accept an empty value, or all is silenced; write model=~".+"')


def silenced_until_ms(alarms: Iterable[Alarm], silences: Iterable[Silence], *, now_ms: int) -> int:
    """Say when the first of the alerts is to be heard again, as far as is known now; 0 when one of them is to be now.

    Of no alerts nothing is silenced.
    """
    active = [silence for silence in silences if silence.state(now_ms) is SilenceState.ACTIVE]
    ends = [max((each.ends_ms for each in active if each.covers(alarm)), default=0) for alarm in alarms]
    return min(ends, default=0)


@lru_cache(maxsize=1_000)
def _pattern(text: str) -> Pattern:
    return Pattern(text)
