"""The contracts of what people say: letters delivered again or forgotten, silences, acknowledgements; all durable."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from driftwatch.errors import DataError
from driftwatch.evaluation.alerts import State
from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.silences import Matcher, Operator, Silence, SilenceState
from driftwatch.ports.answers import Query
from driftwatch.ports.letters import Letter
from driftwatch.ports.operations import Refused, Word
from driftwatch.store import silences as room
from driftwatch.store.database import FILE
from driftwatch.store.inspection import damage
from tests.store.doors import Doors
from tests.store.examples import START, checkpoint, letter, transition

FIRING, RESOLVED = EventType.FIRING.value, EventType.RESOLVED.value


def silence(ends_ms: int = START + 10, starts_ms: int = START, created_ms: int = START) -> Silence:
    matcher = Matcher("column", Operator.FITS, "amount|age")
    return Silence("", (matcher,), "ann", "maintenance", starts_ms, ends_ms, created_ms)


def states(doors: Doors) -> dict[str, str]:
    return {item["id"]: item["state"] for item in doors.history.deliveries(Query()).items}


@pytest.mark.parametrize("outcome", ["dead", "delivered"])
def test_a_replayed_letter_is_due_again_with_all_of_its_attempts(doors: Doors, outcome: str) -> None:
    """Under the same id, after a restart, too."""
    doors.store.save(checkpoint(letters=(letter(),)))
    doors.outbox.retry(letter(), next_ms=START, result="timeout")
    if outcome == "dead":
        doors.outbox.bury(letter(), now_ms=START, result="timeout")
    else:
        doors.outbox.delivered(letter(), now_ms=START, result="delivered")
    assert isinstance(doors.decisions.replay("msg_1", now_ms=START + 5), Letter)
    doors.reopen()

    (due,) = doors.outbox.due("trainer", START + 5, limit=9)
    assert (due.id, due.sent_as, due.attempts, due.body) == ("msg_1", "msg_1", 0, letter().body)
    assert doors.decisions.replay("msg_1", now_ms=START + 6) is Refused.UNDER_WAY
    assert doors.decisions.replay("nobody", now_ms=START + 6) is Refused.UNKNOWN


def test_replayed_letters_keep_the_order_of_their_lane(doors: Doors) -> None:
    """They take their old places, before whatever is still to be delivered there."""
    doors.store.save(checkpoint(letters=[letter(name) for name in ("1", "2", "3")] + [letter("4", target="pager")]))
    for name in ("1", "2"):
        doors.outbox.bury(letter(name), now_ms=START, result="timeout")
    doors.outbox.bury(letter("4", target="pager"), now_ms=START, result="timeout")
    assert [each.id for each in doors.outbox.due("trainer", START, limit=9)] == ["3"]
    assert [each.id for each in doors.decisions.replay_dead("trainer", now_ms=START)] == ["1", "2"]

    order = []
    while due := doors.outbox.due("trainer", START, limit=9):
        order += [each.id for each in due]
        doors.outbox.delivered(due[0], now_ms=START, result="delivered")
    assert order == ["1", "2", "3"]
    assert states(doors)["4"] == "dead"


def test_a_beginning_is_not_told_after_its_end(doors: Doors) -> None:
    """Of several alerts one that has not ended is reason enough; a request is what a person wants it to be."""
    told = [
        letter("first", type=FIRING, alerts=("a", "b")), letter("end", type=RESOLVED, alerts=("a",)),
        letter("asked", alerts=("a",)), letter("other", type=FIRING, alerts=("a",)),
    ]  # fmt: skip
    doors.store.save(checkpoint(letters=[told[0], told[3], told[2], told[1]]))
    for name in ("first", "other", "asked"):
        doors.outbox.bury(letter(name), now_ms=START, result="timeout")
    doors.outbox.delivered(letter("end"), now_ms=START, result="delivered")

    assert doors.decisions.replay("other", now_ms=START) is Refused.OVERTAKEN
    assert {each.id for each in doors.decisions.replay_dead("", now_ms=START)} == {"first", "asked"}


def test_purge_forgets_what_was_given_up(doors: Doors) -> None:
    """Of one target or of all; nothing else can be forgotten."""
    doors.store.save(
        checkpoint(letters=[letter("1"), letter("2"), letter("3", target="pager"), letter("4", state="dropped")])
    )
    for each in (letter("1"), letter("3", target="pager")):
        doors.outbox.bury(each, now_ms=START, result="timeout")

    assert doors.decisions.purge("dead", "pager") == 1
    assert doors.decisions.purge("dropped", "") == 1
    assert states(doors) == {"1": "dead", "2": "pending"}
    with pytest.raises(ValueError, match="pending"):
        doors.decisions.purge("pending", "")


def test_silences_are_kept_and_expire(doors: Doors) -> None:
    """After a restart, too; an end by hand comes before the written one."""
    made = doors.silences.add(silence())
    later = doors.silences.add(silence(ends_ms=START + 20, starts_ms=START + 5))
    doors.reopen()

    assert list(doors.silences.unexpired(now_ms=START + 1)) == [made, later]
    assert list(doors.silences.unexpired(now_ms=START + 10)) == [later]
    ended = doors.silences.expire(later.id, now_ms=START + 2)
    assert ended is not None
    assert ended.state(START + 2) is SilenceState.EXPIRED
    assert doors.silences.expire(later.id, now_ms=START + 9) == ended, "a second time changes nothing"
    assert doors.silences.expire("nobody", now_ms=START) is None
    assert list(doors.silences.every()) == [ended, made]


def test_so_many_silences_at_one_time(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every alert is held against all of them."""
    monkeypatch.setattr(room, "_MOST", 1)
    doors.silences.add(silence())
    with pytest.raises(DataError, match="expire some"):
        doors.silences.add(silence(created_ms=START + 9))
    doors.silences.add(silence(created_ms=START + 10, ends_ms=START + 20))


def test_acknowledgements_are_shown_and_the_last_word_counts(doors: Doors) -> None:
    """Of an alert that goes on."""
    step = transition()
    doors.store.save(checkpoint(transitions=(step,)))
    say = doors.acknowledgements.acknowledge
    assert say("nobody", Word("ann"), now_ms=START) is Refused.UNKNOWN
    first = say(step.alert_id, Word("ann"), now_ms=START)
    assert say(step.alert_id, Word("ann"), now_ms=START + 9) == first
    say(step.alert_id, Word("bob", "mine"), now_ms=START + 1)
    doors.reopen()

    (shown,) = doors.history.alerts(Query()).items
    assert shown["acknowledged"] == {"author": "bob", "comment": "mine", "at": "2026-01-05T10:00:00.001Z"}
    doors.store.save(checkpoint(transitions=(transition(State.RESOLVED, window=1),)))
    assert doors.acknowledgements.acknowledge(step.alert_id, Word("ann"), now_ms=START) is Refused.ENDED


def test_retention_forgets_what_people_said(doors: Doors) -> None:
    """But not what told of an alert that still fires, nor what still waits."""
    step, over = transition(), transition(column="age")
    told = [
        letter("goes_on", alerts=(step.alert_id,)), letter("over", alerts=(over.alert_id,)),
        letter("waits", alerts=(over.alert_id,), state="held", hold="approval"),
    ]  # fmt: skip
    doors.store.save(checkpoint(transitions=(step, over), letters=told))
    for each in told[:2]:
        doors.outbox.delivered(each, now_ms=START, result="delivered")
    for alert in (step, over):
        doors.acknowledgements.acknowledge(alert.alert_id, Word("ann"), now_ms=START)
    doors.silences.add(silence())
    doors.store.save(checkpoint(transitions=(transition(State.RESOLVED, window=1, column="age"),)))
    doors.store.prune(before_ms=START + 11)

    assert states(doors) == {"goes_on": "delivered", "waits": "held"}
    assert list(doors.silences.every()) == []
    (left,) = doors.history.alerts(Query()).items
    assert (left["column"], left["acknowledged"]["author"]) == ("amount", "ann")


@pytest.mark.parametrize(
    ("table", "change"),
    [("silences", "ends_ms = ends_ms + 1"), ("acknowledgements", "author = 'eve'"), ("letters", "hold = 'approved'")],
)
def test_verify_covers_what_people_said(doors: Doors, table: str, change: str, tmp_path: Path) -> None:
    """A row that was changed does not fit its checksum."""
    step = transition()
    doors.store.save(checkpoint(transitions=(step,), letters=(letter(state="held", hold="approval"),)))
    doors.silences.add(silence())
    doors.acknowledgements.acknowledge(step.alert_id, Word("ann"), now_ms=START)
    doors.silences.expire(doors.silences.every()[0].id, now_ms=START + 1)
    doors.store.close()
    assert damage(doors.path) == []
    with closing(sqlite3.connect(doors.path / FILE)) as connection, connection:
        connection.execute(f"UPDATE {table} SET {change}")
    assert damage(doors.path) == [f"1 rows of {table} do not fit their checksums"]
