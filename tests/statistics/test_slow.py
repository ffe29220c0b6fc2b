"""The detector of slow change over profiles: what it finds, what it leaves alone, and that its state can be kept."""

import dataclasses

import numpy as np
import pytest

from driftwatch.errors import StateError
from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.statistics.slow import Slow, SlowState
from tests.oracles import layout_of, profile_of

WORDS = ("a", "b", "c")
RNG = np.random.default_rng(20)
NUMBERS = [RNG.normal(size=5000), RNG.exponential(size=5000)]
CODES = [RNG.integers(0, 3, 5000).astype(np.int32)]
LAYOUT = layout_of(NUMBERS, [WORDS])
REFERENCE = profile_of(LAYOUT, NUMBERS, CODES)
QUIET = 100.0


def window(rng, *, rows=500, shift=0.0, share=1 / 3, missing=0.0):
    """Two columns of numbers and one of words, as the reference's but for what is asked."""
    normal = rng.normal(shift, 1, rows)
    normal[rng.random(rows) < missing] = np.nan
    rest = (1 - share) / 2
    codes = rng.choice(3, rows, p=[share, rest, rest]).astype(np.int32)
    return profile_of(LAYOUT, [normal, rng.exponential(size=rows)], [codes])


def run(slow, windows, **asked):
    rng, state = np.random.default_rng(3), SlowState.empty(LAYOUT)
    for _ in range(windows):
        state = slow.advance(state, window(rng, **asked))
    return slow.evidence(state)


@pytest.mark.parametrize("tolerance", [0.0, 0.05])
def test_nothing_is_found_where_nothing_changed(tolerance):
    """Columns like the reference stay quiet."""
    assert (run(Slow.of(LAYOUT, REFERENCE, tolerance=tolerance), 60) < QUIET).all()


@pytest.mark.parametrize(
    ("column", "asked"),
    [(0, {"shift": 0.3}), (2, {"share": 0.45}), (0, {"missing": 0.12})],
    ids=["location", "category", "missing"],
)
def test_a_change_beyond_the_tolerance_is_found(column, asked):
    """It is found in its column, and no other column hears of it."""
    found = run(Slow.of(LAYOUT, REFERENCE), 40, **asked)
    assert found[column] > 1e5
    assert (np.delete(found, column) < QUIET).all()


def test_a_change_within_the_tolerance_is_none():
    """A shift of 0.05 σ moves 2 % of rows: with 5 % tolerated it is never found, with nothing tolerated it is."""
    assert run(Slow.of(LAYOUT, REFERENCE, tolerance=0.05), 150, shift=0.05)[0] < QUIET
    assert run(Slow.of(LAYOUT, REFERENCE, tolerance=0.0), 150, shift=0.1)[0] > 1e3


def test_a_state_that_was_kept_goes_on_with_the_same_bits():
    """Arrays and back changes nothing that follows."""
    slow, rng, state = Slow.of(LAYOUT, REFERENCE), np.random.default_rng(5), SlowState.empty(LAYOUT)
    for _ in range(5):
        one = window(rng)
        state = slow.advance(state, one)
        again = SlowState.from_arrays(LAYOUT, state.arrays())
        after, restored = slow.advance(state, one), slow.advance(again, one)
        for name, array in after.arrays().items():
            np.testing.assert_array_equal(restored.arrays()[name], array)


def test_arrays_of_another_layout_are_refused():
    """One line says so."""
    other = layout_of([NUMBERS[0]])
    with pytest.raises(StateError, match="does not fit layout"):
        SlowState.from_arrays(LAYOUT, SlowState.empty(other).arrays())
    with pytest.raises(StateError, match="does not fit layout"):
        SlowState.from_arrays(LAYOUT, {})
    with pytest.raises(StateError, match="does not fit layout"):
        Slow.of(LAYOUT, REFERENCE).advance(SlowState.empty(LAYOUT), profile_of(other, [NUMBERS[0]]))


def test_windows_without_rows_change_nothing():
    """Neither evidence nor state moves, however many there are."""
    slow = Slow.of(LAYOUT, REFERENCE)
    state = slow.advance(SlowState.empty(LAYOUT), window(np.random.default_rng(5), shift=0.3))
    assert slow.advance(state, dataclasses.replace(REFERENCE, rows=0)) is state


def test_thin_windows_are_bet_on():
    """Windows of three rows say little each, but they add up; nothing overflows on the way."""
    slow = Slow.of(LAYOUT, REFERENCE)
    with np.errstate(all="raise", under="ignore"):
        assert run(slow, 400, rows=3, shift=1.0)[0] > 1e3
        assert (run(slow, 200, rows=1) < QUIET).all()


def test_only_columns_that_are_named_start_anew():
    """Reset forgets evidence and lessons of a column and leaves the others' bits alone."""
    slow, rng, state = Slow.of(LAYOUT, REFERENCE), np.random.default_rng(5), SlowState.empty(LAYOUT)
    for _ in range(20):
        state = slow.advance(state, window(rng, shift=0.3, share=0.5))
    before, anew = slow.evidence(state), slow.reset(state, np.array([True, False, False]))
    assert slow.evidence(anew)[0] == 0
    np.testing.assert_array_equal(slow.evidence(anew)[1:], before[1:])
    fresh = slow.advance(SlowState.empty(LAYOUT), window(np.random.default_rng(9)))
    again = slow.advance(anew, window(np.random.default_rng(9)))
    assert slow.evidence(again)[0] == slow.evidence(fresh)[0]


def test_evidence_goes_when_the_change_has_gone():
    """It comes down by itself, from wherever it was."""
    slow, rng, state = Slow.of(LAYOUT, REFERENCE), np.random.default_rng(5), SlowState.empty(LAYOUT)
    for _ in range(60):
        state = slow.advance(state, window(rng, shift=0.5))
    assert 1e6 < slow.evidence(state)[0] <= 1e12
    for _ in range(60):
        state = slow.advance(state, window(rng))
    assert slow.evidence(state)[0] < QUIET


def test_overdispersion_weakens_what_is_found():
    """The same rows say less where rows are known to vary together, and least where that is but estimated."""

    def over(factor, freedom):
        return lambda _: Overdispersion(*(np.full(3, factor) for _ in range(4)), np.full(3, freedom))

    known = [run(Slow.of(LAYOUT, REFERENCE, over=over(f, np.inf)), 12, shift=0.4)[0] for f in (1.0, 5.0)]
    few = run(Slow.of(LAYOUT, REFERENCE, over=over(5.0, 8.0)), 12, shift=0.4)[0]
    assert known[0] > known[1] > few


def test_dependence_beyond_a_window_counts():
    """Where rows of one window hang together with those of the next, the factor of long stretches is what counts."""

    def over(rows):
        return Overdispersion(*(np.full(3, 1.0 + 4.0 * (rows > 500)) for _ in range(4)), np.full(3, np.inf))

    long = Overdispersion(*(np.full(3, 5.0) for _ in range(4)), np.full(3, np.inf))
    found = [run(Slow.of(LAYOUT, REFERENCE, over=given), 12, shift=0.4) for given in (over, lambda _: long)]
    np.testing.assert_array_equal(*found)


def test_without_a_reference_nothing_is_said():
    """NaN, for every column."""
    slow = Slow.of(LAYOUT, dataclasses.replace(REFERENCE, rows=0))
    state = slow.advance(SlowState.empty(LAYOUT), window(np.random.default_rng(5)))
    assert np.isnan(slow.evidence(state)).all()


def test_a_column_without_numbers_spoils_no_other():
    """A constant column, and one that has no value at all, before and now: the third is judged as ever."""
    rng = np.random.default_rng(6)
    columns = [np.zeros(2000), np.full(2000, np.nan), rng.normal(size=2000)]
    layout = layout_of([columns[0], np.zeros(2000), columns[2]])
    slow, state = Slow.of(layout, profile_of(layout, columns)), SlowState.empty(layout)
    with np.errstate(all="raise", under="ignore"):
        for _ in range(30):
            now = [np.zeros(300), np.full(300, np.nan), rng.normal(0.5, 1, 300)]
            state = slow.advance(state, profile_of(layout, now))
    found = slow.evidence(state)
    assert (found[:2] < QUIET).all()
    assert found[2] > 1e5
