"""What consecutive rows of a reference say of windows of any length."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.summaries.blocks import BlockCounter
from driftwatch.summaries.coarsening import category_groups, cuts_of
from driftwatch.summaries.pyramid import Pyramid
from driftwatch.summaries.pyramid_counter import RUN, RUNS, PyramidCounter
from tests.benchmarks.alarms_dispersion import autoregressive, independent, pyramid_of, season, sessions
from tests.strategies import batches, layouts, taken
from tests.summaries.test_blocks import batch_of, drawn, layout_of

FACTORS = ("location", "scale", "cells", "path")


def counted(layout, batch, cuts, *, rows, marks=()):
    """The pyramid of a batch that is cut at these rows."""
    counter = PyramidCounter(layout, cuts, rows=rows)
    bounds = [0, *sorted(marks), batch.rows]
    for start, stop in pairwise(bounds):
        counter.add(batch.between(start, stop))
    return counter.pyramid


def assert_equal(one, other):
    assert (one.rows, one.numeric) == (other.rows, other.numeric)
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(array, other.arrays()[name], err_msg=name)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 12_000), st.lists(st.integers(0, 12_000), max_size=8), st.booleans())
def test_the_pyramid_does_not_depend_on_the_cutting(seed, rows, cuts, long):
    """One batch or many, every run looked into or one of two; what is asked between does not matter either."""
    layout, batch = drawn(seed, max(1, rows))
    inner = cuts_of(layout, batch.numeric)
    table = 2 * RUN * RUNS if long else rows
    whole = counted(layout, batch, inner, rows=table)
    parts = PyramidCounter(layout, inner, rows=table)
    marks = [0, *sorted(cut for cut in cuts if cut < batch.rows), batch.rows]
    for start, stop in pairwise(marks):
        parts.add(batch.between(start, stop))
        _ = parts.pyramid
    assert_equal(parts.pyramid, whole)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_table_has_a_pyramid(data):
    """Whatever the columns hold, the factors are at least 1 and finite, the groups' counts are the rows."""
    layout = data.draw(layouts())
    batch = data.draw(batches(layout))
    pyramid = counted(layout, batch, cuts_of(layout, batch.numeric), rows=batch.rows)
    assert (pyramid.counts.sum(axis=1) == batch.rows).all()
    for rows in (1, 30, 10_000):
        over = pyramid.over(rows)
        for name in FACTORS:
            values = getattr(over, name)
            assert values.shape == (len(layout.names),)
            assert ((values >= 1) & np.isfinite(values)).all()
        assert (over.freedom >= 1).all()
    assert_equal(Pyramid.from_arrays(layout, pyramid.arrays(), rows=batch.rows), pyramid)


def test_every_level_is_the_counts_of_whole_blocks():
    """Moments of long blocks, which are made from run to run, against counting them one by one."""
    layout, batch = drawn(1, 9 * RUN + 77)
    pyramid = counted(layout, batch, np.linspace(-1.5, 1.5, 9)[None], rows=batch.rows, marks=(RUN + 5, 5 * RUN))
    groups = category_groups(6)[batch.categorical[0]]
    assert pyramid.lengths.tolist() == [2**level for level in range(1, 13)]
    for level, length in ((9, RUN), (10, 2 * RUN), (11, 4 * RUN)):
        starts = range(0, 9 * RUN - length + 1, length // 2)
        blocks = [np.bincount(groups[start : start + length], minlength=12) for start in starts]
        assert pyramid.blocks[level] == len(blocks)
        expected = sum(np.outer(counts, counts) for counts in blocks)
        np.testing.assert_array_equal(pyramid.moments[level, 1], expected[np.triu_indices(12)])


def test_independent_rows_have_factors_of_exactly_one():
    """And no loss of freedom, in nearly all columns, numbers and categories, whatever the window."""
    rng = np.random.default_rng(2)
    for rows in (1_000, 20_000):
        pyramid = pyramid_of(independent(rng, 150, rows), codes=rng.integers(0, 6, (150, rows)), categories=6)
        for window in (100, 5_000):
            over = pyramid.over(window)
            known = np.isinf(over.freedom)
            assert known.mean() > 0.97
            for name in FACTORS:
                assert (getattr(over, name)[known] == 1).all()


def test_location_of_autoregressive_rows():
    """V(L) = (1 + r) / (1 - r) - 2 r (1 - r^L) / (L (1 - r)²), and the reference's own beside it."""
    r, rows = 0.9, 100_000
    pyramid = pyramid_of(autoregressive(np.random.default_rng(3), 30, rows))
    for window in (50, 100, 1_000, 5_000):
        of = [(1 + r) / (1 - r) - 2 * r * (1 - r**n) / (n * (1 - r) ** 2) for n in (window, rows)]
        expected = (of[0] / window + of[1] / rows) / (1 / window + 1 / rows)
        over = pyramid.over(window)
        assert np.mean(over.location) == pytest.approx(expected, rel=0.08)
        assert (over.freedom < rows / window * 4).all()
        # Squares and cells forget sooner than values do; few squares are skewed, which is made up for.
        assert window < 1_000 or (over.scale < over.location).mean() > 0.9
        assert (over.cells < over.location).mean() > 0.9


@pytest.mark.parametrize("rows", [1_000, 10_000, 100_000])
def test_sessions_have_their_size_weighted_by_rows(rows):
    """E s² / E s of the variance that a session's rows share, in numbers and in categories."""
    rng = np.random.default_rng(4)
    values = sessions(rng, 60, rows)
    codes = np.repeat(rng.integers(0, 5, (60, rows // 10)), 10, axis=1)
    over = pyramid_of(values, codes=codes, categories=5).over(1_000)
    sizes = np.arange(1, 40)
    assert np.mean(over.location[:60]) == pytest.approx(0.2 + 0.8 * (sizes**2).sum() / sizes.sum(), rel=0.12)
    assert np.median(over.cells[60:]) == pytest.approx(10, rel=0.15)
    assert np.isfinite(over.freedom).all()


def test_a_season_inflates_windows_that_are_shorter_than_it_and_leaves_longer_ones():
    """A wave of amplitude 1 over noise of 1: V(L) = (1 + L (sin(πL/P) / (πL/P))² / 2) / 1.5 over all phases."""
    period = 4_000
    pyramid = pyramid_of(season(period)(np.random.default_rng(5), 10, 200_000))
    for window in (100, 1_000):
        angle = np.pi * window / period
        expected = (1 + window * (np.sin(angle) / angle) ** 2 / 2) / 1.5
        assert np.mean(pyramid.over(window).location) == pytest.approx(expected, rel=0.1)
    assert (pyramid.over(40_000).location < 60).all()
    assert (pyramid.over(1_000).location > 200).all()


def test_missing_values_that_come_in_bursts_widen_the_cells():
    """The mean of all cells would hide the one that varies twenty times as much, or more."""
    rng = np.random.default_rng(6)
    values = rng.normal(size=(20, 10_000))
    values[np.repeat(rng.random((20, 200)) < 0.04, 50, axis=1)] = np.nan
    over = pyramid_of(values).over(1_000)
    assert (over.cells > 10).all()
    assert (over.location < 2).all()


def test_categorical_columns_have_cells_only():
    """Location, scale and path say the same."""
    rng = np.random.default_rng(7)
    codes = np.repeat(rng.integers(0, 30, (3, 1_000)), 8, axis=1)
    over = pyramid_of(rng.normal(size=(1, 8_000)), codes=codes, categories=30).over(500)
    for name in ("location", "scale", "path"):
        np.testing.assert_array_equal(getattr(over, name)[1:], over.cells[1:])
    assert (over.cells[1:] > 5).all()


def test_a_smaller_reference_has_an_error_of_its_own():
    """The factor is of 1 / n + 1 / m: against few rows of a season's mean more of them count."""
    pyramid = pyramid_of(season(4_000)(np.random.default_rng(8), 5, 100_000))
    own = pyramid.over(4_000, reference_rows=200)
    assert (own.location < pyramid.over(4_000).location).all()
    assert (own.location >= 1).all()


def test_older_blocks_see_what_is_longer_than_they_are():
    """256 rows and more: sessions of 20 are seen whole, what ends within a block is not told apart from its sum."""
    values = np.repeat(np.random.default_rng(9).normal(size=2_000), 20)
    layout, batch = layout_of(values), batch_of(values, np.zeros(40_000, dtype=int))
    counter = BlockCounter(layout)
    counter.add(batch)
    over = Pyramid.of_blocks(counter.blocks, layout, rows=batch.rows).over(2_000)
    assert over.location[0] == pytest.approx(20, rel=0.35)
    assert over.freedom[0] < 200
    assert over.location[1] == 1
    shuffled = taken(batch, np.random.default_rng(1).permutation(batch.rows))
    counter = BlockCounter(layout)
    counter.add(shuffled)
    assert np.isinf(Pyramid.of_blocks(counter.blocks, layout, rows=batch.rows).over(2_000).freedom).all()


def test_short_references_say_nothing():
    """A few rows: as if independent; so does a table that was never counted row by row."""
    layout, batch = drawn(10, 5)
    few = counted(layout, batch, cuts_of(layout, batch.numeric), rows=5)
    none = counted(layout, batch.between(0, 0), cuts_of(layout, batch.numeric), rows=0)
    for pyramid in (few, none):
        over, expected = pyramid.over(1_000), Overdispersion.none(2)
        for name in (*FACTORS, "freedom"):
            np.testing.assert_array_equal(getattr(over, name), getattr(expected, name))


def test_cuts_are_edges_in_the_tails_and_in_the_middle():
    """Few values keep a group each; many are cut near the marks; no value at all is no trouble."""
    few, many = layout_of(np.arange(5.0)), layout_of(np.random.default_rng(11).normal(size=20_000))
    assert cuts_of(few, np.arange(5.0)[None])[0, :5].tolist() == [0, 1, 2, 3, np.inf]
    values = np.random.default_rng(12).normal(size=(1, 8_000))
    cuts = cuts_of(many, values)[0]
    assert np.isin(cuts, many.edges[0]).all()
    np.testing.assert_allclose(cuts, [-2.05, -1.48, -0.99, -0.5, 0, 0.5, 0.99, 1.48, 2.05], atol=0.12)
    assert np.diff(cuts_of(many, np.full((1, 3), np.nan))[0]).min() > 0
