"""Rows by the hour of the week."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.errors import StateError
from driftwatch.summaries import rhythm as module
from driftwatch.summaries.rhythm import GAP, HOUR_MS, HOURS, Rhythm, RhythmCounter


def ms(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def counted(times):
    counter = RhythmCounter()
    times = np.asarray(times, dtype=np.int64)
    counter.add(times)
    return counter.rhythm(int(times.min()), int(times.max()))


def slow(times):
    """(rows, covered, squares) hour by hour, in Python."""
    hours = [time // HOUR_MS for time in times]
    rows, covered, squares = np.zeros(HOURS), np.zeros(HOURS), np.zeros(HOURS)
    known = sorted(set(hours))
    for hour in range(known[0], known[-1] + 1):
        before = max(each for each in known if each <= hour)
        after = min(each for each in known if each >= hour)
        whole = hour * HOUR_MS >= min(times) and (hour + 1) * HOUR_MS <= max(times) + 1
        if whole and after - before <= GAP:
            day = datetime.fromtimestamp(hour * 3600, UTC)
            place = day.weekday() * 24 + day.hour
            count = hours.count(hour)
            rows[place] += count
            covered[place] += 1
            squares[place] += count**2
    return rows, covered, squares


@given(st.lists(st.integers(-400 * HOUR_MS, 900 * HOUR_MS), min_size=1, max_size=40))
def test_it_is_what_a_slow_count_gives(times):
    """Whole hours only, gaps of more than a week left out, whatever the order and also before 1970."""
    rhythm = counted(times)
    for found, expected in zip((rhythm.rows, rhythm.covered, rhythm.squares), slow(times), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_cutting_changes_nothing():
    """The same rows in one part, in many and backwards."""
    times = np.random.default_rng(1).integers(0, 3000 * HOUR_MS, 5000)
    counter = RhythmCounter()
    for part in np.array_split(times[::-1], 17):
        counter.add(part)
    once, again = counted(times), counter.rhythm(int(times.min()), int(times.max()))
    for name, array in once.arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name])


def test_mean_and_variance_of_an_hour():
    """Mondays at nine with 10, 20 and 30 rows; the Sunday before begins the table, the last Tuesday ends it."""
    times = [ms("2026-03-01T23:00"), ms("2026-03-17T00:00")]
    for day, count in (("02", 10), ("09", 20), ("16", 30)):
        times += [ms(f"2026-03-{day}T09:30") + row for row in range(count)]
    rhythm = counted(times)
    assert (rhythm.mean[9], rhythm.variance[9]) == (20.0, 100.0)
    assert (rhythm.mean[10], rhythm.variance[10]) == (0.0, 0.0)
    assert rhythm.covered[[9, 33, 167]].tolist() == [3, 2, 3]


def test_a_clock_that_is_put_forward_changes_nothing():
    """Hours are those of UTC: the week in which Europe loses an hour has 168 of them."""
    first, last = ms("2026-03-23T00:00"), ms("2026-03-30T00:00")
    rhythm = counted(np.arange(first, last, 600_000))
    assert set(rhythm.covered[:-1].tolist()) == {1}
    assert set(rhythm.rows[:-1].tolist()) == {6}


def test_one_wrong_time_covers_no_years():
    """A row of 1970 among those of 2026: the time between is not one of hours without rows."""
    good = np.arange(ms("2026-03-01T00:00"), ms("2026-04-01T00:00"), 900_000)
    with_one = counted(np.append(good, 0))
    alone = counted(good)
    np.testing.assert_allclose(with_one.mean, alone.mean, rtol=0.25)
    assert with_one.covered.sum() <= alone.covered.sum() + 2


def test_too_short_and_too_long():
    """Ten minutes cover no hour; more hours than can be told apart are no rhythm."""
    assert counted([0, 600_000]).covered.sum() == 0
    assert np.isnan(counted([0, 600_000]).mean).all()
    counter = RhythmCounter()
    counter.add(np.arange(module.MOST_HOURS + 1, dtype=np.int64) * HOUR_MS)
    counter.add(np.zeros(1, dtype=np.int64))
    assert counter.rhythm(0, 1) is None


def test_stored_and_read():
    """What was written, nothing where nothing was, and an error where it does not fit."""
    rhythm = counted([0, 10 * HOUR_MS])
    again = Rhythm.from_arrays(rhythm.arrays())
    assert again is not None
    np.testing.assert_array_equal(again.covered, rhythm.covered)
    assert Rhythm.from_arrays({}) is None
    with pytest.raises(StateError):
        Rhythm.from_arrays({**rhythm.arrays(), "rhythm_squares": np.zeros(3)})
