"""Quiet hours: when people are not told, by the clock on their wall."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from driftwatch.spec import Spec

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_MIDNIGHT = "24:00"
_MOST = 16
"""Stretches that follow each other without a gap are followed so far: beyond two weeks it is looked at again."""


def _written(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError('write a time of the day as "22:00"')
    return text


def _known(name: str) -> str:
    try:
        _zone(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(f'"{name}" is no time zone that is known here; write one such as "Europe/Berlin"') from None
    return name


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_Time = Annotated[str, AfterValidator(_written)]


class QuietHoursSpec(Spec):
    """One stretch of a target's `quiet_hours`.

    from, until: the same time, or a later one, on the day on which it begins, else on the next; the whole day when
    both are left out. days: on which it begins. except: severities that are told all the same.
    A time that the clocks skip is taken as much later; of one that comes twice the stretch begins at the first and
    ends at the second.
    """

    from_: _Time = Field(default="00:00", alias="from")
    until: _Time = _MIDNIGHT
    days: Annotated[tuple[Day, ...], BeforeValidator(_tuple)] = Field(default=_DAYS, min_length=1)
    timezone: Annotated[str, AfterValidator(_known)] = "UTC"
    except_: Annotated[tuple[Literal["info", "warning", "critical"], ...], BeforeValidator(_tuple)] = Field(
        default=(), alias="except"
    )


def quiet_until_ms(stretches: Iterable[QuietHoursSpec], *, severity: str, now_ms: int) -> int:
    """Say when the quiet ends, in ms since the epoch; 0 when there is none now. Stretches that touch are one."""
    every, reached_ms = [each for each in stretches if severity not in each.except_], now_ms
    for _ in range(_MOST):
        ends = [end for each in every if (end := _end_ms(each, reached_ms))]
        if not ends:
            break
        reached_ms = max(ends)
    return reached_ms if reached_ms > now_ms else 0


def _end_ms(stretch: QuietHoursSpec, at_ms: int) -> int:
    """Where a stretch that holds the moment ends; 0 when it does not hold it."""
    zone = _zone(stretch.timezone)
    today = datetime.fromtimestamp(at_ms / 1000, zone).date()
    for day in (today - timedelta(days=1), today):
        if _DAYS[day.weekday()] not in stretch.days:
            continue
        over_midnight = stretch.until <= stretch.from_
        start_ms = _moment_ms(day, stretch.from_, zone, fold=0)
        end_ms = _moment_ms(day + timedelta(days=over_midnight), stretch.until, zone, fold=1)
        if start_ms <= at_ms < end_ms:
            return end_ms
    return 0


def _moment_ms(day: date, clock: str, zone: ZoneInfo, *, fold: int) -> int:
    if clock == _MIDNIGHT:
        day, clock = day + timedelta(days=1), "00:00"
    written = datetime.combine(day, time.fromisoformat(clock), zone)
    real = written.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == written.replace(tzinfo=None)
    # The second of two: it is only one where the clocks go back; where they skip it, the first reading is the later.
    moment = written.replace(fold=fold) if real else written
    return round(moment.timestamp() * 1000)


@lru_cache(maxsize=100)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
