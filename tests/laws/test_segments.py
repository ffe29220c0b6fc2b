"""The merge laws and conservation over the rows of segments."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.errors import StateError
from driftwatch.stream.batch import Batch
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.segment_panes import SegmentPanes
from driftwatch.summaries.segmented import CHUNK, Segmented
from tests.dividing import PANE, add, assert_states_equal, divided, held, merged, state_of
from tests.strategies import assert_profiles_equal, layouts, profile_of, taken

COUNT = 7


def over_one_layout(parts: int):
    """(layout, (batch, numbers), …)."""
    return layouts().flatmap(lambda layout: st.tuples(st.just(layout), *(divided(layout) for _ in range(parts))))


def both(one, two):
    """Rows of one and then of the other."""
    return Batch.joined([one[0], two[0]]), np.concatenate([one[1], two[1]], axis=1)


@settings(max_examples=40)
@given(over_one_layout(1))
def test_each_segment_is_the_profile_of_its_rows(drawn):
    """Whatever else is counted beside it; of a segment without rows nothing is held."""
    layout, (batch, numbers) = drawn
    state = state_of(batch, numbers, layout)
    for number in range(COUNT):
        rows = (numbers == number).any(axis=0)
        assert state.rows(number) == rows.sum()
        assert (number in state.present) == rows.any()
        assert_profiles_equal(state.profile(number), profile_of(taken(batch, rows), layout))


@settings(max_examples=40)
@given(over_one_layout(1))
def test_a_dimension_conserves_rows(drawn):
    """Segments of a dimension in which every row has a place add up to the whole."""
    layout, (batch, numbers) = drawn
    state, total = state_of(batch, numbers, layout), Profile.empty(layout)
    for number in range(3, COUNT):
        total = total.merge(state.profile(number))
    assert_profiles_equal(total, profile_of(batch, layout))


@settings(max_examples=40)
@given(over_one_layout(3))
def test_merge_laws(drawn):
    """Nothing is the identity; neither order nor grouping matters; the parts add up to all rows."""
    layout, *parts = drawn
    a, b, c = (state_of(*part, layout) for part in parts)
    assert_states_equal(merged(Segmented(layout, COUNT), a, layout=layout), a, exact=True)
    assert_states_equal(merged(a, b, layout=layout), merged(b, a, layout=layout), exact=True)
    left = merged(merged(a, b, layout=layout), c, layout=layout)
    assert_states_equal(left, merged(a, merged(b, c, layout=layout), layout=layout))
    assert_states_equal(merged(a, b, layout=layout), state_of(*both(*parts[:2]), layout))


@settings(max_examples=40)
@given(over_one_layout(2))
def test_adding_in_place_is_merging(drawn):
    """A pane that takes a second batch is the pane of both, open or packed in between; a merge changes no part."""
    layout, one, two = drawn
    panes = SegmentPanes(layout, COUNT)
    add(panes, *one)
    panes.pack(PANE[0] + 1)
    first = held(panes)
    add(panes, *two)
    assert_states_equal(held(panes), state_of(*both(one, two), layout))
    before = copy.deepcopy(first)
    merged(first, state_of(*two, layout), layout=layout)
    assert_states_equal(first, before, exact=True)


@settings(max_examples=40)
@given(over_one_layout(1), st.sampled_from([1, 3, 7]))
def test_chunks_give_back_the_state(drawn, segments):
    """What is stored is what is read, to the bit."""
    layout, (batch, numbers) = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("driftwatch.summaries.segmented.CHUNK", segments)
        state = state_of(batch, numbers, layout)
        chunks = [state.chunk(number) for number in {number // segments for number in state.present}]
    found = Segmented.from_chunks(layout, COUNT, chunks)
    assert_states_equal(found, state, exact=True)
    assert not found.changed


@settings(max_examples=20)
@given(over_one_layout(1))
def test_another_layout_is_refused(drawn):
    """Segments counted over different grids do not add, and chunks of one do not read as the other."""
    layout, part = drawn
    other = replace(layout, categorical=(*layout.categorical, Column("one more", Kind.BOOLEAN, ("false", "true"))))
    state = state_of(*part, layout)
    with pytest.raises(StateError, match="do not add"):
        Segmented(other, COUNT).absorb(state)
    with pytest.raises(StateError, match="no segments of this layout"):
        Segmented.from_chunks(other, COUNT, [state.chunk(0)])


def rows_of(layout: Layout, rows: int) -> Batch:
    """Rows that say nothing."""
    times = np.arange(rows)
    zeros = np.zeros(rows, dtype=np.int32)
    return Batch("p", times, times.astype(np.uint64), zeros, ("",), np.zeros((0, rows)), np.zeros((0, rows), np.int32))


EMPTY = Layout((), (), np.zeros((0, 129)), np.zeros(0), np.zeros(0))


def test_only_chunks_that_took_rows_are_written():
    """A pane's first chunk says that it is divided; what is saved is not said again; what is gone is None."""
    panes = SegmentPanes(EMPTY, 5 * CHUNK)
    add(panes, rows_of(EMPTY, 2), np.array([[-1, 3 * CHUNK]], dtype=np.int16))
    assert list(panes.changes()) == ["0/0/", "0/3/"]
    assert panes.changes() == panes.changes()
    panes.saved()
    assert panes.changes() == {}
    add(panes, rows_of(EMPTY, 1), np.array([[3 * CHUNK + 1]], dtype=np.int16))
    panes.pack(1)
    assert list(panes.changes()) == ["0/3/"]
    panes.saved()
    panes.forget(PANE)
    assert panes.changes() == {"0/0/": None, "0/3/": None}
    assert panes.size_bytes == (0, 0)


def test_a_pane_of_before_segments_is_never_divided():
    """Its segments would not add up to the whole."""
    panes, cells = SegmentPanes(EMPTY, 1), np.zeros(1, dtype=np.int64)
    numbers = np.zeros((1, 1), dtype=np.int16)
    division = panes.divide([PANE], cells, numbers=numbers, times=np.zeros(1, np.int64), whole={PANE: object()})
    assert division.into == [None]
    assert panes.window([PANE]) is None
    assert panes.changes() == {}
