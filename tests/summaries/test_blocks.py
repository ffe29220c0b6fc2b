"""Consecutive blocks of the reference, and the dispersion they show."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from driftwatch.stream.batch import Batch
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.blocks import BLOCK_ROWS, BLOCKS, COARSE, GROUPS, BlockCounter, coarse_groups, dispersion
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.layout import BINS, INVALID_SLOT, MISSING_SLOT, SLOTS
from driftwatch.summaries.survey import NumericSurvey
from tests.strategies import assert_profiles_equal, profile_of, taken


def batch_of(numbers, codes):
    """Rows of one numeric and one categorical column."""
    rows = len(numbers)
    return Batch(
        "test/0", np.arange(rows), np.zeros(rows, dtype=np.uint64), np.zeros(rows, dtype=np.int32), ("",),
        np.array([numbers], dtype=float), np.array([codes], dtype=np.int32),
    )  # fmt: skip


def layout_of(numbers):
    """A layout of one numeric column and one of three categories."""
    survey = NumericSurvey(1)
    survey.add(np.array([numbers]), first_row=0)
    return build_layout([Column("n", Kind.NUMERIC)], [Column("t", Kind.CATEGORICAL, ("a", "b", "c"))], survey)


def drawn(seed, rows):
    """A layout and exchangeable rows for it."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=rows)
    layout = layout_of(numbers[:2000])
    numbers[rng.random(rows) < 0.05] = np.nan
    return layout, batch_of(numbers, rng.integers(0, 6, rows))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 70_000), st.lists(st.integers(0, 70_000), max_size=8))
def test_blocks_do_not_depend_on_the_cutting(seed, rows, cuts):
    """One batch or many: the same length, the same blocks, the same profile, the same dispersion."""
    layout, batch = drawn(seed, rows)
    whole, parts = BlockCounter(layout), BlockCounter(layout)
    whole.add(batch)
    marks = [0, *sorted(cut for cut in cuts if cut < rows), rows]
    for start, stop in pairwise(marks):
        parts.add(batch.between(start, stop))
    a, b = whole.blocks, parts.blocks
    assert a.length == b.length
    np.testing.assert_array_equal(a.numeric, b.numeric)
    np.testing.assert_array_equal(a.categories, b.categories)
    np.testing.assert_array_equal(dispersion(a, layout), dispersion(b, layout))
    assert_profiles_equal(parts.profile, profile_of(batch, layout))
    assert_profiles_equal(whole.profile, profile_of(batch, layout))


@pytest.mark.parametrize(
    ("rows", "length", "blocks"),
    [
        (0, BLOCK_ROWS, 0),
        (1, BLOCK_ROWS, 1),
        (BLOCK_ROWS, BLOCK_ROWS, 1),
        (BLOCK_ROWS + 1, BLOCK_ROWS, 2),
        (BLOCK_ROWS * BLOCKS, BLOCK_ROWS, BLOCKS),
        (BLOCK_ROWS * BLOCKS + 1, 2 * BLOCK_ROWS, BLOCKS // 2 + 1),
    ],
)
def test_length_doubles_when_blocks_run_out(rows, length, blocks):
    """Memory is bounded whatever the number of rows."""
    layout, batch = drawn(0, rows) if rows else (layout_of([1.0]), batch_of([], []))
    counter = BlockCounter(layout)
    counter.add(batch)
    assert counter.blocks.length == length
    assert counter.blocks.numeric.shape == (blocks, 1, COARSE)
    assert (counter.blocks.numeric[:-1].sum(axis=2) == length).all()
    assert counter.blocks.numeric.sum() == counter.blocks.categories.sum() == rows


def test_blocks_are_the_rows_in_order():
    """Block k is the profile of rows k·length to (k+1)·length, coarsely."""
    layout, batch = drawn(3, 1000)
    counter = BlockCounter(layout)
    counter.add(batch)
    groups = coarse_groups(layout)[0]
    for block in range(4):
        rows = np.arange(block * BLOCK_ROWS, min(1000, (block + 1) * BLOCK_ROWS))
        profile = profile_of(taken(batch, rows), layout)
        expected = np.bincount(groups, weights=profile.numeric.counts[0], minlength=COARSE)
        np.testing.assert_array_equal(counter.blocks.numeric[block, 0], expected)
        np.testing.assert_array_equal(counter.blocks.categories[block], profile.categories)


@pytest.mark.parametrize("distinct", [1, 2, GROUPS, GROUPS + 1, 100, BINS, 1000])
def test_coarse_groups_are_neighbours_of_about_equal_size(distinct):
    """In order, without a gap; few bins keep a group each; missing and invalid stay apart."""
    groups = coarse_groups(layout_of(np.arange(float(distinct))))[0]
    bins = min(distinct, BINS)
    assert groups.shape == (SLOTS,)
    assert (groups[MISSING_SLOT], groups[INVALID_SLOT]) == (GROUPS, GROUPS + 1)
    used = groups[1 : bins + 1]
    assert sorted(set(used.tolist())) == list(range(min(bins, GROUPS)))
    assert (np.diff(used) >= 0).all()
    assert np.ptp(np.bincount(used)) <= 1
    assert groups[0] == used[0]
    assert groups[BINS + 1] == used[-1]


def test_dispersion_is_chi_square_over_its_degrees_of_freedom():
    """As scipy computes it on the same table, without the slots that nothing fell into."""
    layout, batch = drawn(4, 3000)
    counter = BlockCounter(layout)
    counter.add(batch)
    factors = dispersion(counter.blocks, layout)
    for factor, table in zip(factors, [counter.blocks.numeric[:, 0], counter.blocks.categories], strict=True):
        result = stats.chi2_contingency(table[:, table.sum(axis=0) > 0])
        assert factor == pytest.approx(result.statistic / result.dof, rel=1e-12)


def test_dispersion_is_one_for_exchangeable_rows_and_large_for_seasons():
    """Its standard error is about sqrt(2 / degrees of freedom)."""
    layout, batch = drawn(5, 60_000)
    season = taken(batch, np.argsort(np.sin(np.arange(60_000) / 500) + np.nan_to_num(batch.numeric[0])))
    factors = {}
    for name, rows in (("calm", batch), ("season", season)):
        counter = BlockCounter(layout)
        counter.add(rows)
        factors[name] = dispersion(counter.blocks, layout)
    np.testing.assert_allclose(factors["calm"], 1, atol=5 * np.sqrt(2 / (117 * 5)))
    assert factors["season"][0] > 10


def test_dispersion_is_undefined_without_two_blocks_and_two_slots():
    """A short or a constant reference says nothing of it."""
    layout, batch = drawn(6, 100)
    counter = BlockCounter(layout)
    counter.add(batch)
    assert np.isnan(dispersion(counter.blocks, layout)).all()
    constant = BlockCounter(layout)
    constant.add(batch_of(np.ones(1000), np.zeros(1000, dtype=int)))
    assert np.isnan(dispersion(constant.blocks, layout)).all()
