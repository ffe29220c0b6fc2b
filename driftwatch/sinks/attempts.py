"""What one delivery attempt came to, and when the next one is: the rules of the Standard Webhooks specification."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from driftwatch.errors import SinkError

_SECOND, _MINUTE, _HOUR = 1_000, 60_000, 3_600_000

SCHEDULE_MS: Final = (
    5 * _SECOND, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR,
)  # fmt: skip
"""Waiting times after the first, second, … failed attempt: ten attempts in 75 h 35 min 5 s, then a dead letter."""

JITTER: Final = 0.1
"""Each wait is longer by up to this share, so that letters that failed together do not come back together."""

_MAX_HOLD_MS = 24 * _HOUR
_FIRST_HOLD_MS, _LONGEST_HOLD_MS = 5 * _SECOND, 5 * _MINUTE
_THROTTLING = frozenset({429, 502, 503, 504})

Dice = Callable[[], float]
"""A random number in [0, 1)."""


class Result(StrEnum):
    """What an attempt came to: the label `result` of `driftwatch_deliveries_total`."""

    DELIVERED = "delivered"
    HTTP_ERROR = "http_error"
    REFUSED_REDIRECT = "refused_redirect"
    THROTTLED = "throttled"
    GONE = "gone"
    TIMEOUT = "timeout"
    CONNECTION_FAILED = "connection_failed"
    BLOCKED = "blocked"
    """The address leads to a network that the target may not reach."""
    NOT_STARTED = "not_started"
    """It took the request and said that nothing was begun."""
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a label, not a secret
    """A secret or certificate of ours could not be read; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, judged. retry_after_ms: for how long the target asked to be left alone; 0 when it did not.

    detail: one line for the log, such as the number of the run that was begun; no secret. status: the HTTP status; 0
    when there was none.
    """

    result: Result
    retry_after_ms: int = 0
    detail: str = field(default="", compare=False)
    status: int = field(default=0, compare=False)


class UnansweredError(SinkError):
    """A request that brought no reply; the text is fit for a log. result: TIMEOUT, CONNECTION_FAILED or BLOCKED."""

    def __init__(self, result: Result, detail: str) -> None:
        super().__init__(detail)
        self.result = result


def judge(status: int, retry_after: str, *, now_ms: int) -> Answer:
    """Judge an HTTP status and the value of its Retry-After header ("" when there is none).

    2xx is success, 3xx a failure that is not followed, 410 "never again"; 429, 502, 503, 504 and everything that
    carries a usable Retry-After throttle. Every other status is retried, 4xx too: a receiver is often repaired.
    """
    asked_ms = retry_after_ms(retry_after, now_ms=now_ms)
    detail = f"HTTP {status}"
    if 200 <= status < 300:
        return Answer(Result.DELIVERED, 0, detail, status)
    if status == 410:
        return Answer(Result.GONE, 0, detail, status)
    if 300 <= status < 400:
        return Answer(Result.REFUSED_REDIRECT, asked_ms, detail, status)
    if status in _THROTTLING or asked_ms:
        return Answer(Result.THROTTLED, asked_ms, detail, status)
    return Answer(Result.HTTP_ERROR, 0, detail, status)


def says_down(answer: Answer) -> bool | None:
    """Say whether an attempt tells that the target is down (True) or there (False); None when it never was asked."""
    if answer.result in {Result.SECRET_UNREADABLE, Result.BLOCKED}:
        return None
    return answer.status >= 500 or answer.result in {Result.CONNECTION_FAILED, Result.TIMEOUT, Result.THROTTLED}


def retry_after_ms(text: str, *, now_ms: int) -> int:
    """Read Retry-After, seconds or an HTTP date, as a wait of at most a day; 0 when absent, past or unreadable."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        # A longer number is beyond the day anyway, and Python refuses to read endless ones.
        return min(int(text[:9]) * _SECOND, _MAX_HOLD_MS)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, min(round(moment.timestamp() * 1000) - now_ms, _MAX_HOLD_MS))


def hold_ms(throttled: int, asked_ms: int) -> int:
    """Say for how long to leave a target alone after so many throttled answers in a row (1 or more).

    At least as long as it asked; without a wish 5 s, doubled each time, up to 5 min.
    """
    return asked_ms or min(_FIRST_HOLD_MS << min(throttled - 1, 10), _LONGEST_HOLD_MS)


def next_attempt_ms(failed: int, *, now_ms: int, dice: Dice) -> int | None:
    """Say when to try again after so many failed attempts (1 or more); None when it was the last."""
    if failed > len(SCHEDULE_MS):
        return None
    delay = SCHEDULE_MS[failed - 1]
    return now_ms + delay + round(delay * JITTER * dice())
