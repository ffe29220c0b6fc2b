"""The stream of a model by window: who leads, which windows were missed, what came twice."""

from itertools import pairwise

import numpy as np
import pytest

from driftwatch.quality.attendance import QUIET, Again, Attendance, Attended
from driftwatch.statistics.traffic import Usual
from driftwatch.stream.versions import OTHER_VERSION, Versions
from driftwatch.stream.windows import NEVER, WindowSpec
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
    """Of a stream that began at 0."""
    made = Attendance(spec(size=HOUR_MS, slide=slide, lateness=0, idle_after=50, keep=HOUR_MS), usual)
    made.attended.first_ms = 0
    return made


def _pane(version: str, rows: int, *, last_ms: int):
    return profile_of(batch_of([Row("p", last_ms - n, version, 1, 0) for n in range(rows)]), LAYOUT)


def _said(attendance: Attendance, key: tuple[int, str], panes) -> tuple:
    """What is said in the report of a window and version."""
    end, version = key
    rows = sum(each.rows for (pane, name), each in panes.items() if name == version and end - HOUR_MS <= pane < end)
    return attendance.readings(key, panes, rows=rows)


def _closed(attendance: Attendance, hour: int, *, since: int, panes=None) -> set:
    """Windows up to this hour close; the keys of those that were missed."""
    panes = panes or {}
    held = {(pane + HOUR_MS, version) for pane, version in panes if since * HOUR_MS <= pane < hour * HOUR_MS}
    return attendance.close(since * HOUR_MS, hour * HOUR_MS, held, panes)


def test_a_window_is_missed_where_rows_should_have_come() -> None:
    """After the first window with rows every empty one is, under the version that led."""
    panes = {
        (0, "7"): _pane("7", 9, last_ms=500),
        (0, "8"): _pane("8", 3, last_ms=900),
        (2 * HOUR_MS, "8"): _pane("8", 3, last_ms=3 * HOUR_MS - 5),
    }
    attendance = _attendance()
    assert _closed(attendance, 4, since=0, panes=panes) == {(2 * HOUR_MS, "7"), (4 * HOUR_MS, "8")}
    assert attendance.attended == Attended(first_ms=0, last_ms=3 * HOUR_MS - 5, leading="8", quiet=1)


@pytest.mark.parametrize("steps", [(4,), (1, 4), (1, 2, 3, 4), (3, 4)])
def test_how_windows_are_closed_together_says_nothing(steps: tuple[int, ...]) -> None:
    """One tick may close what others close one by one: what is said is the same."""
    panes = {(0, "7"): _pane("7", 9, last_ms=500), (2 * HOUR_MS, "8"): _pane("8", 3, last_ms=3 * HOUR_MS - 5)}
    attendance, said = _attendance(), {}
    for since, hour in pairwise((0, *steps)):
        missed = _closed(attendance, hour, since=since, panes=panes)
        for end, version in ((1, "7"), (2, "7"), (3, "8"), (4, "8")):
            if since < end <= hour:
                said[end] = _said(attendance, (end * HOUR_MS, version), panes), (end * HOUR_MS, version) in missed
    volumes = {end: (readings[0].value, readings[1].value, missed) for end, (readings, missed) in said.items()}
    assert volumes == {
        1: (0.09, 3599.5, False), 2: (0.0, 7199.5, True), 3: (0.03, 0.005, False), 4: (0.0, 3600.005, True),
    }  # fmt: skip


def test_where_the_stream_begins_its_first_window_is_not_compared() -> None:
    """Half of an hour has half of the rows."""
    attendance = _attendance()
    attendance.attended.first_ms = None
    panes = {(0, "7"): _pane("7", 9, last_ms=500), (HOUR_MS, "7"): _pane("7", 9, last_ms=HOUR_MS + 500)}
    _closed(attendance, 2, since=0, panes=panes)
    assert attendance.attended.first_ms == 492
    assert [_said(attendance, (hour * HOUR_MS, "7"), panes)[0].status for hour in (1, 2)] == ["too_few", "ok"]


def test_input_that_ends_has_not_fallen_silent() -> None:
    """The last window of a replay reaches beyond the last row: nothing is said of its volume and freshness."""
    panes = {(0, "7"): _pane("7", 9, last_ms=HOUR_MS - 60_000), (HOUR_MS, "7"): _pane("7", 9, last_ms=HOUR_MS + 500)}
    keys = [(hour * HOUR_MS, "7") for hour in (1, 2)]
    attendance = _attendance()
    attendance.close(0, 2 * HOUR_MS, set(keys), panes, finished=True)
    said = [[each.status.value for each in _said(attendance, key, panes)[:2]] for key in keys]
    assert said == [["ok", "ok"], ["too_few", "no_reference"]]


def test_before_the_first_row_nothing_is_missed() -> None:
    """A service that starts does not know since when it should have heard something."""
    assert _attendance().close(NEVER, HOUR_MS, set(), {}) == set()
    assert _closed(_attendance(), 5, since=0) == set()


def test_without_a_rhythm_nothing_is_missed() -> None:
    """A reference without times says nothing of when rows come."""
    assert _closed(_attendance(usual=None), 9, since=0, panes={(0, "7"): _pane("7", 9, last_ms=500)}) == set()


def test_silence_is_reported_for_a_day_and_then_known() -> None:
    """QUIET windows in a row, however they are counted out; rows begin the count anew."""
    attendance = _attendance()
    first = {(0, "7"): _pane("7", 9, last_ms=500)}
    assert len(_closed(attendance, 5, since=0, panes=first)) == 4
    assert len(_closed(attendance, 900, since=5, panes=first)) == QUIET - 4
    again = {(900 * HOUR_MS, "7"): _pane("7", 1, last_ms=901 * HOUR_MS - 1)}
    assert len(_closed(attendance, 2_000, since=900, panes=again)) == QUIET


def test_a_clock_that_jumps_by_years_costs_little() -> None:
    """Only so many windows are looked through."""
    attendance = _attendance(slide=HOUR_MS // 60)
    attendance.attended.leading = "7"
    assert len(attendance.close(HOUR_MS, 10**6 * HOUR_MS, set(), {})) == QUIET


def test_volume_is_of_all_versions_and_stands_under_one() -> None:
    """A canary takes a share of the rows, and the volume is that of both."""
    panes = {(0, "7"): _pane("7", 90, last_ms=500), (0, "8"): _pane("8", 30, last_ms=900)}
    volume, freshness, _ = _said(_attendance(), (HOUR_MS, "7"), panes)
    assert (volume.value, freshness.value) == (1.2, HOUR_MS / 1000 - 0.9)
    assert [each.statistic for each in _said(_attendance(), (HOUR_MS, "8"), panes)] == ["duplicates"]


def test_duplicates_are_of_each_version() -> None:
    """A version that is not told apart counts among the others."""
    attendance = _attendance()
    panes = {(0, "7"): _pane("7", 18, last_ms=500), (0, OTHER_VERSION): _pane("8", 3, last_ms=900)}
    attendance.again([(5, "7"), (HOUR_MS - 1, "7"), (HOUR_MS, "7"), (7, "new")], Versions(known=["7"]))
    found = [_said(attendance, (HOUR_MS, version), panes)[-1].value for version in ("7", OTHER_VERSION)]
    assert found == [0.1, 0.25]


def test_sliding_windows_share_what_came_twice() -> None:
    """A pane counts in each of its windows, until it is forgotten."""
    attendance = _attendance(slide=HOUR_MS // 2)
    attendance.again([(HOUR_MS // 2, "7"), (HOUR_MS // 2 + 1, "7")], Versions(known=["7"]))
    panes = {(HOUR_MS // 2, "7"): _pane("7", 8, last_ms=HOUR_MS - 1)}
    found = [_said(attendance, (end, "7"), panes)[-1].value for end in (HOUR_MS, HOUR_MS * 3 // 2)]
    assert found == [0.2, 0.2]
    attendance.forget(HOUR_MS)
    assert attendance.attended.duplicates == {}


def test_windows_counted_in_rows_have_no_stream() -> None:
    """They hold as many rows as they are told to, whenever these come."""
    attendance = Attendance(WindowSpec(rows=5), _EVEN)
    attendance.again([(5, "7")], Versions())
    assert attendance.close(3, 4, {(4, "7")}, {(3, "7"): _pane("7", 5, last_ms=9)}) == set()
    assert _said(attendance, (4, "7"), {}) == ()


def test_what_came_again_is_told_in_its_turn() -> None:
    """Before the new row that follows it, wherever the batch is cut."""
    new = np.array([False, True, False, False, True, True, False])
    again = Again(batch_of([Row("p", time, "7" if time < 3 else "8", 1, 0) for time in range(7)]), new)
    told = [list(again.until(rows)) for rows in (1, 2, 2, 3, 8)]
    assert told == [[(0, "7")], [(2, "7"), (3, "8")], [], [], [(6, "8")]]


@pytest.mark.parametrize(("usual", "names"), [(None, ["duplicates"]), (_EVEN, ["volume", "freshness", "duplicates"])])
def test_readings(usual: Usual | None, names: list[str]) -> None:
    """Without a rhythm there are duplicates alone."""
    readings = _said(_attendance(usual=usual), (HOUR_MS, "7"), {(0, "7"): _pane("7", 9, last_ms=500)})
    assert [each.statistic for each in readings] == names
