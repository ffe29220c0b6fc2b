"""RFC 3339 and epoch milliseconds, rounded down."""

import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.stream.times import BAD_TIME, EARLIEST_MS, LATEST_MS, parse_time, times_ms

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
zones = st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.builds(
    lambda microseconds, zone: (EPOCH + timedelta(microseconds=microseconds)).astimezone(zone),
    st.integers(-5 * 10**15, 4 * 10**15),
    zones,
)


def read(*values) -> list[int]:
    return times_ms([parse_time(value) for value in values], np.zeros(len(values), dtype=np.int64)).tolist()


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.001Z", 1),
        ("1970-01-01T00:00:00.001999Z", 1),
        ("1969-12-31T23:59:59.999Z", -1),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2026-01-05T10:00:00Z", 1_767_607_200_000),
        ("2026-01-05t10:00:00z", 1_767_607_200_000),
        ("2026-01-05 10:00:00Z", 1_767_607_200_000),
        ("2026-01-05T10:00:00+00:00", 1_767_607_200_000),
        ("2026-01-05T12:30:00+02:30", 1_767_607_200_000),
        ("2026-01-04T20:00:00.5-14:00", 1_767_607_200_500),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("2023-02-29T00:00:00Z", BAD_TIME),
        ("2026-01-05T10:00:00", BAD_TIME),
        ("2026-01-05", BAD_TIME),
        ("2026-01-05T10:00Z", BAD_TIME),
        ("05.01.2026", BAD_TIME),
        ("0001-01-01T00:00:00Z", BAD_TIME),
    ],
)
def test_text(text: str, milliseconds: int) -> None:
    """Text is RFC 3339 with an offset; all else is no time."""
    assert read(text) == [milliseconds]


@settings(deadline=None)
@given(st.lists(moments, min_size=1, max_size=5))
def test_rounding_down(times: list[datetime]) -> None:
    """Any moment is the millisecond that it lies in, whichever way it comes."""
    expected = [(time - EPOCH) // timedelta(milliseconds=1) for time in times]
    assert read(*(time.isoformat() for time in times)) == expected
    typed = msgspec.json.decode(json.dumps([time.isoformat() for time in times]), type=list[datetime])
    assert times_ms(typed, np.zeros(len(times), dtype=np.int64)).tolist() == expected
    # Among other kinds a datetime goes another way.
    assert read(*(time.isoformat() for time in times), 0) == [*expected, 0]


@pytest.mark.parametrize(
    ("number", "milliseconds"),
    [(7, 7), (7.9, 7), (-0.1, -1), (EARLIEST_MS, EARLIEST_MS), (LATEST_MS, LATEST_MS), (EARLIEST_MS - 1, BAD_TIME),
     (LATEST_MS + 1, BAD_TIME), (True, BAD_TIME), (10**40, BAD_TIME), (float("inf"), BAD_TIME), ([], BAD_TIME)],
)  # fmt: skip
def test_numbers(number: object, milliseconds: int) -> None:
    """Numbers are epoch milliseconds, in a range that leaves room for windows before and after."""
    assert read(number) == [milliseconds]


def test_datetimes_at_the_border() -> None:
    """The range holds for columns that are all datetimes too."""
    values = [datetime(1799, 12, 31, tzinfo=UTC), datetime(1800, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]
    assert times_ms(values, np.zeros(3, dtype=np.int64)).tolist() == [BAD_TIME, EARLIEST_MS, BAD_TIME]


def test_absent_times() -> None:
    """Where there is none the fallback stands, row by row."""
    fallback = np.array([10, 20, 30])
    assert times_ms([None, None, None], fallback).tolist() == [10, 20, 30]
    assert times_ms([None, 5, None], fallback).tolist() == [10, 5, 30]


@given(st.lists(st.integers(-(10**16), 10**16) | st.floats(-1e16, 1e16) | st.just(10**400), min_size=1, max_size=5))
def test_many_numbers_are_read_as_each_by_itself(values: list[float]) -> None:
    """One that is out of all bounds spoils no other."""
    fallback = np.zeros(1, dtype=np.int64)
    alone = [int(times_ms([value], fallback)[0]) for value in values]
    assert times_ms(values, np.zeros(len(values), dtype=np.int64)).tolist() == alone
