"""What the summary says of the budget."""

import pytest

from driftwatch.demo.incidents import incident_lines
from driftwatch.demo.picture import Picture
from driftwatch.demo.receiver import Arrival, Check

MODEL = {"alerting": {"rule": "drift", "false_alarms_per_window": 1 / 30, "min_effect": {"tv": {"dest": 0.05}}}}


def letter(name, *columns, day=1, rule="drift", state="firing", check=Check.VERIFIED, repeat=False, value=0.1):
    """A webhook about columns that moved together, and a further reading of the first one."""
    evidence = [{"column": column, "statistic": "tv", "value": value, "lower": value - 0.02, "threshold": 0.05}
                for column in columns]  # fmt: skip
    further = {"column": columns[0], "statistic": "psi", "value": 9.0, "lower": 8.0, "threshold": None}
    several = {"alerts": [{}] * len(columns), "alerts_total": len(columns)} if len(columns) > 1 else {}
    data = {"alert": {"rule": rule, "state": state}, "evidence": [*evidence, further],
            "window": {"end": f"2013-07-{day:02d}T00:00:00Z"}, **several}  # fmt: skip
    return Arrival(id=name, type="driftwatch.alert.firing", check=check, repeat=repeat, received_seconds=0.0,
                   data=data if check is Check.VERIFIED else {})  # fmt: skip


@pytest.fixture
def picture():
    told = Picture(budget="1 per 30d")
    told.add_models([MODEL])
    told.add_reports([
        {"window": {"start": f"2013-07-{day:02d}T00:00:00Z", "end": f"2013-07-{day + 1:02d}T00:00:00Z"}, "version": "1",
         "segment": segment, "revision": 1, "readings": []}
        for day in range(1, 16) for segment in ("", "evening")
    ])  # fmt: skip
    return told


def test_a_quiet_time_is_told_as_well(picture):
    assert incident_lines(picture) == [
        "budget: 1 per 30d, at most 0.5 false alarms to expect in 15 windows; incidents raised: 0"
    ]


def test_columns_that_moved_together_are_one_incident(picture):
    """Those in most incidents first; each with its first window and its greatest effect."""
    picture.add_arrivals((letter("a", "dest", day=3), letter("b", "dest", "hour", day=5, value=0.2)))
    assert incident_lines(picture)[0].endswith("; incidents raised: 2")
    assert incident_lines(picture)[1:] == [
        "  dest: in 2, the first in the window to 2013-07-03, tv up to 0.200 (surely 0.180)",
        "  hour: in 1, the first in the window to 2013-07-05, tv up to 0.200 (surely 0.180)",
    ]


def test_one_column_in_two_segments_is_one_incident(picture):
    picture.add_arrivals((letter("a", "dest", "dest", day=3),))
    assert incident_lines(picture)[1:] == [
        "  dest: in 1, the first in the window to 2013-07-03, tv up to 0.100 (surely 0.080)"
    ]


def test_only_what_the_budget_raised_counts_and_once(picture):
    """Not other rules, ends of alerts, letters that came again or that cannot be trusted."""
    picture.add_arrivals((
        letter("a", "dest"), letter("a", "dest", repeat=True), letter("b", "hour", rule="shift"),
        letter("c", "hour", state="resolved"), letter("d", "hour", check=Check.FORGED),
    ))  # fmt: skip
    assert incident_lines(picture)[0].endswith("; incidents raised: 1")
    assert len(incident_lines(picture)) == 2


def test_without_a_budget_nothing_is_said(picture):
    picture.add_models([{"alerting": None}])
    assert incident_lines(picture) == []
