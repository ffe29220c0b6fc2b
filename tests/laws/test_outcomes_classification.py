"""The merge laws (design section 4) over the states of binary and multiclass answers."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.errors import StateError
from driftwatch.stream.outputs import CANCELLED, LABELLED, WAITING, Answers, OutputForm
from driftwatch.stream.schema import Task
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.multiclass import MulticlassState
from driftwatch.summaries.scores import ScoreGrid

GRID = ScoreGrid.of(np.linspace(0.2, 0.3, 20))
TWO = OutputForm(Task.BINARY, ("no", "yes"), threshold=0.4)
THREE = OutputForm(Task.MULTICLASS, ("a", "b", "c"))


def binary(answers):
    return BinaryState.of(answers, TWO, grid=GRID)


def multiclass(answers):
    return MulticlassState.of(answers, THREE)


def answers_of(form, seed, rows):
    """Answers of every kind: missing scores and predictions, unknown classes, all three states."""
    rng = np.random.default_rng(seed)
    outputs, outcomes = np.zeros(rows, dtype=form.outputs), np.zeros(rows, dtype=form.outcomes)
    codes = 2 if form is TWO else 4
    outputs["prediction"], outcomes["label"] = rng.integers(-1, codes, rows), rng.integers(0, codes, rows)
    missing = rng.random(rows) < 0.2
    if form is TWO:
        outputs["score"] = np.where(missing, np.nan, rng.choice([0.0, 1.0, 0.25, rng.random()], rows))
    else:
        outputs["scores"] = rng.dirichlet(np.ones(3), rows)
        outputs["scores"][missing, 1] = np.nan
    state = rng.choice(np.array([WAITING, LABELLED, CANCELLED], dtype=np.uint8), rows, p=[0.2, 0.7, 0.1])
    return Answers(outputs=outputs, outcomes=outcomes, state=state, delays_ms=np.zeros(rows, dtype=np.int64))


def part(answers, chosen):
    """Some of the rows."""
    return Answers(
        outputs=answers.outputs[chosen],
        outcomes=answers.outcomes[chosen],
        state=answers.state[chosen],
        delays_ms=answers.delays_ms[chosen],
    )


def same(a, b, *, exact=False):
    for name, array in a.arrays().items():
        other = b.arrays()[name]
        assert array.dtype == other.dtype, name
        assert array.shape == other.shape, name
        if exact or array.dtype.kind == "i":
            np.testing.assert_array_equal(array, other, err_msg=name)
        else:
            np.testing.assert_allclose(array, other, rtol=1e-9, atol=1e-12, err_msg=name)


KINDS = [(TWO, binary), (THREE, multiclass)]
kinds = pytest.mark.parametrize(("form", "of"), KINDS, ids=["binary", "multiclass"])
seeds = st.integers(0, 2**32)


def empty_of(form):
    return BinaryState.empty(GRID) if form is TWO else MulticlassState.empty(form)


@kinds
@settings(deadline=None, max_examples=20)
@given(seed=seeds, rows=st.integers(0, 60))
def test_empty_is_the_identity(form, of, seed, rows):
    """Adding nothing changes nothing, on either side; the state of no rows is it."""
    a = of(answers_of(form, seed, rows))
    same(empty_of(form).merge(a), a, exact=True)
    same(a.merge(empty_of(form)), a, exact=True)
    same(of(answers_of(form, seed, 0)), empty_of(form), exact=True)


@kinds
@settings(deadline=None, max_examples=20)
@given(seed=seeds)
def test_merge_is_commutative_and_associative(form, of, seed):
    """The order of states does not matter."""
    a, b, c = (of(answers_of(form, seed + place, 30)) for place in range(3))
    same(a.merge(b), b.merge(a), exact=True)
    same(a.merge(b).merge(c), a.merge(b.merge(c)))


@kinds
@settings(deadline=None, max_examples=20)
@given(seed=seeds, cut=st.integers(0, 60))
def test_state_of_all_is_the_sum_of_the_parts(form, of, seed, cut):
    """Rows may be cut anywhere, and their order does not matter."""
    answers = answers_of(form, seed, 60)
    order = np.random.default_rng(seed).permutation(60)
    same(of(part(answers, order[:cut])).merge(of(part(answers, order[cut:]))), of(answers))


@kinds
def test_cells_are_the_states_of_their_rows(form, of):
    """Counting many cells at once is counting each alone; rows of cell -1 are in none."""
    answers = answers_of(form, 5, 200)
    cells = np.random.default_rng(6).integers(-1, 3, 200)
    if form is TWO:
        together = BinaryState.of_cells(answers, form, grid=GRID, cells=cells, count=3)
    else:
        together = MulticlassState.of_cells(answers, form, cells=cells, count=3)
    for cell in range(3):
        alone = of(part(answers, cells == cell)).arrays()
        for name, array in together.arrays().items():
            np.testing.assert_allclose(array[cell], alone[name], rtol=1e-12, err_msg=name)


@kinds
def test_arrays_give_back_the_state(form, of):
    """What is stored is what is read, and what does not fit is refused."""
    a = of(answers_of(form, 7, 50))
    same(a.from_arrays(GRID if form is TWO else form, a.arrays()), a, exact=True)
    with pytest.raises(StateError, match="do not fit"):
        a.from_arrays(ScoreGrid.of() if form is TWO else OutputForm(Task.MULTICLASS, ("a", "b")), a.arrays())


def test_states_of_different_grids_or_classes_do_not_add():
    """They say so."""
    with pytest.raises(StateError, match="do not add"):
        BinaryState.empty(GRID).merge(BinaryState.empty(ScoreGrid.of()))
    with pytest.raises(StateError, match="do not add"):
        MulticlassState.empty(THREE).merge(MulticlassState.empty(OutputForm(Task.MULTICLASS, ("a", "b"))))


@kinds
def test_weights_of_one_change_nothing(form, of):
    """And weights of two count every labelled row twice."""
    answers = answers_of(form, 8, 80)
    a = of(answers)
    for factor in (1.0, 2.0):
        if form is TWO:
            weighted = a.reweighted(np.full((GRID.bins + 1, 2), factor))
        else:
            weighted = MulticlassState.of(answers, form, weights=np.full(a.predicted.shape, factor))
        for name, array in weighted.arrays().items():
            times = 1 if name == "predicted" else factor
            np.testing.assert_allclose(array, a.arrays()[name] * times, rtol=1e-12, err_msg=name)


def test_a_row_without_a_class_is_given_the_threshold_s():
    """A score alone predicts; neither score nor prediction is in no count."""
    answers = answers_of(TWO, 9, 4)
    answers.outputs["score"], answers.outputs["prediction"] = [0.39, 0.4, np.nan, np.nan], [-1, -1, -1, 1]
    state = binary(answers)
    assert state.predicted.sum() == 3
    assert state.predicted[:-1].sum(axis=0).tolist() == [1, 1]
    assert state.predicted[-1].tolist() == [0, 1]


def test_states_forget_no_field():
    """A field added has to be compared by these laws."""
    for form, of in KINDS:
        state = of(answers_of(form, 1, 5))
        assert {field.name for field in fields(state)} == {"grid", *state.arrays()}
