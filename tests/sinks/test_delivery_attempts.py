"""The rules of an attempt: what an answer means and when the next attempt is."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.sinks.attempts import (
    JITTER,
    SCHEDULE_MS,
    Answer,
    Result,
    hold_ms,
    judge,
    next_attempt_ms,
    retry_after_ms,
)

NOW = 1_767_607_200_000
DAY = 86_400_000


@pytest.mark.parametrize(
    ("status", "retry_after", "answer"),
    [
        (200, "", Answer(Result.DELIVERED)),
        (204, "120", Answer(Result.DELIVERED)),
        (299, "", Answer(Result.DELIVERED)),
        (300, "", Answer(Result.REFUSED_REDIRECT)),
        (302, "", Answer(Result.REFUSED_REDIRECT)),
        (304, "", Answer(Result.REFUSED_REDIRECT)),
        (308, "60", Answer(Result.REFUSED_REDIRECT, 60_000)),
        (400, "", Answer(Result.HTTP_ERROR)),
        (401, "", Answer(Result.HTTP_ERROR)),
        (404, "", Answer(Result.HTTP_ERROR)),
        (404, "60", Answer(Result.THROTTLED, 60_000)),
        (410, "", Answer(Result.GONE)),
        (410, "60", Answer(Result.GONE)),
        (429, "", Answer(Result.THROTTLED)),
        (429, "7", Answer(Result.THROTTLED, 7_000)),
        (500, "", Answer(Result.HTTP_ERROR)),
        (501, "nonsense", Answer(Result.HTTP_ERROR)),
        (502, "", Answer(Result.THROTTLED)),
        (503, "", Answer(Result.THROTTLED)),
        (504, "", Answer(Result.THROTTLED)),
    ],
)
def test_judgement(status: int, retry_after: str, answer: Answer) -> None:
    """Each status has one meaning."""
    assert judge(status, retry_after, now_ms=NOW) == answer


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("", 0), ("0", 0), ("1", 1000), (" 30 ", 30_000), ("9" * 5000, DAY), ("-5", 0), ("1.5", 0),
        ("soon", 0), ("²", 0),
        (formatdate(NOW / 1000 + 90, usegmt=True), 90_000),
        (formatdate(NOW / 1000 + 90), 90_000),
        (formatdate(NOW / 1000 - 90, usegmt=True), 0),
        (formatdate(NOW / 1000 + 9e6, usegmt=True), DAY),
        ("Mon, 99 Jan 2026 10:00:00 GMT", 0), (f"1-Jan-26 10.00.00 {'1' * 100}", 0),
    ],
)  # fmt: skip
def test_retry_after(text: str, milliseconds: int) -> None:
    """Seconds or an HTTP date, at most a day; what cannot be read counts as absent."""
    assert retry_after_ms(text, now_ms=NOW) == milliseconds


DATE_PARTS = ["Mon,", "01", "99", "Jan", "2026", "99999", "10:00:00", "25:61:61", ":", "GMT", "-9999", "+", "1" * 50]


@given(text=st.text() | st.lists(st.sampled_from(DATE_PARTS), max_size=7).map(" ".join))
def test_no_retry_after_is_too_odd(text: str) -> None:
    """Whatever a target writes there, the wait is between nothing and a day."""
    assert 0 <= retry_after_ms(text, now_ms=NOW) <= DAY


def test_the_schedule_is_the_published_one() -> None:
    """The waits add up to 75 h 35 min 5 s, as the Standard Webhooks specification has it."""
    assert sum(SCHEDULE_MS) == ((75 * 60 + 35) * 60 + 5) * 1000
    assert [next_attempt_ms(failed, now_ms=NOW, dice=lambda: 0.0) for failed in range(1, 11)] == [
        *(NOW + wait for wait in SCHEDULE_MS),
        None,
    ]


@given(failed=st.integers(1, 9), thrown=st.floats(0, 1, exclude_max=True))
def test_jitter_only_adds(failed: int, thrown: float) -> None:
    """No attempt is early, none is late by more than the stated share."""
    wait = SCHEDULE_MS[failed - 1]
    later = next_attempt_ms(failed, now_ms=NOW, dice=lambda: thrown)

    assert later is not None
    assert wait <= later - NOW <= wait * (1 + JITTER) + 1


def test_holding_a_throttled_target() -> None:
    """As long as it asked; without a wish twice as long each time, up to five minutes."""
    assert [hold_ms(throttled, 0) for throttled in range(1, 9)] == [
        5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000,
    ]  # fmt: skip
    assert hold_ms(10_000, 0) == 300_000
    assert hold_ms(1, 1_000) == 1_000
