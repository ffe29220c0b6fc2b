"""The life of an alert, step by step: the whole transition table."""

from collections.abc import Iterable

import pytest

from driftwatch.evaluation.alerts import Alerts, Cell, Reason, State, Transition, identity, notes, standing, step
from driftwatch.evaluation.report import Report
from driftwatch.evaluation.rules import RuleSpec, judge
from driftwatch.statistics.reading import Reading
from tests.evaluation.readings import reading, rule, window

CELL = Cell("fraud", "7", "")
VALUES = {"B": 0.5, "c": 0.01, "?": float("nan")}

SHOWN = {
    (State.PENDING, Reason.CROSSED): "pending",
    (State.FIRING, Reason.CROSSED): "FIRING",
    (State.FIRING, Reason.HELD): "FIRING (held)",
    (State.INACTIVE, Reason.DROPPED): "dropped",
    (State.RESOLVED, Reason.CLEARED): "resolved",
}


def live(rules: Iterable[RuleSpec], windows: str, *, column: str = "amount") -> tuple[Alerts, list[list[Transition]]]:
    """Let windows speak in turn: B a breach, c clear, ? unknown."""
    alerts, steps = Alerts(), []
    for number, letter in enumerate(windows):
        judgements = judge(rules, [reading(VALUES[letter], column=column)], rows=1000)
        alerts, transitions = step(alerts, judgements, cell=CELL, window=window(number))
        steps.append(transitions)
    return alerts, steps


def told(steps: list[list[Transition]]) -> dict[int, str]:
    return {number: SHOWN[made.state, made.reason] for number, (made,) in enumerate(steps_of(steps)) if made}


def steps_of(steps: list[list[Transition]]) -> list[list[Transition | None]]:
    return [made or [None] for made in steps]


@pytest.mark.parametrize(
    ("hold", "keep", "windows", "expected"),
    [
        # inactive
        (1, 0, "c?c", {}),
        (1, 0, "B", {0: "FIRING"}),
        (2, 0, "B", {0: "pending"}),
        # pending
        (2, 0, "BB", {0: "pending", 1: "FIRING (held)"}),
        (3, 0, "BB", {0: "pending"}),
        (3, 0, "BBB", {0: "pending", 2: "FIRING (held)"}),
        (2, 0, "Bc", {0: "pending", 1: "dropped"}),
        (2, 5, "Bc", {0: "pending", 1: "dropped"}),
        (2, 0, "BcB", {0: "pending", 1: "dropped", 2: "pending"}),
        (2, 0, "B?", {0: "pending"}),
        (2, 0, "B?B", {0: "pending", 2: "FIRING (held)"}),
        (2, 0, "B?c", {0: "pending", 2: "dropped"}),
        # firing
        (1, 0, "BBBB", {0: "FIRING"}),
        (1, 0, "Bc", {0: "FIRING", 1: "resolved"}),
        (1, 0, "B??c", {0: "FIRING", 3: "resolved"}),
        (1, 1, "Bc", {0: "FIRING"}),
        (1, 1, "Bcc", {0: "FIRING", 2: "resolved"}),
        (1, 1, "BcBcc", {0: "FIRING", 4: "resolved"}),
        (1, 2, "Bcc?c", {0: "FIRING", 4: "resolved"}),
        (1, 2, "BccBcc", {0: "FIRING"}),
        # resolved, and again
        (1, 0, "BcB", {0: "FIRING", 1: "resolved", 2: "FIRING"}),
        (2, 1, "BBccBB", {0: "pending", 1: "FIRING (held)", 3: "resolved", 4: "pending", 5: "FIRING (held)"}),
    ],
)
def test_table(hold: int, keep: int, windows: str, expected: dict[int, str]) -> None:
    """Every state meets every verdict, with `for` and `keep_for` short and long."""
    _, steps = live([rule(**{"for": hold, "keep_for": keep})], windows)
    assert told(steps) == expected


def test_states_and_reasons_are_all_shown() -> None:
    """The table above leaves out no state, and no reason but a person."""
    assert {state for state, _ in SHOWN} == set(State)
    assert {reason for _, reason in SHOWN} == set(Reason) - {Reason.BY_HAND}


def test_episode_has_one_name() -> None:
    """From pending to resolved an alert keeps the identity of the step that began it; the next has another."""
    _, steps = live([rule(**{"for": 2})], "BBcBB")
    made = [transition for transitions in steps for transition in transitions]
    assert [made[0].identity] * 3 == [transition.alert_id for transition in made[:3]]
    assert made[3].alert_id == made[4].alert_id == made[3].identity
    assert len({transition.identity for transition in made}) == 5
    assert [transition.started_ms for transition in made] == [0, 0, 0, window(3).start_ms, window(3).start_ms]


def test_transition_says_all() -> None:
    """A transition carries what a webhook needs: whose it is, which window, what was read, what was allowed."""
    alerts, ((made,),) = live([rule(above=0.2, severity="critical", action="retrain")], "B")
    assert made == Transition(
        identity=identity("fraud", "drift", "7", "", "amount", 0, "firing"),
        alert_id=made.identity,
        model="fraud",
        version="7",
        segment="",
        rule="drift",
        column="amount",
        statistic="psi",
        severity="critical",
        action="retrain",
        state=State.FIRING,
        reason=Reason.CROSSED,
        started_ms=0,
        window_start_ms=0,
        window_end_ms=3_600_000,
        value=0.5,
        lower=made.lower,
        threshold=0.2,
    )
    assert list(alerts.episodes) == [("drift", "7", "", "amount")]


def test_alerts_do_not_touch_each_other() -> None:
    """Rules, columns, versions and segments each have their own alert."""
    rules = [rule(name="low", above=0.1), rule(name="high", above=0.4)]
    readings = [reading(0.2, column="a"), reading(0.5, column="b")]
    alerts = Alerts()
    for cell in (CELL, Cell("fraud", "8", ""), Cell("fraud", "7", "web")):
        alerts, made = step(alerts, judge(rules, readings, rows=1000), cell=cell, window=window(0))
        assert [(one.rule, one.column) for one in made] == [("low", "a"), ("low", "b"), ("high", "b")]
    assert len(alerts.episodes) == 9
    cleared = [reading(0.0, column="a"), reading(0.5, column="b")]
    alerts, made = step(alerts, judge(rules, cleared, rows=1000), cell=CELL, window=window(1))
    assert [(one.rule, one.column, one.state) for one in made] == [("low", "a", State.RESOLVED)]
    assert len(alerts.episodes) == 8


def test_alerts_before_are_not_changed() -> None:
    """A step returns new alerts; the old ones still say what they said."""
    alerts, _ = live([rule()], "B")
    before = dict(alerts.episodes)
    step(alerts, judge([rule()], [reading(0.0)], rows=1000), cell=CELL, window=window(1))
    assert dict(alerts.episodes) == before


def test_identity_tells_parts_apart() -> None:
    """Parts do not run into each other, and a name is 32 hex digits."""
    assert identity("ab", "c") != identity("a", "bc")
    assert identity("a", "") != identity("", "a")
    assert identity("a", 1) == identity("a", "1")
    assert len(identity("a")) == 32
    assert int(identity("a"), 16) >= 0


def test_notes() -> None:
    """A window's report lists the alerts of its cell: those that stand and those that it ended."""
    rules = {"drift": rule(), "slow": rule(name="slow", **{"for": 3})}
    alerts, _ = live(rules.values(), "B")
    readings = [reading(0.0), reading(0.5, column="other")]
    after, made = step(alerts, judge(rules.values(), readings, rows=1000), cell=CELL, window=window(1))
    found = notes(after, made, rules, cell=CELL)
    assert {(note.rule, note.column, note.state) for note in found} == {
        ("drift", "other", "firing"),
        ("slow", "other", "pending"),
        ("drift", "amount", "resolved"),
        ("slow", "amount", "inactive"),
    }
    assert notes(after, (), rules, cell=Cell("fraud", "8", "")) == ()
    assert {note.rule for note in notes(after, (), {"drift": rules["drift"]}, cell=CELL)} == {"drift"}


def report_of(*readings: Reading) -> Report:
    return Report("fraud", "7", "", window(4), 1, "f" * 32, 100, readings, {})


def test_standing() -> None:
    """After a restart each alert that stands shows as its last step, with the report's values and its own name."""
    rules = {"drift": rule(), "gone": rule(name="gone")}
    alerts, steps = live(rules.values(), "B")
    found = standing(alerts, report_of(reading(0.7)), {"drift": rules["drift"]})
    assert [(one.rule, one.state, one.alert_id, one.value) for one in found] == [
        ("drift", State.FIRING, steps[0][0].alert_id, 0.7)
    ]
    assert standing(alerts, report_of(reading(0.7, column="elsewhere")), rules) == []
