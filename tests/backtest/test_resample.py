"""History with the time taken out of it."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from driftwatch.backtest.own_reference import own_watch
from driftwatch.backtest.resample import STRATA, block_rows, dealt, halves


@given(rows=st.integers(50, 3_000), block=st.integers(1, 60), seed=st.integers(0, 1_000))
def test_every_row_once(rows, block, seed):
    """The rounds are a permutation in blocks of consecutive rows, and the halves are two parts of it."""
    rounds = dealt(rows, block=block, generator=np.random.default_rng(seed))
    assert np.array_equal(np.sort(np.concatenate(rounds)), np.arange(rows))
    assert max(part.size for part in rounds) <= STRATA * block
    assume(len(rounds) > 1)
    divided = halves(rows, block=block, generator=np.random.default_rng(seed))
    both = np.concatenate([divided.reference, *divided.stream])
    assert np.array_equal(np.sort(both), np.arange(rows))


def test_no_change_remains():
    """Of a history that is another one from its middle on, every window has half of each."""
    rows, window = 50_000, 1_000
    divided = halves(rows, block=block_rows(window), generator=np.random.default_rng(0))
    late = np.concatenate(divided.stream)[: rows // 2 // window * window].reshape(-1, window) >= rows // 2
    assert np.abs(late.mean(axis=1) - 0.5).max() <= 0.1
    assert np.mean(divided.reference >= rows // 2) == pytest.approx(0.5, abs=0.02)


def test_neighbours_stay_together():
    """Within a block rows keep their order, so that rows that depend on each other still do."""
    order = np.concatenate(dealt(50_000, block=100, generator=np.random.default_rng(1)))
    assert np.mean(np.diff(order) == 1) == pytest.approx(0.99, abs=0.001)


def test_more_rows_than_there_are():
    """Rows that are taken again are told apart from those before."""
    divided = halves(1_000, block=10, generator=np.random.default_rng(2))
    once = sum(part.size for part in divided.stream)
    places, again = divided.rows(3 * once - 5, start=3)
    assert np.bincount(again).tolist() == [once, once, once - 5]
    assert len(set(zip(places.tolist(), again.tolist(), strict=True))) == places.size
    assert places[0] == divided.stream[3][0]


def test_own_reference(changed, history):
    """A reference of the history's own rows has their counts, their labels and the layout that it had."""
    places = np.arange(0, history.size, 2)
    own = own_watch(changed.watch, history, places)
    assert own.layout.fingerprint == changed.watch.layout.fingerprint
    assert own.reference.rows == places.size
    labelled = np.count_nonzero(history.label_of[places] >= 0)
    assert own.reference.outcomes.rows == labelled
    codes = history.rows.categorical[0, places]
    assert own.reference.profile.categories[: codes.max() + 1].tolist() == np.bincount(codes).tolist()
