"""A backtest from end to end: what is known of the history is what it says of it."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from driftwatch.backtest import trials
from driftwatch.backtest.history import read_history
from driftwatch.backtest.judge import judged
from driftwatch.backtest.score import findings
from driftwatch.backtest.shifts import SHIFTS, Kind
from driftwatch.backtest.trials import backtest
from driftwatch.errors import DataError
from tests.backtest.world import CONFIG, WINDOW_ROWS, make_world

ALL = {shift.name for shift in SHIFTS}


@pytest.fixture(scope="module")
def found(tested):
    return findings(tested)


def test_the_change_in_the_history_is_listed(found):
    """The history as it is alarms in the window in which it changed, and before that not at all."""
    drift = [alarm for alarm in found["as_it_is"]["list"] if alarm["rule"] == "drift"]
    assert [alarm["column"] for alarm in drift] == ["amount"]
    assert drift[0]["window"]["start"] == "2026-01-01T06:00:00Z"
    assert min(alarm["told"] for alarm in found["as_it_is"]["list"]) >= "2026-01-01T06:00:00Z"


def test_no_false_alarm_is_left_of_it(found):
    """Without its changes, half of it against the other half, the same history is silent about every column."""
    clean = found["resampled"]
    assert [each for each in found["monitors"] if each["column"] and each["false_alarms"]] == []
    assert clean["alarms"]["count"] == sum(each["false_alarms"] for each in found["monitors"])
    assert (clean["runs"], clean["left_out"]) == (2, 0)
    assert clean["rows"] == pytest.approx(3_000, abs=500)
    assert clean["alarms"]["lower"] <= clean["alarms"]["per_30_days"] <= clean["alarms"]["upper"]
    silent = next(each for each in found["monitors"] if not each["false_alarms"])
    assert (silent["per_30_days"], silent["lower"]) == (0, 0)
    assert silent["upper"] == pytest.approx(3.689 * 30 / clean["days"], rel=0.001)


def test_large_changes_are_found(found):
    """A standard deviation, a unit, a frozen column, many nulls: in the first windows, by their names."""
    by_name = {shift["name"]: shift for shift in found["shifts"]}
    assert set(by_name) == ALL
    for name in ("mean +1 sd", "nulls 20 points", "unit ×100", "frozen value"):
        assert by_name[name]["found"] == by_name[name]["trials"] == 2
        assert by_name[name]["delay_windows"]["median"] <= 2
        assert 0 < by_name[name]["delay_seconds"]["median"] <= 2 * 3_600
    for name, check in (("nulls 20 points", "missing"), ("unit ×100", "unit_change"), ("frozen value", "constant")):
        assert by_name[name]["named"] == {"as": check, "count": 2}
    assert by_name["mean +1 sd"]["by_rule"]["drift"] == 2


def test_dumb_baselines_are_beaten(found):
    """Alarming always recalls all and is hardly ever right; never alarming finds nothing."""
    cells = found["baselines"]
    assert cells["always_alarm"]["recall"] == 1
    assert cells["always_alarm"]["precision"] == pytest.approx(cells["changed"] / cells["cells"])
    assert cells["never_alarm"] == {"precision": 0, "recall": 0, "f1": 0}
    assert cells["driftwatch"]["f1"] > 2 * cells["always_alarm"]["f1"]
    assert cells["driftwatch"]["precision"] > 0.9


def test_trials(tested):
    """Every trial has its change where it ought to be: after the lead, with windows to find it in."""
    size = tested.size
    assert (size.window_rows, size.slides, size.lead, size.within) == (WINDOW_ROWS, 1, 4, 7)
    verdicts = [judged(tested, trial) for trial in tested.trials]
    assert len(verdicts) == 2 * len(SHIFTS)
    for trial, verdict in zip(tested.trials, verdicts, strict=True):
        assert sum(trial.said.windows.values()) == size.rows
        if verdict.shift.kind is Kind.FLIP:
            assert verdict.cells == 0
        else:
            assert verdict.true == size.within + 1
            assert verdict.cells == 5 * len(trial.said.windows)


def test_equal_seeds(tmp_path):
    """Equal seeds give equal findings, other seeds others; JSON holds all of them."""
    world = make_world(tmp_path, rows=1_250)
    history = read_history(world.watch, [world.history], labels=(), now_ms=0)
    first, again, other = (
        findings(backtest(world.watch, history, seed=seed, repeats=1)) for seed in (3, 3, 4)
    )  # fmt: skip
    assert json.dumps(again, allow_nan=False) == json.dumps(first, allow_nan=False)
    assert other["shifts"] != again["shifts"]


@pytest.mark.parametrize(
    ("more", "text"),
    [("", "1 per 720 windows"), ('[[models.rules]]\nname = "drift"\nstatistic = "psi"\nabove = 0.2\n', None)],
)
def test_the_budget_is_told_where_there_is_one(tmp_path, more, text):
    """A rule of one's own that takes its place is held to none."""
    world = make_world(tmp_path, rows=1_250, config=CONFIG + more)
    history = read_history(world.watch, [world.history], labels=(), now_ms=0)
    budget = findings(backtest(world.watch, history, seed=0, repeats=1))["budget"]
    assert (budget and budget["text"]) == text


def test_windows_in_time_that_slide(tmp_path):
    """Delays are told in whole windows, however often they slide."""
    config = '[[models]]\nname = "m"\ntask = "none"\nreference = "loan.reference"\nignore = ["label"]\n'
    world = make_world(tmp_path, rows=1_500, config=config + 'window = { size = "1h", slide = "30m" }\n')
    test = backtest(world.watch, read_history(world.watch, [world.history], labels=(), now_ms=0), seed=0, repeats=1)
    assert (test.size.slides, test.size.window_rows, test.size.lead + 1 + test.size.within) == (2, WINDOW_ROWS, 6)
    said = findings(test)
    (unit,) = [shift for shift in said["shifts"] if shift["kind"] == "unit"]
    assert unit["delay_windows"] == {"median": 1, "p90": 1}
    assert not [shift for shift in said["shifts"] if shift["kind"] == "label_flip"]


@pytest.mark.parametrize(("slides", "segments", "repeats"), [(1, 0, 10), (2, 0, 5), (12, 0, 2), (1, 5, 5), (1, 100, 2)])
def test_how_often(tested, slides, segments, repeats):
    """Ten trials of each change unless a window has to be judged many times."""
    divided = SimpleNamespace(dimensions=SimpleNamespace(segment_names=("",) * segments))
    assert trials._repeats(SimpleNamespace(reference=divided), replace(tested.size, slides=slides)) == repeats


def test_a_history_that_is_too_short(tmp_path):
    """It is said how much there is, and how much is needed."""
    world = make_world(tmp_path, rows=700)
    history = read_history(world.watch, [world.history], labels=(), now_ms=0)
    with pytest.raises(DataError, match="700 rows, which are 2 windows of 250; a backtest needs at least 4"):
        backtest(world.watch, history, seed=0)
