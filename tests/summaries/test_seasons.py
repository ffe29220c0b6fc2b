"""A season's slots: what they hold adds up; what windows are compared with is pooled of them, in whole rows."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.errors import StateError
from driftwatch.stream.batch import Batch
from driftwatch.stream.dimensions import UNDIVIDED
from driftwatch.stream.schema import Column, Kind
from driftwatch.stream.season import DAY_MS, WEEK_MS, YEAR_MS, Season
from driftwatch.summaries.blocks import BlockCounter
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.layout import FINITE, SLOTS
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.season_profiles import SeasonProfiles
from driftwatch.summaries.seasonal import Seasonal
from driftwatch.summaries.segment_profiles import SegmentCounter
from driftwatch.summaries.survey import NumericSurvey
from tests.strategies import batches, layouts

HOUR_MS = 3_600_000
HOURS = Season(DAY_MS, 24)
SEASONS = (HOURS, Season(WEEK_MS, 168), Season(WEEK_MS, 7), Season(YEAR_MS, 12), Season(DAY_MS, 1), Season(7_000, 2))
MONDAY = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000)


def batch_of(times, numeric, categorical) -> Batch:
    times = np.asarray(times, dtype=np.int64)
    blank = np.zeros(times.size, dtype=np.int32)
    return Batch("p", times, blank.astype(np.uint64), blank, ("",), np.asarray(numeric), np.asarray(categorical))


def layout_of(numeric, words):
    survey = NumericSurvey(len(numeric))
    survey.add(numeric, first_row=0)
    return build_layout(
        [Column(f"n{place}", Kind.NUMERIC) for place in range(len(numeric))],
        [Column(f"w{place}", Kind.CATEGORICAL, tuple("ab")) for place in range(words)],
        survey,
    )


def counted(layout, batch, season):
    counter = SegmentCounter(layout, UNDIVIDED, season)
    blocks = BlockCounter(layout, counter)
    blocks.add(batch)
    return counter.season, blocks.profile


def seasonal(layout, batch, season=HOURS):
    parts, whole = counted(layout, batch, season)
    return Seasonal(parts, whole, first_ms=whole.first_ms, last_ms=whole.last_ms), parts, whole


def cells(profile: Profile):
    return np.concatenate([profile.numeric.counts.ravel(), profile.categories])


@pytest.mark.parametrize(
    ("season", "moment", "slot"),
    [
        (Season(WEEK_MS, 168), "2024-01-01T00:00", 0),
        (Season(WEEK_MS, 168), "2023-12-31T23:59", 167),
        (Season(WEEK_MS, 7), "1969-12-31T23:59", 2),
        (HOURS, "2024-02-29T13:59:59", 13),
        (Season(YEAR_MS, 12), "2024-02-29T23:59:59", 1),
        (Season(YEAR_MS, 12), "1969-12-31T23:59", 11),
    ],
)
def test_the_slot_of_a_moment(season: Season, moment: str, slot: int) -> None:
    """Weeks begin on Monday, days at midnight, months are the calendar's; before 1970 as after."""
    ms = int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000)
    assert season.slot_of(np.array([ms])).tolist() == [slot]


@given(st.sampled_from(SEASONS), st.integers(-(10**11), 2 * 10**12), st.integers(-5, 400), st.integers(1, 10**8))
def test_spans_are_the_time_in_each_slot(season: Season, start: int, count: int, step: int) -> None:
    """They add up over neighbouring spans, sum to the whole, and count the moments in each slot."""
    end, middle = start + count * step, start + max(count, 0) // 2 * step
    spans = season.spans(start, end)
    assert spans.sum() == max(0, end - start)
    assert (spans >= 0).all()
    if count > 0:
        np.testing.assert_array_equal(spans, season.spans(start, middle) + season.spans(middle, end))
    moments = np.arange(start, start + 2_000)
    np.testing.assert_array_equal(
        season.spans(start, start + 2_000), np.bincount(season.slot_of(moments), minlength=season.slots)
    )


@settings(max_examples=40)
@given(st.data(), layouts(), st.sampled_from(SEASONS))
def test_slots_add_up_to_the_whole(data, layout, season: Season) -> None:
    """Every count to the row, sums to the stored digits; and the same comes back from the file's arrays."""
    batch = data.draw(batches(layout))
    parts, whole = counted(layout, batch, season)
    parts = SeasonProfiles.from_arrays(layout, parts.arrays())
    starts = parts.starts()
    flats, sums = zip(*(parts.slot(slot, starts) for slot in range(season.slots)), strict=True)
    np.testing.assert_array_equal(np.sum(flats, axis=0), cells(whole))
    np.testing.assert_array_equal(parts.rows, np.bincount(season.slot_of(batch.times), minlength=season.slots))
    size = np.sqrt(whole.numeric.squares * max(1, whole.rows))[:, None]
    assert (np.abs(np.sum(sums, axis=0) - whole.numeric.sums) <= 1e-6 * size).all()
    np.testing.assert_allclose(parts.squares.sum(axis=0), whole.numeric.squares, rtol=1e-9)


@pytest.mark.parametrize("name", ["season_rows", "season_filled", "season_counts", "season_means"])
def test_a_damaged_season_is_refused(name: str) -> None:
    """Arrays that do not belong together are not read as something else."""
    numeric = np.arange(50.0)[None, :]
    parts, _ = counted(layout_of(numeric, 0), batch_of(np.arange(50) * HOUR_MS, numeric, np.empty((0, 50), int)), HOURS)
    arrays = parts.arrays()
    with pytest.raises(StateError, match="stored season"):
        SeasonProfiles.from_arrays(parts.layout, {**arrays, name: arrays[name][:-1]})


@settings(max_examples=60)
@given(st.data(), layouts(), st.sampled_from(SEASONS), st.integers(0, 10**12), st.integers(0, 10**10))
def test_a_pooled_reference_is_a_profile(data, layout, season: Season, start: int, length: int) -> None:
    """Every column holds each row once, no cell is negative, nothing is claimed that the reference does not have."""
    found, _, whole = seasonal(layout, data.draw(batches(layout)), season)
    reference = found.of(start, start + length)
    assert 0 <= reference.rows <= whole.rows
    assert found.weights(start, start + length).sum() == pytest.approx(1)
    numeric = reference.numeric
    assert (numeric.counts.sum(axis=1) == reference.rows).all()
    ends = zip(layout.offsets[:-1], layout.offsets[1:], strict=True)
    assert all(reference.categories[first:stop].sum() == reference.rows for first, stop in ends)
    assert (cells(reference) >= 0).all()
    assert (cells(whole)[cells(reference) > 0] > 0).all(), "no cell holds rows that the reference has nowhere"
    assert np.isfinite(numeric.sums).all()
    held = numeric.counts[:, :FINITE].sum(axis=1)
    least = numeric.sums.sum(axis=1) ** 2 / np.maximum(held, 1)
    assert (numeric.squares >= least * (1 - 1e-9)).all(), "a variance is not negative"
    assert found.of(start, start + length) is reference


def stream(rng, rows, *, weeks=8, effect=2.0, night=0.02):
    """Two columns, of which the first follows the hour of the day, a word that does, and few rows at night."""
    times = MONDAY + np.sort(rng.integers(0, weeks * WEEK_MS, rows))
    hour = (times // HOUR_MS) % 24
    kept = rng.random(rows) < np.where(hour < 6, night, 1.0)
    times, hour = times[kept], hour[kept]
    numeric = rng.normal(size=(2, times.size))
    numeric[0] += effect * np.sin(2 * np.pi * hour / 24)
    words = (rng.random((1, times.size)) < 0.3 + 0.4 * (hour > 12) * bool(effect)).astype(np.int32)
    return batch_of(times, numeric, words)


def at(hour: int, hours: int = 1) -> tuple[int, int]:
    start = MONDAY + 20 * WEEK_MS + hour * HOUR_MS
    return start, start + hours * HOUR_MS


def shares(profile: Profile):
    return np.cumsum(cells(profile) / max(1, profile.rows))


def test_a_slot_with_many_rows_stands_alone() -> None:
    """Where slots differ, its shares are its own but for a hundredth, and it counts for hardly more than its rows."""
    batch = stream(np.random.default_rng(1), 400_000)
    found, parts, _ = seasonal(layout_of(batch.numeric, 1), batch)
    own, _ = parts.slot(15, parts.starts())
    reference = found.of(*at(15))
    assert parts.rows[15] <= reference.rows <= 1.05 * parts.rows[15]
    columns = np.cumsum(own / parts.rows[15])
    assert np.abs(shares(reference) - columns).max() < 0.01


def test_a_slot_without_rows_is_what_is_around_it() -> None:
    """It is the fill; it counts for as many rows as that is worth: few where slots differ, many where they do not."""
    rng = np.random.default_rng(2)
    worth = {}
    for effect in (2.0, 0.0):
        batch = stream(rng, 60_000, effect=effect, night=0.0)
        found, parts, whole = seasonal(layout_of(batch.numeric, 1), batch)
        assert not parts.rows[2]
        worth[effect] = found.of(*at(2)).rows
        if not effect:
            assert np.abs(shares(found.of(*at(2))) - shares(whole)).max() < 0.01
    assert 1 <= worth[2.0] < 30
    assert worth[0.0] > 1_000


def test_a_thin_slot_of_a_season_that_is_none_takes_rows_from_all() -> None:
    """It knows more than its own rows say, and never more than there are."""
    batch = stream(np.random.default_rng(3), 60_000, effect=0.0)
    found, parts, whole = seasonal(layout_of(batch.numeric, 1), batch)
    assert parts.rows[2] < 100
    reference = found.of(*at(2))
    assert 10 * parts.rows[2] < reference.rows <= whole.rows
    assert found.of(*at(0, 24 * 7)).rows <= whole.rows


def test_what_is_said_of_a_slot_is_as_near_to_the_truth_as_so_many_rows_are() -> None:
    """Over many slots, squared errors of shares are those of samples of the size that is claimed, or smaller."""
    rng = np.random.default_rng(4)
    truth = stream(np.random.default_rng(5), 2_000_000)
    layout = layout_of(truth.numeric, 1)
    true_parts, _ = counted(layout, truth, HOURS)
    starts = true_parts.starts()
    ratios = []
    for _ in range(6):
        found, _, _ = seasonal(layout, stream(rng, 4_000), HOURS)
        for hour in range(24):
            exact = true_parts.slot(hour, starts)[0][-5:-3] / true_parts.rows[hour]
            reference = found.of(*at(hour))
            error = reference.categories[:2] / max(1, reference.rows) - exact
            ratios.append((error**2).sum() * reference.rows / (1 - (exact**2).sum()))
    assert np.mean(ratios) < 1.5  # 1 but for chance, and for slots that differ from their neighbours more than most do


def test_slots_that_have_rows_enough_together_are_not_filled_up() -> None:
    """What is wrong with the fill is wrong alike in all of them: over eleven a window is worth its own rows."""
    rng = np.random.default_rng(15)
    ratios = []
    layout = layout_of(rng.normal(size=(2, 1_000)), 1)
    for _ in range(40):
        found, parts, _ = seasonal(layout, stream(rng, 1_000))
        reference = found.of(*at(13, 11))
        assert 0.8 * parts.rows[13:].sum() < reference.rows < 1.1 * parts.rows[13:].sum()
        ratios.append((reference.categories[1] / reference.rows - 0.7) ** 2 * reference.rows / 0.21)
    assert np.mean(ratios) < 1.5  # 1 but for chance


def test_a_window_over_slots_weighs_them_by_time_and_by_traffic() -> None:
    """Of an hour of the night there are fewer rows than of one by day, and half an hour weighs half of one."""
    batch = stream(np.random.default_rng(6), 100_000)
    found, parts, _ = seasonal(layout_of(batch.numeric, 1), batch)
    start, _ = at(5)
    weights = found.weights(start, start + 90 * 60_000)
    night, day = parts.rows[5], parts.rows[6] / 2
    assert weights[5] == pytest.approx(night / (night + day), rel=0.01)
    assert weights[6] == pytest.approx(day / (night + day), rel=0.01)
    assert np.count_nonzero(weights) == 2


def test_a_stream_that_begins_inside_a_window_is_compared_with_the_time_of_its_rows() -> None:
    """A version that came at noon is compared with the afternoon; a window with rows throughout is taken as it is."""
    batch = stream(np.random.default_rng(10), 50_000)
    layout = layout_of(batch.numeric, 1)
    found, _, _ = seasonal(layout, batch)
    start, end = at(0, 24)
    whole = found.of(start, end)

    def window(first: int, last: int) -> Profile:
        times = np.linspace(start + first * HOUR_MS, start + last * HOUR_MS - 1, 50).astype(np.int64)
        return counted(layout, batch_of(times, batch.numeric[:, :50], batch.categorical[:, :50]), HOURS)[1]

    assert found.reference((start, end), window(1, 24), {}) is whole
    assert found.reference((start, end), window(12, 24), {}) is found.of(*at(12, 12))
    assert found.reference((start, end), window(0, 9), {}) is found.of(*at(0, 9))
    assert found.reference((start, end), None, {}) is None


def test_hours_that_the_reference_never_saw_are_given_the_usual_traffic() -> None:
    """Half a year of months says nothing of the other half; a window over both weighs them by time."""
    rng = np.random.default_rng(7)
    numeric = rng.normal(size=(1, 5_000))
    times = MONDAY + np.sort(rng.integers(0, 182 * DAY_MS, 5_000))
    batch = batch_of(times, numeric, np.empty((0, 5_000), dtype=np.int32))
    found, parts, _ = seasonal(layout_of(numeric, 0), batch, Season(YEAR_MS, 12))
    assert not parts.rows[6:].any()
    start = int(datetime(2024, 6, 1, tzinfo=UTC).timestamp() * 1000)
    weights = found.weights(start, start + 61 * DAY_MS)
    assert weights[5] == pytest.approx(30 / 61, abs=0.03)
    assert weights[6] == pytest.approx(31 / 61, abs=0.03)


def test_a_column_that_is_the_slot_itself_is_constant_in_it() -> None:
    """The hour of the day by hours: one value, no spread, whatever rounding leaves; it takes no rows from others."""
    batch = stream(np.random.default_rng(8), 50_000, effect=0.0)
    hours = ((batch.times // HOUR_MS) % 24 + 1 / 3)[None, :]
    batch = batch_of(batch.times, np.concatenate([hours, batch.numeric[1:]]), batch.categorical)
    found, parts, _ = seasonal(layout_of(batch.numeric, 1), batch)
    reference = found.of(*at(3))
    assert reference.rows > 5 * parts.rows[3]
    assert reference.numeric.minima[0] == reference.numeric.maxima[0] == pytest.approx(3 + 1 / 3)
    assert np.count_nonzero(reference.numeric.counts[0]) == 1


def test_size() -> None:
    """A column of 168 hours with 20 rows each takes less than 21 kB, where whole profiles take 350."""
    rng = np.random.default_rng(9)
    numeric = rng.normal(size=(20, 168 * 20))
    times = MONDAY + np.repeat(np.arange(168), 20) * HOUR_MS
    batch = batch_of(times, numeric, np.empty((0, times.size), dtype=np.int32))
    parts, _ = counted(layout_of(numeric, 0), batch, Season(WEEK_MS, 168))
    assert parts.size_bytes / 20 < 21_000 < 168 * (SLOTS + FINITE) * 8 / 10
