"""The table of policies: what waits for the morning, for the end of a silence, or is told again."""

from typing import Any

import pytest

from tests.sinks.policy_world import DAY, HOUR, MINUTE, NIGHT, NOTICES, REQUESTS, Begin
from tests.store.examples import START


def test_quiet_hours(begin: Begin) -> None:
    """Notices wait for the morning, requests do not; what ended in the night is not told at all."""
    world = begin(quiet_hours=NIGHT)
    world.fire("a", action="notify")
    world.fire("b")
    world.fire("c", action="notify")
    world.end("a", action="notify")
    assert (world.sent, world.reasons()) == (["requested b"], ["quiet", "quiet", "quiet"])
    world.wait(2 * HOUR)
    assert (world.sent, world.reasons()) == (["requested b", "firing c"], ["ended", "ended"])
    assert world.now_ms == START + 2 * HOUR


def test_an_end_waits_for_the_morning_and_comes_after_its_beginning(begin: Begin) -> None:
    """Where the beginning was told before."""
    world = begin(quiet_hours={"from": "11:00", "until": "12:00"})
    world.fire("a", action="notify")
    world.wait(HOUR)
    world.end("a", action="notify")
    assert world.sent == ["firing a"]
    world.wait(HOUR)
    assert world.sent == ["firing a", "resolved a"]


@pytest.mark.parametrize(("policies", "sent"), [({}, 1), ({"quiet_requests": True}, 0)])
def test_quiet_hours_of_requests(begin: Begin, policies: dict[str, Any], sent: int) -> None:
    """Pipelines do not sleep, unless their owner says so."""
    world = begin(**REQUESTS, quiet_hours=NIGHT, cooldown="30d", **policies)
    world.fire("a")
    assert len(world.sent) == sent
    world.wait(2 * HOUR)
    assert world.sent == ["requested a"]


def test_quiet_hours_let_the_gravest_through(begin: Begin) -> None:
    """As `except` says."""
    world = begin(**NOTICES, quiet_hours={**NIGHT, "except": ["critical"]})
    world.fire("a", severity="critical")
    world.fire("b")
    assert world.sent == ["firing a"]


def test_a_silence_holds_notices_and_requests(begin: Begin) -> None:
    """Until its end; the request is then made if the alert still fires."""
    world = begin(cooldown="2h")
    world.silence("rule=drift", milliseconds=HOUR)
    world.fire("a")
    world.fire("b", action="notify")
    world.wait(HOUR - 1)
    assert (world.sent, world.reasons()) == ([], ["silenced", "silenced"])
    world.wait(1)
    assert world.sent == ["requested a", "firing b"]


def test_a_silenced_cause_does_not_retrain(begin: Begin) -> None:
    """What ends in the silence is never asked for, and does not count for the cool-down."""
    world = begin(**REQUESTS, cooldown="30d")
    world.silence("column=a", milliseconds=HOUR)
    world.fire("a")
    world.fire("b")
    world.end("a")
    world.wait(2 * HOUR)
    assert (world.sent, world.reasons()) == (["requested b"], ["ended"])


def test_a_silence_that_ends_finds_the_cooldown(begin: Begin) -> None:
    """Another cause asked meanwhile."""
    world = begin(**REQUESTS, cooldown="6h")
    world.silence("column=a", milliseconds=HOUR)
    world.fire("a")
    world.fire("b")
    world.wait(2 * HOUR)
    assert (world.sent, world.reasons()) == (["requested b"], ["cooldown"])


def test_of_a_group_only_what_is_not_silenced_is_told(begin: Begin) -> None:
    """The rest follows at the end of the silence, in a letter of its own; the first keeps the group's id."""
    world, twin = begin(**NOTICES), begin(**NOTICES)
    world.silence("column=b", milliseconds=HOUR)
    heard, waiting = world.fire("a", "b", "c")
    (whole,) = twin.fire("a", "b", "c")
    assert (world.sent, heard.id) == (["firing a,c"], whole.id)
    assert b'"b"' not in heard.body
    world.end("b")
    world.wait(HOUR)
    assert (world.sent, waiting.alerts) == (["firing a,c"], (world.alert("b"),))
    world.end("a", "c")
    assert world.sent == ["firing a,c", "resolved a,c"]


def test_a_silence_that_is_expired_by_hand_releases(begin: Begin) -> None:
    """At the next tick."""
    world = begin(**NOTICES)
    name = world.silence("rule=drift", milliseconds=30 * DAY)
    world.fire("a")
    world.silences.expire(name, now_ms=world.now_ms)
    world.run()
    assert world.sent == ["firing a"]


def test_silence_then_approval(begin: Begin) -> None:
    """One after the other."""
    world = begin(**REQUESTS, approval="manual", approval_expires="1h")
    world.silence("rule=drift", milliseconds=HOUR)
    world.fire("a")
    world.wait(HOUR)
    assert world.reasons() == ["approval"]
    world.decisions.approve(world.alert("a"), now_ms=world.now_ms)
    world.run()
    assert world.sent == ["requested a"]


def test_repeat(begin: Begin) -> None:
    """The same letter again, under an id of its own each time, until its alert ends."""
    world = begin(**NOTICES, repeat="4h")
    (letter,) = world.fire("a")
    world.wait(9 * HOUR)
    world.end("a")
    world.wait(9 * HOUR)
    assert world.sent == ["firing a", "firing a", "firing a", "resolved a"]
    assert world.ids[:3] == [letter.id, f"{letter.id}_1", f"{letter.id}_2"]
    assert len(world.letters()) == 2, "no row more"


def test_an_acknowledged_alert_is_not_repeated(begin: Begin) -> None:
    """As long as no other alert of the letter asks for it; listings say who has seen it."""
    world = begin(**NOTICES, repeat="4h")
    world.fire("a", "b")
    world.acknowledge("a")
    world.wait(5 * HOUR)
    assert len(world.sent) == 2
    world.acknowledge("b")
    world.wait(DAY)
    assert len(world.sent) == 2
    (shown,) = {item["acknowledged"]["author"] for item in world.alerts("firing")}
    assert shown == "ann"


def test_a_silenced_or_quiet_alert_is_not_repeated(begin: Begin) -> None:
    """Until that is over."""
    world = begin(**NOTICES, repeat="1h", quiet_hours={"from": "11:00", "until": "13:00"})
    world.fire("a")
    world.wait(2 * HOUR)
    assert len(world.sent) == 1
    world.silence("column=a", milliseconds=2 * HOUR)
    world.wait(HOUR + 30 * MINUTE)
    assert len(world.sent) == 1
    world.wait(HOUR)
    assert len(world.sent) == 2
