"""How a layout is made from a reference, and what the survey of it remembers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.stream.schema import Column, Kind
from driftwatch.stream.table import NULL, WRONG, Encoded
from driftwatch.summaries import survey as survey_module
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.layout import BINS, EDGES
from driftwatch.summaries.survey import CategorySurvey, NumericSurvey


def layout_of(*columns):
    """The layout of numeric columns, from all their values."""
    survey = NumericSurvey(len(columns))
    survey.add(np.array(columns, dtype=float), first_row=0)
    return build_layout([Column(f"n{place}", Kind.NUMERIC) for place in range(len(columns))], [], survey)


def slots(layout, values):
    """The slot of each value of the only column."""
    return np.searchsorted(layout.edges[0], np.asarray(values, dtype=float), side="left")


def test_few_distinct_values_get_a_bin_each():
    """The value is the upper edge of its bin, and padding repeats the last."""
    layout = layout_of([3.0, -1.0, 7.5, 3.0])
    assert layout.edges[0, :5].tolist() == [np.nextafter(-1, -np.inf), -1.0, 3.0, 7.5, 7.5]
    assert slots(layout, [-2, -1, 3, 7.5, 8]).tolist() == [0, 1, 2, 3, EDGES]


def test_exactly_as_many_values_as_bins_fit():
    """128 values have 128 bins; none is padding."""
    layout = layout_of(np.arange(BINS))
    assert slots(layout, np.arange(BINS)).tolist() == list(range(1, BINS + 1))


def test_many_values_fall_evenly_into_all_bins():
    """Inner edges are quantiles: every bin holds its 128th within a row."""
    values = np.random.default_rng(0).normal(size=12_800)
    counts = np.bincount(slots(layout_of(values), values), minlength=EDGES + 1)
    assert counts[0] == counts[EDGES] == 0
    assert counts[1:EDGES].min() >= 99
    assert counts[1:EDGES].max() <= 101


def test_an_atom_has_a_bin_of_its_own():
    """A value that makes up half of the rows does not share its bin, and the others still have about 125."""
    rng = np.random.default_rng(1)
    values = np.concatenate([np.zeros(5000), rng.normal(size=5000)])
    layout = layout_of(values)
    zero = slots(layout, [0.0])[0]
    assert set(values[slots(layout, values) == zero]) == {0.0}
    counts = np.bincount(slots(layout, values), minlength=EDGES + 1)
    assert np.count_nonzero(counts) >= 125
    assert np.delete(counts, zero).max() <= 45


@pytest.mark.parametrize("empty", [np.full(4, np.nan), np.full(4, np.inf), np.array([np.nan, np.inf])])
def test_a_column_without_a_value_still_has_a_layout(empty):
    """All missing, all invalid: nothing divides by zero."""
    layout = layout_of(empty)
    assert not layout.edges.any()
    assert (layout.centre[0], layout.scale[0]) == (0.0, 1.0)


@pytest.mark.parametrize("value", [0.0, -5.0, 1e308, -1e308, np.finfo(float).max, 5e-324])
def test_a_constant_column_has_one_bin(value):
    """Its spread is taken as one."""
    layout = layout_of([value] * 3)
    assert slots(layout, [value]).tolist() == [1]
    assert layout.scale[0] == 1.0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=300), st.integers(1, 4))
def test_any_values_make_increasing_finite_edges(values, repeats):
    """Edges increase strictly up to the greatest value, scales are positive, and no reference value is over."""
    line = np.repeat(np.array(values), repeats)
    line[np.isneginf(line)] = np.inf
    layout = layout_of(line)
    edges, finite = layout.edges[0], line[np.isfinite(line)]
    used = np.unique(edges)
    assert np.isfinite(edges).all()
    assert (edges[: used.size] == used).all()
    assert (edges[used.size :] == edges[-1]).all()
    assert np.isfinite(layout.centre[0])
    assert layout.scale[0] > 0
    if finite.size:
        assert edges[-1] == finite.max()
        assert (slots(layout, finite) <= BINS).all()
        assert (slots(layout, finite) >= 1).all() or finite.min() == -np.finfo(float).max


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 400), min_size=1, max_size=6))
def test_the_survey_does_not_depend_on_the_cutting(seed, sizes):
    """The sample is decided by the rows' places, whatever the chunks."""
    values = np.random.default_rng(seed).normal(size=(2, sum(sizes)))
    whole, parts = NumericSurvey(2, capacity=100), NumericSurvey(2, capacity=100)
    whole.add(values, first_row=0)
    start = 0
    for size in sizes:
        parts.add(values[:, start : start + size], first_row=start)
        start += size
    for column in range(2):
        sample = whole.sample(column)
        np.testing.assert_array_equal(parts.sample(column), sample)
        assert sample.size == min(100, values.shape[1])
        assert np.isin(sample, values[column]).all()


def test_the_sample_is_all_rows_while_they_fit():
    """Small references are exact."""
    values = np.random.default_rng(2).normal(size=(1, 1000))
    survey = NumericSurvey(1, capacity=1000)
    survey.add(values, first_row=0)
    np.testing.assert_array_equal(survey.sample(0), np.sort(values[0]))


def test_the_sample_is_uniform_over_the_rows():
    """Each tenth of a long table gives about a tenth of the sample (chi-square with 9 degrees of freedom, p > 1e-6)."""
    survey = NumericSurvey(1, capacity=10_000)
    for first in range(0, 1_000_000, 50_000):
        survey.add(np.arange(first, first + 50_000, dtype=float)[None, :], first_row=first)
    counts = np.bincount((survey.sample(0) // 100_000).astype(int), minlength=10)
    assert counts.sum() == 10_000
    assert ((counts - 1000) ** 2 / 1000).sum() < 45


def test_memory_is_shared_among_many_columns():
    """A thousand columns keep fewer rows each."""
    assert NumericSurvey(1000).capacity * 1000 * 8 <= survey_module.SAMPLE_BYTES


def test_vocabulary_is_by_frequency_then_alphabet():
    """Nulls and what is no category are no words."""
    survey = CategorySurvey()
    survey.add(Encoded(np.array([0, 0, 1, 2, NULL, WRONG], dtype=np.int32), ("b", "c", "a", "never")))
    survey.add(Encoded(np.array([0, 0], dtype=np.int32), ("c",)))
    assert survey.vocabulary(limit=10) == ("c", "b", "a")
    assert survey.vocabulary(limit=2) == ("c", "b")


def test_frequent_texts_survive_an_endless_number_of_rare_ones(monkeypatch):
    """Memory is bounded; what is frequent is never forgotten."""
    monkeypatch.setattr(survey_module, "DISTINCT_TEXTS", 100)
    survey = CategorySurvey()
    for chunk in range(50):
        words = (*(f"id{chunk}-{place}" for place in range(40)), "often")
        survey.add(Encoded(np.array([*range(41), 40, 40], dtype=np.int32), words))
    assert survey.vocabulary(limit=1) == ("often",)
    assert len(survey.vocabulary(limit=10**6)) <= 140
