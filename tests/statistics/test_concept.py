"""Monitors of the loss: the cutting law, alarms and what follows them, statuses, snapshots."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.statistics.concept import (
    ConceptStatus,
    Direction,
    Terms,
    bounded_errors,
    concept_readings,
    error_scale,
)
from driftwatch.statistics.loss_steps import advance, begin
from driftwatch.summaries.evidence_state import CELL, FIRST_ROWS, LossLevels

EASY = Terms(run_length_rows=200.0)
"""So short a promise that drawn streams are full of alarms."""


def stream(*stretches, seed=0):
    """0/1 losses of stretches (rows, mean)."""
    chance = np.random.default_rng(seed)
    return np.concatenate([(chance.random(rows) < mean).astype(float) for rows, mean in stretches])


def watched(losses, *, levels=None, places=None, terms=Terms(), first_ms=0):  # noqa: B008  # Terms is frozen
    """Show rows of one cell, or of `places`, at once."""
    places = np.zeros(losses.size, dtype=np.int64) if places is None else places
    levels = LossLevels.empty(int(places.max(initial=0)) + 1) if levels is None else levels
    times = first_ms + 10 * np.arange(losses.size)
    return advance(levels, places, losses=losses, times_ms=times, terms=terms)


def assert_same(a, b):
    """Equal to the last bit; NaN equals NaN."""
    for name in CELL.names:
        np.testing.assert_array_equal(a.cells[name], b.cells[name], err_msg=name)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 3000), max_size=8), st.booleans())
def test_cutting_changes_no_bit(seed, cuts, exact):
    """Rows of three cells, mixed and cut anywhere, leave the same states and alarms as in one piece."""
    chance = np.random.default_rng(seed)
    losses = stream((1100, 0.2), (900, 0.7), (1000, 0.1), seed=seed)
    losses = losses if exact else losses * chance.random(losses.size)
    places, times = chance.choice(3, losses.size, p=[0.7, 0.25, 0.05]), np.arange(losses.size)
    whole, alarms = advance(LossLevels.empty(3), places, losses=losses, times_ms=times, terms=EASY)
    levels, found = LossLevels.empty(3), []
    for part in np.split(np.arange(losses.size), sorted(cuts)):
        levels, more = advance(levels, places[part], losses=losses[part], times_ms=times[part], terms=EASY)
        found.extend(more)
    assert alarms
    assert found == list(alarms)
    assert_same(levels, whole)


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 10_000))
def test_row_by_row_recursion(seed):
    """The first alarm is that of the detector written down as a loop over rows."""
    losses = stream((700, 0.2), (700, 0.5), seed=seed)
    _, alarms = watched(losses, terms=EASY)
    levels = LossLevels.empty(1)
    gain, state = np.array([0.25, 0.7, 2.5]), np.zeros((2, 3))
    for row, loss in enumerate(losses):
        low, high = max(levels.cells["low"][0] - 0.01, 0), levels.cells["high"][0]
        state[0] = (1 + gain * loss) / (1 + gain * high) * (state[0] + 1)
        state[1] = (1 + gain * (1 - loss)) / (1 + gain * (1 - low)) * (state[1] + 1)
        if state.mean(axis=1).max() >= EASY.threshold:
            break
        levels, _ = watched(losses[row : row + 1], levels=levels, terms=EASY)
    assert (alarms[0].row, alarms[0].direction) == (row, list(Direction)[state.mean(axis=1).argmax()])


def test_cells_do_not_see_each_other():
    """A cell among a thousand is as if alone."""
    losses = stream((3000, 0.2), (1000, 0.6))
    places = np.repeat(np.arange(1000), 4)[np.random.default_rng(1).permutation(4000)]
    levels, _ = watched(losses, places=places)
    alone, _ = watched(losses[places == 7], levels=LossLevels.empty(1))
    for name in ("rows", "products", "starts", "level_total"):
        np.testing.assert_array_equal(levels.cells[name][7], alone.cells[name][0])


def test_rise_then_return():
    """A rise alarms and the cell is worse until it is back, by a fall, within the accepted bounds."""
    levels, alarms = watched(stream((5000, 0.2), (1000, 0.5)))
    (rise,) = alarms
    assert (rise.direction, concept_readings(levels, Terms())[0].status) == (Direction.RISE, ConceptStatus.WORSE)
    assert 5000 <= rise.row < 5100
    assert abs(rise.changed_row - 5000) < 50
    assert (rise.ms, rise.changed_ms) == (10 * rise.row, 10 * (rise.changed_row - 1))
    assert rise.before == pytest.approx(0.2, abs=0.02)
    assert rise.after > 0.4
    levels, alarms = watched(stream((3000, 0.2), seed=1), levels=levels)
    assert [alarm.direction for alarm in alarms] == [Direction.FALL]
    assert concept_readings(levels, Terms())[0].status is ConceptStatus.STABLE


def test_each_level_is_learnt_anew():
    """Steps up are told apart one by one, and better than ever is BETTER."""
    levels, alarms = watched(stream((3000, 0.2), (3000, 0.4), (3000, 0.6), (3000, 0.05)))
    assert [alarm.direction for alarm in alarms] == [Direction.RISE, Direction.RISE, Direction.FALL]
    assert concept_readings(levels, Terms())[0].status is ConceptStatus.BETTER
    assert levels.cells["level_rows"][0] < 3000


def test_learning_then_stable():
    """Without a reference nothing is known until the first bounds; nothing is claimed before."""
    levels, _ = watched(stream((FIRST_ROWS - 1, 0.2)))
    (reading,) = concept_readings(levels, Terms())
    assert (reading.status, reading.low, reading.high) == (ConceptStatus.LEARNING, 0.0, 1.0)
    assert np.isnan(reading.level)
    levels, _ = watched(np.zeros(1), levels=levels)
    (reading,) = concept_readings(levels, Terms())
    assert reading.status is ConceptStatus.STABLE
    assert 0 < reading.low < reading.level < reading.high < 1
    assert (reading.changes, reading.last_direction, reading.last_changed_row) == (0, None, None)


def test_reference_is_the_first_level():
    """With a labelled reference the first rows are judged by it at once."""
    levels = begin(np.array([20_000, 0]), np.array([4000.0, 0.0]), terms=Terms())
    assert levels.cells["low"][0] < 0.2 < levels.cells["high"][0]
    assert levels.cells["high"][1] == 1.0
    losses = stream((60, 0.9))
    _, alarms = watched(np.repeat(losses, 2), levels=levels, places=np.tile([0, 1], 60))
    assert [alarm.cell for alarm in alarms] == [0]
    assert alarms[0].before == pytest.approx(0.2, abs=0.01)


def test_reference_draws_closer_with_rows():
    """Bounds of the reference's level are drawn closer when as many rows have come as it had, not at once."""
    levels = begin(np.array([1000]), np.array([200.0]), terms=Terms())
    losses = stream((1024, 0.2))
    before, _ = watched(losses[:1023], levels=levels)
    after, _ = watched(losses[1023:], levels=before)
    width = [float((one.cells["high"] - one.cells["low"])[0]) for one in (levels, before, after)]
    assert width[0] == width[1] > width[2]


def test_no_product_leaves_the_range_of_floats():
    """Two million quiet rows keep all state finite and the evidence of a change as it should be."""
    levels = begin(np.array([10**6]), np.array([2e5]), terms=Terms())
    losses = np.tile([0.0, 0.0, 0.0, 0.0, 1.0], 100_000)
    for _ in range(4):
        levels, alarms = watched(losses, levels=levels)
        assert not alarms
    assert all(np.isfinite(levels.cells[name]).all() for name in ("products", "starts", "lowest"))
    _, alarms = watched(stream((1000, 0.5)), levels=levels)
    assert alarms[0].direction is Direction.RISE
    assert abs(alarms[0].changed_row - 2_000_000) < 50


def test_snapshot_goes_on_where_it_stopped():
    """A state made of its arrays goes on to the same bit, and cells may be added behind."""
    losses = stream((3000, 0.2), (300, 0.6))
    half, _ = watched(losses[:1700])
    restored = LossLevels.from_arrays(half.arrays())
    assert_same(restored, half)
    assert_same(watched(losses[1700:], levels=restored)[0], watched(losses[1700:], levels=half)[0])
    more = half.extended(LossLevels.empty(2))
    assert more.size == 3
    assert_same(more.taken(np.array([0])), half)


def test_lowered_promise_alarms_at_the_next_row():
    """Evidence that a new, shorter run length makes an alarm is one at the next row, not at none."""
    losses = stream((3000, 0.2), (100, 0.6))
    _, alarms = watched(losses, terms=EASY)
    late = Terms(run_length_rows=1e9)
    levels, none = watched(losses[: alarms[0].row + 1], terms=late)
    assert not none
    _, (alarm,) = watched(np.ones(1), levels=levels, terms=EASY)
    assert alarm.row == alarms[0].row + 1


def test_no_rows_change_nothing():
    """An empty batch gives the state itself."""
    levels = LossLevels.empty(2)
    assert watched(np.empty(0), levels=levels)[0] is levels


@pytest.mark.parametrize("wrong", [np.nan, -0.1, 1.5])
def test_losses_out_of_range_are_refused(wrong):
    """A loss that is no number in [0, 1] is an error, not a row."""
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        watched(np.array([0.0, wrong, 1.0]))


@pytest.mark.parametrize("wrong", [{"run_length_rows": 10}, {"risk": 0.0}, {"risk": 1.0}])
def test_terms_that_cannot_be_kept_are_refused(wrong):
    """A run length within the first rows of a level, or a risk of none or all, is an error."""
    with pytest.raises(ValueError, match="run_length_rows must be"):
        Terms(**wrong)


@pytest.mark.parametrize("mean", [0.02, 0.2, 0.5])
def test_promised_run_length_with_a_learnt_level(mean):
    """False alarms, level learnt and bounds estimated, come no oftener than promised: rows / run length."""
    terms, cells, rows = Terms(run_length_rows=500.0), 200, 4000
    losses = stream((cells * rows, mean), seed=3)
    levels, alarms = watched(losses, places=np.tile(np.arange(cells), rows), terms=terms)
    first = np.where(levels.cells["changes"] > 0, 0, rows)
    for alarm in reversed(alarms):
        first[alarm.cell] = alarm.row
    assert first.mean() >= terms.run_length_rows
    assert len(alarms) <= cells * rows / terms.run_length_rows


def test_errors_become_losses():
    """Absolute errors over the reference's 90 % quantile, at most 1; NaN stays, a scale of nothing is 1."""
    scale = error_scale(np.array([*range(-50, 51), np.nan], dtype=float))
    assert scale == pytest.approx(45.0)
    np.testing.assert_array_equal(bounded_errors(np.array([-90.0, 9.0, np.nan]), scale=scale), [1.0, 0.2, np.nan])
    assert error_scale(np.zeros(5)) == error_scale(np.empty(0)) == 1.0
