"""Volume, freshness and duplicates: judged by what the reference's week was like."""

import math

import numpy as np
import pytest
from scipy import stats

from driftwatch.statistics.reading import Reading, Status
from driftwatch.statistics.traffic import CHANCE, Expected, Traffic, Usual, duplicates
from driftwatch.summaries.rhythm import HOUR_MS, HOURS, RhythmCounter, hour_of_week

_MONDAY_MS = 4 * 24 * HOUR_MS  # 1970-01-05
_NIGHT, _NOON = 3, 12


def _rates() -> np.ndarray:
    """Nothing between 2 and 5 o'clock, most at noon, half of it at weekends."""
    hours = np.arange(HOURS)
    by_day = np.where((hours % 24 >= 2) & (hours % 24 < 5), 0.0, 60 + 50 * np.cos((hours % 24 - 12) * np.pi / 12))
    return np.where(hours >= 5 * 24, by_day / 2, by_day)


def _counted(weeks: int, *, seed: int = 0, variation: float = 0.0) -> Usual:
    generator = np.random.default_rng(seed)
    counter = RhythmCounter()
    rates = _rates()
    for hour in range(weeks * HOURS):
        factor = generator.gamma(variation**-2, variation**2) if variation else 1.0
        rows = generator.poisson(rates[hour % HOURS] * factor)
        counter.add(_MONDAY_MS + hour * HOUR_MS + generator.integers(0, HOUR_MS, rows))
    rhythm = counter.rhythm(_MONDAY_MS, _MONDAY_MS + weeks * HOURS * HOUR_MS - 1)
    assert rhythm is not None
    return Usual.of(rhythm)


def _window(usual: Usual, hour: int, rows: int, *, hours: float = 1, last: float | None = 1.0) -> dict[str, Reading]:
    """Readings of a window that begins at an hour of the week; last: of its rows, as a share of the window."""
    start = _MONDAY_MS + 520 * HOURS * HOUR_MS + hour * HOUR_MS
    end = start + round(hours * HOUR_MS)
    last_ms = None if last is None else start + round((end - start) * last)
    return {each.statistic: each for each in usual.readings(Traffic(start, end, rows, last_ms))}


@pytest.fixture(scope="module")
def usual() -> Usual:
    return _counted(8)


def test_hours_of_the_week_begin_on_monday() -> None:
    """1970 began on a Thursday."""
    assert hour_of_week(np.array([0, _MONDAY_MS // HOUR_MS])).tolist() == [72, 0]


def test_expected_rows_follow_the_week(usual: Usual) -> None:
    """Of one hour, of part of an hour, of a day and of many weeks."""
    noon = _MONDAY_MS + _NOON * HOUR_MS
    assert usual.expected(noon, noon + HOUR_MS).rows == pytest.approx(110, rel=0.1)
    assert usual.expected(noon, noon + HOUR_MS // 4).rows == pytest.approx(110 / 4, rel=0.1)
    assert usual.expected(_MONDAY_MS, _MONDAY_MS + 24 * HOUR_MS).rows == pytest.approx(_rates()[:24].sum(), rel=0.03)
    weeks = usual.expected(noon, noon + (2 * HOURS + 1) * HOUR_MS)
    assert weeks.rows == pytest.approx(2 * _rates().sum() + 110, rel=0.02)


def test_the_same_rows_are_few_at_noon_and_as_usual_in_the_evening(usual: Usual) -> None:
    """Time of day decides: 20 rows are what midnight brings on a day off, and an outage at noon."""
    assert _window(usual, _NOON, 20)["volume"].beyond
    assert not _window(usual, 5 * 24 + 22, 20)["volume"].beyond
    assert _window(usual, _NOON, 400)["volume"].beyond
    assert not _window(usual, _NOON, 180)["volume"].beyond, "less than twice the usual is nobody's concern"


def test_an_empty_window_is_told_of_where_rows_were_to_come(usual: Usual) -> None:
    """At noon nothing is an outage; at three in the morning it is what always comes."""
    noon = _window(usual, _NOON, 0, last=0.0)
    assert noon["volume"].beyond
    assert noon["volume"].value == 0
    assert noon["freshness"].beyond
    assert noon["freshness"].value == 3600
    night = _window(usual, _NIGHT, 0, last=0.0)
    assert night["volume"].status is Status.DEGENERATE
    assert not night["freshness"].beyond


def test_freshness_waits_as_long_as_the_hour_asks_for(usual: Usual) -> None:
    """At noon half an hour is long; over the night nobody is surprised by three hours."""
    assert _window(usual, _NOON, 60, last=0.4)["freshness"].beyond
    noon, morning = _window(usual, _NOON, 100)["freshness"], _window(usual, _NIGHT + 1, 0, last=0.0)["freshness"]
    assert noon.limit < 30 * 60
    assert morning.limit > 3 * 3600
    assert noon.beyond == (noon.value > noon.limit)


def test_the_limit_of_freshness_is_where_it_is_told_of(usual: Usual) -> None:
    """One minute before it nobody is told."""
    end = _MONDAY_MS + 30 * HOUR_MS
    limit = usual.readings(Traffic(end - HOUR_MS, end, 9, end))[1].limit
    told = [
        usual.readings(Traffic(end - HOUR_MS, end, 9, end - round(seconds * 1000)))[1].beyond
        for seconds in (limit, limit - 60)
    ]
    assert told == [True, False]


def test_a_window_in_which_the_stream_begins_is_not_compared(usual: Usual) -> None:
    """A service that is started at half past has half of an hour's rows."""
    start = _MONDAY_MS + _NOON * HOUR_MS
    volume, freshness = usual.readings(Traffic(start, start + HOUR_MS, 3, start + HOUR_MS - 1, whole=False))
    assert (volume.status, volume.beyond, freshness.beyond) == (Status.TOO_FEW, False, False)


@pytest.mark.parametrize("variation", [0.0, 0.25])
def test_false_alarms_are_as_rare_as_they_are_said_to_be(variation: float) -> None:
    """A quarter of hours like those of the reference: none is told of, though weeks vary."""
    usual, generator = _counted(6, variation=variation), np.random.default_rng(7)
    told = 0
    for hour in range(13 * HOURS):
        factor = generator.gamma(variation**-2, variation**2) if variation else 1.0
        rows = int(generator.poisson(_rates()[hour % HOURS] * factor))
        told += _window(usual, hour % HOURS, rows)["volume"].beyond
    assert told <= 1  # of 2 184, at one in 15 000


def test_where_the_week_varies_it_takes_more_to_be_told() -> None:
    """A third of the usual is an outage of a steady stream, and may be chance in one that varies by half."""
    steady, varying = _counted(8), _counted(8, variation=0.5)
    assert _window(steady, _NOON, 35)["volume"].beyond
    assert not _window(varying, _NOON, 35)["volume"].beyond
    assert _window(varying, _NOON, 0, last=0.0)["volume"].beyond


@pytest.mark.parametrize("variation", [0.0, 0.3])
def test_chance_equals_scipy(variation: float) -> None:
    """Poisson, and the negative binomial of a Gamma rate."""
    expected = Expected(40.0, variation)
    for rows in (0, 10, 40, 90):
        law = stats.poisson(40) if not variation else stats.nbinom(variation**-2, 1 / (1 + 40 * variation**2))
        assert expected.chance_of_fewer(rows) == pytest.approx(law.cdf(rows), rel=1e-10)


def test_days_stand_for_weeks_that_were_not_seen() -> None:
    """Ten days tell what an hour of the day brings; one day tells nothing of how hours vary."""
    ten_days = _counted(2)
    counter = RhythmCounter()
    generator = np.random.default_rng(1)
    for hour in range(24):
        counter.add(_MONDAY_MS + hour * HOUR_MS + generator.integers(0, HOUR_MS, generator.poisson(_rates()[hour])))
    rhythm = counter.rhythm(_MONDAY_MS, _MONDAY_MS + 24 * HOUR_MS - 1)
    assert rhythm is not None
    assert _window(ten_days, _NOON, 0)["volume"].beyond
    assert _window(Usual.of(rhythm), _NOON, 0)["volume"].status is Status.NO_REFERENCE


def test_freshness_of_a_stream_that_never_spoke() -> None:
    """There is no latest row, so there is no value."""
    assert _window(_counted(2), _NOON, 0, last=None)["freshness"].status is Status.NO_REFERENCE


@pytest.mark.parametrize(
    ("rows", "again", "value", "beyond"), [(1000, 0, 0.0, False), (950, 50, 0.05, False), (900, 100, 0.1, True)]
)
def test_duplicates_are_a_share_of_what_came(rows: int, again: int, value: float, beyond: bool) -> None:  # noqa: FBT001
    """Some come twice wherever delivery is at least once; a tenth of them says that a producer loops."""
    reading = duplicates(rows, again)
    assert reading.value == pytest.approx(value)
    assert reading.lower <= value <= reading.upper
    assert reading.beyond is beyond


def test_duplicates_of_nothing() -> None:
    """No events, no share."""
    assert duplicates(0, 0).status is Status.TOO_FEW


def test_chance_is_stated() -> None:
    """What the documentation says of false alarms is what is used."""
    assert math.isclose(CHANCE, 1 / 30_000)
