"""The rows before a window: whatever has been let go in between, they are those of the panes of the period."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.errors import StateError
from driftwatch.summaries.codec import profile_bytes
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.rolling import GROUPS, Rolling
from tests.monitors import LAYOUT, Row, batch_of
from tests.strategies import assert_profiles_equal, profile_of

PANE = 10


def pane(start: int, amount: int = 1) -> Profile:
    return profile_of(batch_of([Row("a", start, "1", amount % 8, 0)]), LAYOUT)


@given(st.integers(1, 100), st.sets(st.integers(-150, 150), min_size=1), st.integers(0, 40), st.data())
def test_the_panes_of_the_period(count: int, places: set[int], held: int, data) -> None:
    """Of every window to come the reference holds the panes of the period before it, its far end moved to a group's."""
    rolling = Rolling(LAYOUT, period_ms=count * PANE, pane_ms=PANE)
    step = PANE * -(-count // GROUPS)
    starts = sorted(place * PANE for place in places)
    panes = {(start, version): pane(start, start // PANE) for start in starts for version in "12"}
    everything = dict(panes)
    now = starts[0]
    while now < starts[-1]:
        now += data.draw(st.integers(1, 60)) * PANE
        before = now - held * PANE
        gone = {key: panes.pop(key) for key in list(panes) if key[0] < before}
        rolling.let_go(gone, before=before)
        assert len(rolling.held()) <= -(-count * PANE // step) + 1
        seen = {key: profile for key, profile in panes.items() if key[0] <= now}
        found = rolling.reference((now, now + PANE), pane(0), seen)
        first = (now - count * PANE) // step * step
        expected = [everything[key] for key in sorted(everything) if first <= key[0] < now]
        if starts[0] > now - count * PANE or not expected:
            assert found is None
        else:
            assert_profiles_equal(found, reduce(Profile.merge, expected))
            assert rolling.reference((now, now + PANE), pane(0), seen) is found


def test_the_previous_window() -> None:
    """A period of the window's length is the window before, and the file's rows stand in for the first one."""
    rolling = Rolling(LAYOUT, period_ms=PANE, pane_ms=PANE)
    panes = {(0, "1"): pane(0), (10, "1"): pane(10, 2), (20, "1"): pane(20, 3)}
    assert rolling.reference((0, 10), pane(0), panes) is None
    assert rolling.reference((10, 20), pane(0), panes) is panes[0, "1"]
    assert rolling.reference((20, 30), pane(0), panes) is panes[10, "1"]


def test_a_late_row_is_in_the_references_to_come() -> None:
    """A pane that has taken another row makes another reference."""
    rolling = Rolling(LAYOUT, period_ms=PANE, pane_ms=PANE)
    panes = {(0, "1"): pane(0), (10, "1"): pane(10)}
    before = rolling.reference((10, 20), pane(0), panes)
    panes[0, "2"] = pane(0, 5)
    after = rolling.reference((10, 20), pane(0), panes)
    assert before is not None
    assert after is not None
    assert (before.rows, after.rows) == (1, 2)


def test_after_an_outage_there_is_nothing_before() -> None:
    """Then the file's rows stand in again."""
    rolling = Rolling(LAYOUT, period_ms=2 * PANE, pane_ms=PANE)
    panes = {(0, "1"): pane(0), (90, "1"): pane(90)}
    assert rolling.reference((90, 100), pane(0), panes) is None
    assert rolling.reference((100, 110), pane(0), panes) is panes[90, "1"]


def test_another_period_begins_anew() -> None:
    """What was added up for one period cannot be taken for another: its names are handed back, to be deleted."""
    rolling = Rolling(LAYOUT, period_ms=PANE, pane_ms=PANE)
    rolling.let_go({(0, "1"): pane(0)}, before=10)
    chunks = {name: data for name, data in rolling.changes().items() if data is not None}
    other = Rolling(LAYOUT, period_ms=2 * PANE, pane_ms=PANE)
    assert other.resume(chunks, since=0) == list(chunks)
    assert (other.held(), other.since) == ({}, None)
    same = Rolling(LAYOUT, period_ms=PANE, pane_ms=PANE)
    assert same.resume(chunks, since=0) == []
    assert same.since == 0
    assert_profiles_equal(same.held()[0], pane(0), exact=True)
    with pytest.raises(StateError, match="no chunk of a rolling reference"):
        same.resume({f"{PANE}/{PANE}/here": profile_bytes(pane(0))}, since=0)
