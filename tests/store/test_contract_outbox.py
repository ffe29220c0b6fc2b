"""The contract of the Outbox: order, retries, the end of a letter, and what is counted."""

from driftwatch.ports.answers import Query
from tests.store.doors import Doors
from tests.store.examples import START, checkpoint, letter


def test_letters_of_a_lane_keep_their_order(doors: Doors) -> None:
    """Of each lane only the oldest pending letter is due, even while that one waits for its retry."""
    first, second, other = letter("first"), letter("second"), letter("other", alert_id="a2")
    doors.store.save(checkpoint(letters=(first, second, other, letter("elsewhere", target="pager"))))
    outbox = doors.outbox

    assert [due.id for due in outbox.due("trainer", START, limit=9)] == ["first", "other"]
    outbox.retry(first, next_ms=START + 10, result="timeout")
    assert [due.id for due in outbox.due("trainer", START, limit=9)] == ["other"]
    assert [due.id for due in outbox.due("trainer", START + 10, limit=9)] == ["other", "first"]
    outbox.delivered(first, now_ms=START + 11, result="delivered")
    assert {due.id for due in outbox.due("trainer", START + 11, limit=9)} == {"second", "other"}
    assert len(outbox.due("trainer", START + 11, limit=1)) == 1


def test_a_lane_is_of_many_alerts(doors: Doors) -> None:
    """The end of some of an incident's alerts waits for the letter that told of them all."""
    letters = [letter(name, alert_id=lead, lane="drift") for name, lead in [("fired", "a1"), ("ended", "a2")]]
    doors.store.save(checkpoint(letters=[*letters, letter("other", alert_id="a1", lane="missing")]))
    outbox = doors.outbox

    assert [due.id for due in outbox.due("trainer", START, limit=9)] == ["fired", "other"]
    outbox.bury(letters[0], now_ms=START, result="gone")
    assert [(due.id, due.alert_id) for due in outbox.due("trainer", START, limit=9)] == [
        ("ended", "a2"),
        ("other", "a1"),
    ]


def test_a_letter_comes_back_whole(doors: Doors) -> None:
    """Body, key and the record of attempts survive a restart; the id stays."""
    doors.store.save(checkpoint(letters=(letter(next_ms=START),)))
    doors.outbox.retry(letter(), next_ms=START + 5000, result="timeout")
    doors.reopen()

    (due,) = doors.outbox.due("trainer", START + 5000, limit=9)
    assert due == letter(attempts=1, next_ms=START + 5000, last_result="timeout")


def test_a_finished_letter_stays_finished(doors: Doors) -> None:
    """A late answer about a letter that was delivered or buried changes nothing."""
    doors.store.save(checkpoint(letters=(letter("done"), letter("dead", alert_id="a2"))))
    doors.outbox.delivered(letter("done"), now_ms=START, result="delivered")
    doors.outbox.bury(letter("dead"), now_ms=START, result="gone")
    before = doors.history.deliveries(Query())
    doors.outbox.retry(letter("done"), next_ms=START, result="timeout")
    doors.outbox.delivered(letter("dead"), now_ms=START, result="delivered")

    assert doors.history.deliveries(Query()) == before
    assert doors.outbox.due("trainer", START * 2, limit=9) == []


def test_pending_counts_by_target(doors: Doors) -> None:
    """Per target: letters waiting, dead letters, and when the oldest waiting one was made."""
    doors.store.save(
        checkpoint(
            letters=[
                letter("w1", created_ms=START + 2), letter("w2", created_ms=START + 1), letter("sent"),
                letter("dead", target="pager"), letter("ok", target="quiet"),
            ]
        )
    )  # fmt: skip
    doors.outbox.delivered(letter("sent"), now_ms=START, result="delivered")
    doors.outbox.delivered(letter("ok"), now_ms=START, result="delivered")
    doors.outbox.bury(letter("dead"), now_ms=START, result="gone")

    assert doors.outbox.pending() == {"trainer": (2, 0, START + 1), "pager": (0, 1, 0)}


def test_what_was_asked_is_by_target_and_key(doors: Doors) -> None:
    """A cool-down looks at the newest letters of that key for that target."""
    letters = [letter("1", created_ms=5), letter("2", created_ms=9), letter("3", created_ms=99, key="other")]
    doors.store.save(checkpoint(letters=letters))

    assert [each.created_ms for each in doors.outbox.asked("trainer", letter().key)] == [9, 5]
    assert doors.outbox.asked("pager", letter().key) == []
