"""The stream of a model by window: who leads, which windows were missed, what came twice."""

import numpy as np
import pytest

from driftwatch.quality.attendance import QUIET, Attendance
from driftwatch.statistics.traffic import Traffic, Usual
from driftwatch.stream.windows import NEVER
from driftwatch.summaries.rhythm import HOUR_MS, HOURS, Rhythm
from tests.monitors import LAYOUT, Row, batch_of
from tests.strategies import profile_of
from tests.timeline import spec

_WEEKS = 4
_EVEN = Usual.of(
    Rhythm(np.full(HOURS, 100 * _WEEKS), np.full(HOURS, _WEEKS), np.full(HOURS, _WEEKS * 100.0**2 + (_WEEKS - 1) * 100))
)
"""A hundred rows an hour, by chance alone more or less."""


def _attendance(*, slide: int = HOUR_MS, usual: Usual | None = _EVEN) -> Attendance:
    return Attendance(spec(size=HOUR_MS, slide=slide, lateness=0, idle_after=50, keep=HOUR_MS), usual)


def _pane(version: str, rows: int, *, last_ms: int):
    return profile_of(batch_of([Row("p", last_ms - n, version, 1, 0) for n in range(rows)]), LAYOUT)


def test_a_window_is_missed_where_rows_should_have_come() -> None:
    """After the first window with rows every empty one is, under the version that led."""
    attendance = _attendance()
    attendance.close(HOUR_MS, {(0, "7"): _pane("7", 9, last_ms=500), (0, "8"): _pane("8", 3, last_ms=900)})
    missed = attendance.missed(HOUR_MS, 4 * HOUR_MS, {(3 * HOUR_MS, "7")})
    assert missed == {(2 * HOUR_MS, "7"), (4 * HOUR_MS, "7")}
    assert attendance.attended.last_ms == 900


def test_before_the_first_row_nothing_is_missed() -> None:
    """A service that starts does not know since when it should have heard something."""
    assert _attendance().missed(NEVER, HOUR_MS, set()) == set()
    assert _attendance().missed(0, HOUR_MS, set()) == set()


def test_without_a_rhythm_nothing_is_missed() -> None:
    """A reference without times says nothing of when rows come."""
    attendance = _attendance(usual=None)
    attendance.close(HOUR_MS, {(0, "7"): _pane("7", 9, last_ms=500)})
    assert attendance.missed(HOUR_MS, 9 * HOUR_MS, set()) == set()


def test_silence_is_reported_for_a_day_and_then_known() -> None:
    """QUIET windows in a row, however they are counted out; rows begin the count anew."""
    attendance = _attendance()
    attendance.close(HOUR_MS, {(0, "7"): _pane("7", 9, last_ms=500)})
    assert len(attendance.missed(HOUR_MS, 2_000 * HOUR_MS, set())) == QUIET
    for hour in range(2, QUIET):
        attendance.close(hour * HOUR_MS, {})
    left = attendance.missed((QUIET - 1) * HOUR_MS, 2_000 * HOUR_MS, set())
    assert len(left) == 2
    attendance.close(QUIET * HOUR_MS, {((QUIET - 1) * HOUR_MS, "7"): _pane("7", 1, last_ms=QUIET * HOUR_MS - 1)})
    assert len(attendance.missed(QUIET * HOUR_MS, 2_000 * HOUR_MS, set())) == QUIET


def test_a_clock_that_jumps_by_years_costs_little() -> None:
    """Only so many windows are looked through."""
    attendance = _attendance(slide=HOUR_MS // 60)
    attendance.close(HOUR_MS, {(0, "7"): _pane("7", 9, last_ms=500)})
    assert len(attendance.missed(HOUR_MS, 10**6 * HOUR_MS, set())) == QUIET


def test_traffic_is_of_all_versions_and_stands_under_one() -> None:
    """A canary takes a share of the rows, and the volume is that of both."""
    attendance = _attendance()
    attendance.again(np.array([5, HOUR_MS - 1, HOUR_MS]))
    panes = {(0, "7"): _pane("7", 9, last_ms=500), (0, "8"): _pane("8", 3, last_ms=900)}
    assert attendance.traffic((HOUR_MS, "7"), panes) == Traffic(0, HOUR_MS, 12, 2, 900)
    assert attendance.traffic((HOUR_MS, "8"), panes) is None


def test_traffic_of_a_window_without_rows() -> None:
    """Its latest row is of a window before."""
    attendance = _attendance()
    panes = {(0, "7"): _pane("7", 9, last_ms=500)}
    attendance.close(HOUR_MS, panes)
    assert attendance.traffic((2 * HOUR_MS, "7"), panes) == Traffic(HOUR_MS, 2 * HOUR_MS, 0, 0, 500)


def test_sliding_windows_share_what_came_twice() -> None:
    """A pane counts in each of its windows, until it is forgotten."""
    attendance = _attendance(slide=HOUR_MS // 2)
    attendance.again(np.array([HOUR_MS // 2, HOUR_MS // 2 + 1]))
    panes = {(HOUR_MS // 2, "7"): _pane("7", 9, last_ms=HOUR_MS - 1)}
    ends = (HOUR_MS, HOUR_MS * 3 // 2)
    found = [attendance.traffic((end, "7"), panes) for end in ends]
    assert [each.duplicates for each in found if each is not None] == [2, 2]
    attendance.forget(HOUR_MS)
    assert attendance.attended.duplicates == {}


@pytest.mark.parametrize(("usual", "names"), [(None, ["duplicates"]), (_EVEN, ["volume", "freshness", "duplicates"])])
def test_readings(usual: Usual | None, names: list[str]) -> None:
    """Without a rhythm there are duplicates alone."""
    readings = _attendance(usual=usual).readings(Traffic(0, HOUR_MS, 10, 1, HOUR_MS - 1))
    assert [each.statistic for each in readings] == names
