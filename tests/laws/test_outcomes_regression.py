"""The merge laws over the outcomes of regressions, rankings and of business value."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.errors import StateError
from driftwatch.stream.outputs import CUTOFF, JUDGED, Answers, OutputForm
from driftwatch.stream.schema import Task
from driftwatch.summaries.ranking import RankingOutcomes
from driftwatch.summaries.regression import RegressionGrid, RegressionOutcomes
from driftwatch.summaries.worth import WorthOutcomes

GRID = RegressionGrid(edges=(-1.0, 0.0, 0.5, 2.0))
OTHER = RegressionGrid(edges=(-1.0, 0.0, 0.5))


def of(kind, answers):
    return kind.of(answers, GRID) if kind is RegressionOutcomes else kind.of(answers)


def empty(kind):
    return kind.empty(GRID) if kind is RegressionOutcomes else kind.empty()


def taken(answers, rows):
    return Answers(answers.outputs[rows], answers.outcomes[rows], answers.state[rows], answers.delays_ms[rows])


@st.composite
def answers_of(draw, kind):
    """Predictions in every state, with values not given, of far-off and mixed scales."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = draw(st.integers(0, 60))
    loc, scale = draw(st.sampled_from([(0.0, 1.0), (1e9, 1.0), (0.0, 1e-9), (-3.0, 1e3)]))
    form = OutputForm(Task.RANKING if kind is RankingOutcomes else Task.REGRESSION)
    outputs, outcomes = np.zeros(rows, form.outputs), np.zeros(rows, form.outcomes)
    for table in (outputs, outcomes):
        for name in table.dtype.names:
            if name in ("items", "relevance"):
                table[name] = rng.integers(0, 20, table[name].shape)
            else:
                table[name] = np.where(rng.random(rows) < 0.1, np.nan, loc + scale * rng.standard_t(3, rows))
    return Answers(outputs, outcomes, rng.integers(0, 3, rows).astype(np.uint8), np.zeros(rows, dtype=np.int64))


def assert_same(got, expected, *, exact=False):
    """Counts exactly, sums to 1e-9 of what was added, whatever centre they are taken about."""
    if not exact and isinstance(got, RegressionOutcomes):
        got = got.about(expected.centre)
    for name, array in expected.arrays().items():
        found = got.arrays()[name]
        assert found.shape == array.shape
        if exact or name in ("predicted", "labelled", "rows"):
            np.testing.assert_array_equal(found, array, err_msg=name)
            continue
        # A sum of terms of both signs may be near zero: its error is relative to its terms.
        size = np.abs(array)
        if name == "products":
            # Of the terms in all strata: one row near the common centre is known no better than the centre.
            terms = np.sqrt(np.einsum("kii->i", array))
            size = terms[:, None] * terms
        elif name == "powers":
            size = np.maximum(size, np.max(size, axis=-1, keepdims=True))
        assert (np.abs(found - array) <= 1e-9 * size + rounding(expected)).all(), name


def rounding(expected):
    """What the last place of the numbers themselves makes of a sum about a centre."""
    if not isinstance(expected, WorthOutcomes):
        return 1e-300
    return 1e-300 + 4e-15 * np.abs(expected.centre)[:, None] * (1 + expected.powers[:, [0]] + expected.powers[:, [2]])


KINDS = pytest.mark.parametrize("kind", [RegressionOutcomes, RankingOutcomes, WorthOutcomes])


@KINDS
@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_empty_is_the_identity(kind, data):
    """Adding nothing changes nothing, to the bit, on either side."""
    a = of(kind, data.draw(answers_of(kind)))
    assert_same(empty(kind).merge(a), a, exact=True)
    assert_same(a.merge(empty(kind)), a, exact=True)


@KINDS
@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_merge_is_commutative_and_associative(kind, data):
    """Neither order nor grouping matters."""
    a, b, c = (of(kind, data.draw(answers_of(kind))) for _ in range(3))
    assert_same(a.merge(b), b.merge(a), exact=True)
    assert_same(a.merge(b).merge(c), a.merge(b.merge(c)))


@KINDS
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_outcomes_of_all_are_the_sum_of_the_parts(kind, data):
    """Rows may be cut anywhere and come in any order."""
    answers = data.draw(answers_of(kind))
    order = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(answers.rows)
    cut = data.draw(st.integers(0, answers.rows))
    parts = of(kind, taken(answers, order[:cut])).merge(of(kind, taken(answers, order[cut:])))
    assert_same(parts, of(kind, answers))


@KINDS
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_arrays_give_back_the_state_and_merge_leaves_its_arguments_alone(kind, data):
    """What is stored is what is read; what was added is still itself."""
    a, b = (of(kind, data.draw(answers_of(kind))) for _ in range(2))
    before = copy.deepcopy((a, b))
    a.merge(b)
    assert_same(a, before[0], exact=True)
    assert_same(b, before[1], exact=True)
    grid = (GRID,) if kind is RegressionOutcomes else ()
    assert_same(kind.from_arrays(*grid, a.arrays()), a, exact=True)


def test_another_grid_is_refused():
    """Outcomes over different bins neither add nor read as each other."""
    a = RegressionOutcomes.empty(GRID)
    with pytest.raises(StateError, match="does not add"):
        a.merge(RegressionOutcomes.empty(OTHER))
    with pytest.raises(StateError, match="does not fit"):
        RegressionOutcomes.from_arrays(OTHER, a.arrays())


def test_rankings_are_as_wide_as_the_form():
    """The strategy above draws from the form itself."""
    form = OutputForm(Task.RANKING)
    assert np.zeros(1, form.outputs)["items"].shape == (1, CUTOFF)
    assert np.zeros(1, form.outcomes)["items"].shape == (1, JUDGED)
