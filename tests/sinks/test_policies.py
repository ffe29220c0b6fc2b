"""The table of policies: what a target gets and when, and why it does not get the rest."""

from typing import Any

import pytest

from driftwatch.evaluation.incidents import Incident
from driftwatch.ports.operations import Refused
from tests.sinks.policy_world import DAY, HOUR, NOTICES, REQUESTS, Begin
from tests.store.examples import START


def test_cooldown(begin: Begin) -> None:
    """Within it a request is dropped and says so; after it the next one goes."""
    world = begin(**REQUESTS, cooldown="6h")
    world.fire("a")
    world.wait(6 * HOUR - 1)
    world.fire("b")
    world.wait(1)
    world.fire("c")
    assert (world.sent, world.reasons()) == (["requested a", "requested c"], ["cooldown"])


def test_at_most(begin: Begin) -> None:
    """So many in any such time; other models, other kinds of requests and notices are not counted together."""
    world = begin(at_most="2 per 7d")
    for column in "abc":
        world.fire(column)
        world.wait(DAY)
    world.fire("d", model="credit")
    world.fire("e", action="rollback")
    world.fire("f", action="notify")
    world.wait(4 * DAY)
    world.fire("g")
    world.fire("h")
    assert [each for each in world.sent if "requested" in each] == [f"requested {each}" for each in "abdeg"]
    assert world.reasons() == ["at_most", "at_most"]


def test_grouping(begin: Begin) -> None:
    """Fifty columns that move in one window make one letter, with all of them."""
    world = begin(**NOTICES, min_severity="warning")
    columns = [f"c{place:02}" for place in range(50)]
    (letter,) = world.fire(*columns)
    assert world.sent == [f"firing {','.join(columns)}"]
    assert len(letter.alerts) == 50


@pytest.mark.parametrize(("severity", "sent"), [("info", 0), ("warning", 1), ("critical", 1)])
def test_min_severity(begin: Begin, severity: str, sent: int) -> None:
    """Of beginnings, ends and requests alike."""
    world = begin(min_severity="warning")
    world.fire("a", severity=severity)
    world.end("a", severity=severity)
    assert len(world.sent) == 2 * sent
    assert world.reasons() == ["min_severity", "min_severity"][2 * sent :]


def test_resolved_notices_may_be_left_out(begin: Begin) -> None:
    """The beginning is told all the same."""
    world = begin(send_resolved=False)
    world.fire("a", action="notify")
    world.end("a", action="notify")
    assert (world.sent, world.reasons()) == (["firing a"], ["send_resolved"])


def test_approval(begin: Begin) -> None:
    """A request waits until any of its alerts is approved; said again the answer is the same."""
    world = begin(**REQUESTS, approval="manual")
    world.fire("a", "b")
    world.wait(HOUR)
    assert (world.sent, world.reasons()) == ([], ["approval"])
    (released,) = world.decisions.approve(world.alert("b"), now_ms=world.now_ms)
    world.run()
    assert world.sent == ["requested a,b"]
    (again,) = world.decisions.approve(world.alert("a"), now_ms=world.now_ms)
    world.run()
    assert (again.id, len(world.sent)) == (released.id, 1)
    assert world.decisions.reject(world.alert("a"), now_ms=world.now_ms) is Refused.DECIDED


def test_an_approval_outlives_a_kill(begin: Begin) -> None:
    """Killed between the approval and the delivery, the service delivers after it has started again, once."""
    world = begin(**REQUESTS, approval="manual")
    world.fire("a")
    world.decisions.approve(world.alert("a"), now_ms=world.now_ms)
    world.restart()
    world.run()
    world.restart()
    world.run()
    assert world.sent == ["requested a"]


def test_rejection(begin: Begin) -> None:
    """It is dropped, counts for the cool-down, and cannot be approved any more."""
    world = begin(**REQUESTS, approval="manual", cooldown="6h")
    world.fire("a")
    assert world.decisions.approve("nobody", now_ms=world.now_ms) is Refused.UNKNOWN
    (dropped,) = world.decisions.reject(world.alert("a"), now_ms=world.now_ms)
    (again,) = world.decisions.reject(world.alert("a"), now_ms=world.now_ms)
    assert (again.id, again.state) == (dropped.id, "dropped")
    assert world.decisions.approve(world.alert("a"), now_ms=world.now_ms) is Refused.DECIDED
    world.fire("b")
    world.wait(6 * HOUR)
    world.fire("c")
    assert (world.sent, world.reasons()) == ([], ["rejected", "cooldown", "approval"])


@pytest.mark.parametrize("looked_at", [True, False])
def test_an_approval_expires(begin: Begin, *, looked_at: bool) -> None:
    """Too late is too late, whether or not the service has looked since; an expired one does not count."""
    world = begin(**REQUESTS, approval="manual", approval_expires="24h", cooldown="30d")
    world.fire("a")
    world.wait(DAY - 1)
    assert world.reasons() == ["approval"]
    world.now_ms += 1
    if looked_at:
        world.run()
    assert world.decisions.approve(world.alert("a"), now_ms=world.now_ms) is Refused.EXPIRED
    world.run()
    world.fire("b")
    assert (world.sent, world.reasons()) == ([], ["expired", "approval"])


def test_a_request_whose_alerts_end_is_not_waited_for(begin: Begin) -> None:
    """Its end is not told either, because nobody heard of the beginning."""
    world = begin(approval="manual")
    world.fire("a", "b")
    world.end("a")
    assert world.reasons() == ["approval", "approval"], "b still fires"
    world.end("b")
    assert (world.sent, world.reasons()) == ([], ["ended", "ended", "ended"])
    assert world.decisions.approve(world.alert("a"), now_ms=world.now_ms) is Refused.NOTHING_WAITS


@pytest.mark.parametrize(
    ("condition", "fired", "sent"),
    [
        ({"kinds": ["performance", "concept"]}, [("a", "psi")], 0),
        ({"kinds": ["label"]}, [("label", "psi")], 1),
        ({"kinds": ["label"]}, [("a", "psi")], 0),
        ({"kinds": ["covariate"]}, [("label", "psi")], 0),
        ({"kinds": ["performance", "concept"]}, [("", "roc_auc")], 1),
        ({"kinds": ["performance", "concept"]}, [("a", "psi"), ("", "gap_f1")], 1),
        ({"columns": 2}, [("a", "psi")], 0),
        ({"columns": 2}, [("a", "psi"), ("b", "psi")], 1),
        ({"columns": 2, "min_importance": 0.1}, [("a", "psi"), ("minor", "psi")], 0),
        ({"columns": 2, "kinds": ["quality"]}, [("a", "psi"), ("b", "missing")], 0),
        ({"columns": 2, "kinds": ["quality"]}, [("a", "missing"), ("b", "missing")], 1),
    ],
)
def test_only_if(begin: Begin, condition: dict[str, Any], fired: list[tuple[str, str]], sent: int) -> None:
    """Over all alerts of the model that fire, whichever windows they began in."""
    world = begin(**REQUESTS, only_if=[condition])
    world.importance = {"fraud": {"minor": 0.05}}
    for column, statistic in fired:
        world.fire(column, statistic=statistic, rule=statistic)
    assert len(world.sent) == sent
    assert set(world.reasons()) <= {"only_if"}


def test_a_request_that_was_not_due_goes_out_with_a_later_alert(begin: Begin) -> None:
    """Even where that one asks for nothing; once, and about what asked for it."""
    world = begin(**REQUESTS, only_if=[{"kinds": ["performance"]}, {"columns": 3}])
    world.fire("a")
    world.fire("x", action="notify", model="credit")
    assert (world.sent, world.reasons()) == ([], ["only_if"])
    world.wait(HOUR)
    (letter,) = world.fire("", action="notify", statistic="roc_auc", rule="auc")
    assert world.sent == ["requested ,a"]
    assert letter.type == "driftwatch.retrain.requested"
    world.fire("b", action="notify", rule="auc2", statistic="accuracy")
    assert len(world.sent) == 1
    world.end("a")
    world.fire("a")
    assert world.sent[1:] == ["requested a"], "a new episode asks anew"


def test_a_target_is_asked_once_for_an_incident(begin: Begin) -> None:
    """Also by what waited for the end of a silence meanwhile."""
    world = begin(**REQUESTS)
    world.incident = Incident("i1", "fraud", "7", START, START)
    world.silence("column=a", milliseconds=HOUR)
    world.fire("a")
    world.fire("b")
    world.wait(2 * HOUR)
    assert (world.sent, world.reasons()) == (["requested b"], ["asked"])
    twin = begin(**REQUESTS)
    twin.incident = world.incident
    twin.silence("column=a", milliseconds=HOUR)
    twin.fire("a")
    twin.wait(2 * HOUR)
    twin.fire("b")
    assert twin.sent == ["requested a"]
