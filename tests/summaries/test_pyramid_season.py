"""What consecutive rows of a reference say of windows that are compared with their own part of a season."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.errors import StateError
from driftwatch.stream.dimensions import UNDIVIDED
from driftwatch.summaries.blocks import BlockCounter
from driftwatch.summaries.coarsening import cuts_of
from driftwatch.summaries.pyramid import Pyramid
from driftwatch.summaries.pyramid_counter import RUN
from driftwatch.summaries.pyramid_season import MOST_SPENT
from driftwatch.summaries.pyramid_season_counter import season_pyramid
from driftwatch.summaries.segment_profiles import SegmentCounter
from tests.benchmarks.alarms_dispersion import autoregressive, independent
from tests.benchmarks.alarms_seasons import BEGIN_MS, HOURS, PERIOD, STEP_MS, STREAMS, counted, p_values, seasonal
from tests.summaries.test_blocks import drawn

WEEKS = 16


def beside(draw, columns=20, *, weeks=WEEKS, seed=1):
    """The pyramid of so many weeks of a stream."""
    return counted(draw(np.random.default_rng(seed), columns, weeks * PERIOD))[1]


def test_what_the_season_explains_is_no_dependence():
    """A strong season over independent rows: dozens of times their variance, and nothing is left of it."""
    pyramid = beside(seasonal(independent, amplitude=4.0))
    for window in (24, 96, 672):
        left = pyramid.over_season(window, 1_000)
        assert (left.location == 1).all()
        assert (left.cells < 1.2).all()
    assert (pyramid.over(24).location > 15).all()


@pytest.mark.parametrize("amplitude", [0.0, 1.0])
def test_what_rows_share_beside_the_season_is_found(amplitude):
    """V = (1 + r) / (1 - r) of the noise, over what an average window's rows vary, its season included."""
    pyramid = beside(seasonal(autoregressive, amplitude=amplitude))
    # The wave has a variance of 1/2, the weekend one of 10/49.
    expected = 19 / (1 + amplitude**2 * (0.5 + 10 / 49))
    assert np.mean(pyramid.over_season(672, 10 * 672).location) == pytest.approx(expected, rel=0.2)
    assert np.isfinite(pyramid.over_season(672, 10 * 672).freedom).all()


def test_a_slot_that_came_once_says_little_of_longer_blocks():
    """What its own rows expect of it they cannot leave: only blocks of a third of it or less are looked at."""
    once = beside(STREAMS["season, AR(0.9)"], weeks=1).apart
    often = beside(STREAMS["season, AR(0.9)"], weeks=16).apart
    assert once.spent[once.lengths == 4] == pytest.approx(1)
    assert often.spent[often.lengths <= 512] == pytest.approx(1 / 16, rel=0.01)
    assert often.lengths[often.spent <= MOST_SPENT].max() == 2_048


def test_where_nothing_is_known_beside_the_season_all_counts():
    """An older reference, or one of a single period of thin slots."""
    once = beside(STREAMS["season, AR(0.9)"], weeks=1)
    older = replace(beside(STREAMS["season, AR(0.9)"]), apart=None)
    for pyramid in (once, older):
        np.testing.assert_array_equal(pyramid.over_season(96, 400).cells, pyramid.over(96, 400).cells)
        assert np.median(pyramid.over_season(96, 400).cells) > 5


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3 * RUN), st.lists(st.integers(0, 3 * RUN), max_size=6))
def test_the_cutting_does_not_matter(seed, rows, cuts):
    """One batch or many; and it comes back from its arrays."""
    layout, one = drawn(seed, rows)
    one = replace(one, times=BEGIN_MS + STEP_MS * np.arange(rows))
    segments = SegmentCounter(layout, UNDIVIDED, HOURS)
    BlockCounter(layout, segments).add(one)
    inner = cuts_of(layout, one.numeric)
    marks = [0, *sorted(cut for cut in cuts if cut < rows), rows]
    whole = season_pyramid([one], segments.season, inner, rows=rows)
    parts = season_pyramid([one.between(*each) for each in pairwise(marks)], segments.season, inner, rows=rows)
    for name, array in whole.arrays().items():
        np.testing.assert_allclose(parts.arrays()[name], array, rtol=1e-9, atol=1e-6, err_msg=name)


def test_it_is_stored_with_the_pyramid():
    """And one of other columns is refused."""
    layout, pyramid, _ = counted(seasonal(independent)(np.random.default_rng(2), 3, 4 * PERIOD))
    arrays = pyramid.arrays()
    back = Pyramid.from_arrays(layout, arrays, rows=pyramid.rows)
    for name in ("location", "scale", "cells", "path", "freedom"):
        np.testing.assert_array_equal(
            getattr(back.over_season(96, 400), name), getattr(pyramid.over_season(96, 400), name)
        )
    arrays["pyramid_season_left"] = arrays["pyramid_season_left"][:, :2]
    with pytest.raises(StateError, match="beside the season is not one of 3 columns"):
        Pyramid.from_arrays(layout, arrays, rows=pyramid.rows)


@pytest.mark.parametrize("stream", ["season, AR(0.9)", "strong season, days alike", "season, independent"])
def test_windows_beside_their_season_keep_their_level(stream):
    """2 000 windows at 10 in 1 000: 99 % of the time not more than 35; hundreds, if rows are taken as independent."""
    found = {"independent": [], "beside": []}
    for _, kind, values in p_values(
        np.random.default_rng(3), STREAMS[stream], columns=50, weeks=8, windows=(96, 672)
    ):  # fmt: skip
        found.setdefault(kind, []).append(values)
    assert (np.array(found["beside"]) <= 0.01).sum() <= 35
    assert stream.endswith("independent") or (np.array(found["independent"]) <= 0.01).sum() > 600
