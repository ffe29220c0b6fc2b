import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from driftwatch.statistics.binary import Costs, binary_metrics
from driftwatch.stream.outputs import LABELLED, WAITING, Answers, OutputForm, blank
from driftwatch.stream.schema import Task
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.scores import ScoreGrid

FORM, GRID = OutputForm(Task.BINARY, ("no", "yes")), ScoreGrid.of(np.linspace(0.2, 0.3, 20))
SCORES = st.one_of(st.just(np.nan), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1))
ROWS = st.lists(st.tuples(SCORES, st.integers(-1, 1), st.integers(-1, 1), st.booleans()), max_size=60)


def answers_of(rows):
    """Answers of scores, predicted classes and labels, -1 for none, and whether the label has come."""
    outputs, outcomes = blank(FORM.outputs, len(rows)), blank(FORM.outcomes, len(rows))
    for place, (score, said, label, _) in enumerate(rows):
        outputs["score"][place], outputs["prediction"][place], outcomes["label"][place] = score, said, label
    state = np.array([LABELLED if came else WAITING for *_, came in rows], dtype=np.uint8)
    return Answers(outputs, outcomes, state, np.zeros(len(rows), np.int64))


@settings(deadline=None)
@example([(0.25, 0, 0, True), (0.25, 0, 0, True), (0.25, 0, 1, True)])
@given(ROWS)
def test_nothing_is_lost_with_the_empty_bins(rows):
    """Put back where they were, the counts of the filled bins are those of the whole grid; metrics are equal."""
    answers = answers_of(rows)
    whole = BinaryState.of(answers, FORM, grid=GRID)
    some = BinaryState.filled(answers, FORM, grid=GRID, slots=GRID.bins_of(answers.outputs["score"]))
    for name, array in some.arrays().items():
        spread = np.zeros(whole.arrays()[name].shape)
        spread[some.grid.slots] = array
        assert (spread == whole.arrays()[name]).all(), name
    costs = Costs(tp=4, fp=-1, fn=-5, tn=0)
    expected = binary_metrics(whole, costs=costs)
    for name, found in binary_metrics(some, costs=costs).items():
        for side in ("value", "lower", "upper"):
            assert getattr(found, side) == pytest.approx(getattr(expected[name], side), rel=1e-9, nan_ok=True), name


def test_what_is_known_of_a_bin_is_that_of_the_grid():
    """Widths, middles and tenths of some bins are the grid's, not those of bins as wide as the way to the next."""
    bins, places = GRID.filled(GRID.bins_of(np.array([0.0, 0.21, 0.9, np.nan, 0.21])))
    kept = bins.slots[:-1]
    assert places.tolist() == [0, 1, 2, 3, 1]
    assert (bins.edges == GRID.edges[kept]).all()
    assert (bins.widths == GRID.widths[kept]).all()
    assert (bins.middles == GRID.middles[kept]).all()
    assert (bins.tenths == GRID.tenths[kept]).all()
    assert bins.slots[-1] == GRID.bins


def test_a_window_without_scores_has_one_bin():
    """So that nobody has to ask whether there is any."""
    bins, places = GRID.filled(GRID.bins_of(np.full(3, np.nan)))
    assert bins.bins == 1
    assert places.tolist() == [1, 1, 1]
