import numpy as np
import pytest

from driftwatch.errors import StateError
from driftwatch.summaries.matured import MOST_WINDOWS, Matured


def window(end, rows, seed=0):
    labelled = np.zeros((4, 2, 2))
    labelled[np.random.default_rng(seed).integers(0, 4), 0, 0] = rows
    return Matured.of(end, labelled)


def total(windows):
    state = Matured.empty(4)
    for one in windows:
        state = state.merge(one)
    return state


def test_order_does_not_matter():
    """Windows may become final in any order and in parts; the newest are kept."""
    windows = [window(end // 2, 10 + end, end) for end in range(3 * MOST_WINDOWS)]
    rng = np.random.default_rng(0)
    states = [total([windows[k] for k in rng.permutation(len(windows))]) for _ in range(3)]
    for state in states:
        assert state.ends.tolist() == list(range(3 * MOST_WINDOWS // 2 - MOST_WINDOWS, 3 * MOST_WINDOWS // 2))
        assert (state.labelled == states[0].labelled).all()


def test_reference_fills_what_has_not_come():
    """Until there are enough rows, the newest parts of the reference count too."""
    reference = total([window(end, 100) for end in range(5)])
    state = total([window(end, 60) for end in range(3)])
    assert Matured.empty(4).counts(reference, most_rows=500).sum() == 500
    assert state.counts(reference, most_rows=500).sum() == 3 * 60 + 3 * 100
    assert state.counts(most_rows=500).sum() == 180
    assert state.counts(reference, most_rows=130).sum() == 120


def test_one_window_always_counts():
    """A window greater than the limit is taken whole."""
    assert window(1, 1000).counts(most_rows=10).sum() == 1000
    assert Matured.empty(4).counts(most_rows=10).sum() == 0


def test_arrays_are_everything():
    """What is written down comes back."""
    state = total([window(end, 60, end) for end in range(3)])
    again = Matured.from_arrays(state.arrays())
    assert (again.ends == state.ends).all()
    assert (again.labelled == state.labelled).all()


def test_other_grid_is_refused():
    """Counts over other bins are not added."""
    with pytest.raises(StateError, match="score grids"):
        Matured.empty(4).merge(Matured.empty(5))
