"""The contract of Store, Inbox, Outbox and History, whatever implements them."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftwatch.errors import DataError
from driftwatch.evaluation.alerts import State
from driftwatch.ports import Busy, History, Inbox, Outbox, Query, Saved, Store
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.history import SqliteHistory
from driftwatch.store.inbox import SqliteInbox
from driftwatch.store.outbox import SqliteOutbox
from driftwatch.stream.raw import Stream
from tests.store.examples import HOUR, START, checkpoint, letter, reading, report, transition

PREDICTIONS, LABELS = Stream.PREDICTIONS, Stream.LABELS


@dataclass
class Doors:
    """One state directory, seen through its four ports; `reopen` is a restart."""

    path: Path

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        database = Database(self.path)
        self.store: Store = SqliteStore(database)
        self.inbox: Inbox = SqliteInbox(database, max_bytes=1000)
        self.outbox: Outbox = SqliteOutbox(database)
        self.history: History = SqliteHistory(database)

    def reopen(self) -> None:
        self.store.close()
        self.open()


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    opened = Doors(tmp_path / "state")
    yield opened
    opened.store.close()


def test_first_start_is_empty(doors: Doors) -> None:
    """A new directory holds nothing."""
    assert doors.store.load() == Saved(positions={}, monitors={}, panes={}, engine=b"")


def test_load_gives_what_was_saved(doors: Doors) -> None:
    """After a restart the last checkpoint is there."""
    panes = {"fraud": {"p1": b"\x00one", "p2": b""}, "credit": {"p1": b"other"}}
    doors.store.save(checkpoint(positions={"http/0": 7}, monitors={"fraud": b"m"}, panes=panes, engine=b"e"))
    doors.reopen()

    assert doors.store.load() == Saved(positions={"http/0": 7}, monitors={"fraud": b"m"}, panes=panes, engine=b"e")


def test_a_checkpoint_names_only_what_changed(doors: Doors) -> None:
    """What a later checkpoint does not mention stays, what it gives as None goes."""
    first = {"fraud": {"old": b"1", "kept": b"2", "changed": b"3"}}
    doors.store.save(checkpoint(positions={"a": 1, "b": 1}, monitors={"fraud": b"1", "credit": b"1"}, panes=first))
    doors.store.save(
        checkpoint(positions={"a": 2}, monitors={"fraud": b"2"}, panes={"fraud": {"old": None, "changed": b"4"}})
    )

    loaded = doors.store.load()
    assert loaded.panes == {"fraud": {"kept": b"2", "changed": b"4"}}
    assert (loaded.positions, loaded.monitors) == ({"a": 2, "b": 1}, {"fraud": b"2", "credit": b"1"})


PANES = st.dictionaries(st.sampled_from("abc"), st.none() | st.binary(max_size=5), max_size=3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(["m", "n"]), PANES), max_size=6), restarts=st.sets(st.integers(0, 5)))
def test_saving_is_a_running_update(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, dict[str, bytes | None]]], restarts: set[int]
) -> None:
    """Whatever the checkpoints and restarts, what is loaded is the dictionary that they describe."""
    doors = Doors(tmp_path_factory.mktemp("state"))
    expected: dict[str, dict[str, bytes]] = {}
    try:
        for number, (model, changes) in enumerate(steps):
            doors.store.save(checkpoint(panes={model: changes}, positions={"p": number}))
            panes = expected.get(model, {}) | {key: state for key, state in changes.items() if state is not None}
            expected[model] = {key: state for key, state in panes.items() if changes.get(key, b"") is not None}
            if number in restarts:
                doors.reopen()

        assert doors.store.load().panes == {model: panes for model, panes in expected.items() if panes}
        assert doors.store.load().positions == ({"p": len(steps) - 1} if steps else {})
    finally:
        doors.store.close()


def test_a_replayed_checkpoint_changes_nothing(doors: Doors) -> None:
    """The same transitions, letters and reports a second time are ignored, even after the letter was delivered."""
    steps = (transition(State.PENDING), transition(State.FIRING, window=1), transition(State.RESOLVED, window=2))
    same = checkpoint(reports=(report(),), transitions=steps, letters=(letter(),))
    doors.store.save(same)
    doors.outbox.delivered(letter(), now_ms=START, result="delivered")
    before = [doors.history.alerts(Query()), doors.history.reports(Query()), doors.history.deliveries(Query())]
    doors.store.save(same)
    doors.store.save(checkpoint(transitions=steps[:1]))

    after = [doors.history.alerts(Query()), doors.history.reports(Query()), doors.history.deliveries(Query())]
    assert before == after
    assert doors.outbox.due("trainer", START + HOUR, limit=9) == []


@pytest.mark.parametrize(("revisions", "kept"), [((1, 2), 2), ((2, 1), 2), ((3, 1, 2), 3)])
def test_the_highest_revision_counts(doors: Doors, revisions: tuple[int, ...], kept: int) -> None:
    """Of the reports of one window and cell only the highest revision is shown, in whatever order they came."""
    for revision in revisions:
        doors.store.save(checkpoint(reports=(report(revision=revision, rows=revision),)))

    (item,) = doors.history.reports(Query()).items
    assert (item["revision"], item["window"]["rows"]) == (kept, kept)


def test_a_report_comes_back_as_its_document(doors: Doors) -> None:
    """History gives the JSON of contract §6, not-a-number as null."""
    stored = report(readings=(reading(), reading("age", "ks", float("nan"), lower=0.1)))
    doors.store.save(checkpoint(reports=(stored,)))

    assert doors.history.reports(Query()).items == [stored.document()]
    assert doors.history.reports(Query()).items[0]["readings"][1]["value"] is None


def test_an_alert_shows_its_present_state(doors: Doors) -> None:
    """One document an episode, as its latest transition left it."""
    doors.store.save(checkpoint(transitions=(transition(State.PENDING, lower=float("nan")),)))
    (pending,) = doors.history.alerts(Query()).items
    doors.store.save(checkpoint(transitions=(transition(window=1), transition(State.RESOLVED, window=2))))
    (resolved,) = doors.history.alerts(Query()).items

    assert (pending["state"], pending["resolved"], pending["lower"]) == ("pending", None, None)
    assert resolved == {
        "id": pending["id"], "model": "fraud", "version": "7", "segment": "", "rule": "drift", "column": "amount",
        "statistic": "psi", "severity": "warning", "action": "notify", "state": "resolved", "reason": "cleared",
        "started": "2026-01-05T10:00:00Z", "resolved": "2026-01-05T13:00:00Z",
        "window": {"start": "2026-01-05T12:00:00Z", "end": "2026-01-05T13:00:00Z"},
        "value": 0.31, "lower": 0.27, "threshold": 0.1,
    }  # fmt: skip


def test_alerts_by_state(doors: Doors) -> None:
    """The filter `state` looks at the present state."""
    steps = [transition(), transition(column="age"), transition(State.RESOLVED, window=1, column="age")]
    doors.store.save(checkpoint(transitions=steps))

    assert [item["column"] for item in doors.history.alerts(Query(state="firing")).items] == ["amount"]
    assert [item["column"] for item in doors.history.alerts(Query(state="resolved")).items] == ["age"]


@pytest.mark.parametrize(
    ("query", "windows"),
    [
        (Query(), [3, 2, 1, 0]),
        (Query(model="fraud"), [2, 0]),
        (Query(model="credit", version="8"), [3]),
        (Query(version=""), []),
        (Query(segment="web"), [2]),
        (Query(segment=""), [3, 1, 0]),
        (Query(since_ms=START + HOUR, until_ms=START + 3 * HOUR), [2, 1]),
        (Query(limit=1), [3]),
        (Query(limit=0), [3]),
    ],
)
def test_filters_of_reports(doors: Doors, query: Query, windows: list[int]) -> None:
    """Each filter narrows, the bounds are since ≤ start < until, newest first."""
    made = [report(0), report(1, model="credit"), report(2, segment="web"), report(3, model="credit", version="8")]
    doors.store.save(checkpoint(reports=made))

    items = doors.history.reports(query).items
    assert items == [made[window].document() for window in windows]


@pytest.mark.parametrize("listing", ["reports", "alerts", "deliveries"])
def test_pages_are_complete(doors: Doors, listing: str) -> None:
    """Going from cursor to cursor gives everything once, in order, though more is written meanwhile."""
    doors.store.save(
        checkpoint(
            reports=[report(n // 2, model=f"m{n % 2}") for n in range(7)],
            transitions=[transition(column=f"c{n}", started_ms=START + n // 2) for n in range(7)],
            letters=[letter(f"msg_{n}", created_ms=START + n // 2) for n in range(7)],
        )
    )
    read = getattr(doors.history, listing)
    everything = read(Query()).items
    collected, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = read(Query(limit=3, cursor=cursor))
        collected, cursor, pages = collected + page.items, page.next, pages + 1
        newer = START * 2 + pages
        doors.store.save(
            checkpoint(
                reports=[report(1000 + pages)],
                transitions=[transition(column=f"n{pages}", started_ms=newer)],
                letters=[letter(f"new_{pages}", created_ms=newer)],
            )
        )

    assert (collected, pages) == (everything, 3)
    assert len({msgspec.json.encode(item) for item in collected}) == 7


@pytest.mark.parametrize("cursor", ["x", "1", "1.", ".1", "1.2.3", "a.b", "9" * 99 + ".1", "1.1\n"])
def test_a_foreign_cursor_is_refused(doors: Doors, cursor: str) -> None:
    """A cursor that was not given out is an error of the caller, in one line."""
    with pytest.raises(DataError, match="was not given out by this service"):
        doors.history.reports(Query(cursor=cursor))


def test_deliveries_know_their_alert(doors: Doors) -> None:
    """Letters are found by the model of their alert, and tell how they fared."""
    step = transition()
    doors.store.save(
        checkpoint(transitions=(step,), letters=(letter("msg_1", alert_id=step.alert_id), letter("msg_2")))
    )
    doors.outbox.retry(letter("msg_1"), next_ms=START + HOUR, result="timeout")
    doors.outbox.bury(letter("msg_2"), now_ms=START + 2 * HOUR, result="gone")

    (mine,) = doors.history.deliveries(Query(model="fraud")).items
    (dead,) = doors.history.deliveries(Query(state="dead")).items
    assert mine == {
        "id": "msg_1", "target": "trainer", "alert": step.alert_id, "type": "driftwatch.retrain.requested",
        "state": "pending", "attempts": 1, "created": "2026-01-05T10:00:00Z", "next": "2026-01-05T11:00:00Z",
        "finished": None, "last_result": "timeout",
    }  # fmt: skip
    assert (dead["id"], dead["finished"], dead["next"]) == ("msg_2", "2026-01-05T12:00:00Z", None)


def test_letters_of_an_alert_keep_their_order(doors: Doors) -> None:
    """Of each alert only the oldest pending letter is due, even while that one waits for its retry."""
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


def test_last_sent_is_by_target_and_key(doors: Doors) -> None:
    """A cool-down looks at the newest letter of that key for that target."""
    letters = [letter("1", created_ms=5), letter("2", created_ms=9), letter("3", created_ms=99, key="other")]
    doors.store.save(checkpoint(letters=letters))

    assert doors.outbox.last_sent_ms("trainer", letter().key) == 9
    assert doors.outbox.last_sent_ms("pager", letter().key) is None


def test_prune_forgets_only_what_is_over(doors: Doors) -> None:
    """Old reports, ended alerts and finished letters go; what still runs stays, whatever its age."""
    doors.store.save(
        checkpoint(
            taken_ms=START,
            reports=(report(0),),
            transitions=(transition(), transition(column="age"), transition(State.RESOLVED, window=1, column="age")),
            letters=(letter("sent"), letter("waiting")),
        )
    )
    doors.outbox.delivered(letter("sent"), now_ms=START, result="delivered")
    doors.store.save(checkpoint(taken_ms=START + HOUR, reports=(report(1),)))
    removed = doors.store.prune(before_ms=START + HOUR)

    assert removed == 1 + 2 + 1 + 1
    assert [item["window"]["start"] for item in doors.history.reports(Query()).items] == ["2026-01-05T11:00:00Z"]
    assert [item["column"] for item in doors.history.alerts(Query()).items] == ["amount"]
    assert [item["id"] for item in doors.history.deliveries(Query()).items] == ["waiting"]
    assert doors.store.prune(before_ms=START + HOUR) == 0


def test_the_inbox_is_read_per_stream(doors: Doors) -> None:
    """One rising sequence, read in order, stream by stream, from a position."""
    numbers = [
        doors.inbox.append(stream, b"b%d" % n, received_ms=n) for n, stream in enumerate([PREDICTIONS, LABELS] * 2)
    ]
    rows = doors.inbox.read(PREDICTIONS, 0, limit=9)

    assert numbers == sorted(set(numbers))
    assert [(row.sequence, row.stream, row.received_ms, row.body) for row in rows] == [
        (numbers[0], PREDICTIONS, 0, b"b0"),
        (numbers[2], PREDICTIONS, 2, b"b2"),
    ]
    assert [row.body for row in doors.inbox.read(LABELS, numbers[1], limit=9)] == [b"b3"]
    assert [row.body for row in doors.inbox.read(LABELS, 0, limit=1)] == [b"b1"]


def test_a_read_stops_after_4_mib(tmp_path: Path) -> None:
    """However many rows are asked for, memory stays bounded."""
    database = Database(tmp_path)
    inbox = SqliteInbox(database)
    for _ in range(3):
        inbox.append(LABELS, bytes(3 << 20), received_ms=0)

    assert len(inbox.read(LABELS, 0, limit=9)) == 2
    database.close()


def test_a_sequence_number_never_comes_back(doors: Doors) -> None:
    """Though everything was dropped and the process restarted, the next number is greater: it is a position."""
    last = [doors.inbox.append(LABELS, b"x", received_ms=0) for _ in range(3)][-1]
    doors.inbox.drop(LABELS, last)
    doors.reopen()

    assert doors.inbox.read(LABELS, 0, limit=9) == []
    assert doors.inbox.append(LABELS, b"x", received_ms=0) == last + 1


def test_drop_leaves_the_other_stream(doors: Doors) -> None:
    """Dropping one stream through a position touches neither later rows nor the other stream."""
    numbers = [doors.inbox.append(stream, b"x", received_ms=0) for stream in [PREDICTIONS, LABELS, LABELS]]
    doors.inbox.drop(LABELS, numbers[1])

    assert [row.sequence for row in doors.inbox.read(PREDICTIONS, 0, limit=9)] == numbers[:1]
    assert [row.sequence for row in doors.inbox.read(LABELS, 0, limit=9)] == numbers[2:]


def test_a_full_inbox_says_busy(doors: Doors) -> None:
    """Beyond its bytes nothing is taken, across restarts too, until something was dropped."""
    number = doors.inbox.append(LABELS, bytes(600), received_ms=0)
    doors.reopen()
    with pytest.raises(Busy) as caught:
        doors.inbox.append(PREDICTIONS, bytes(401), received_ms=0)
    doors.inbox.append(PREDICTIONS, bytes(400), received_ms=0)
    doors.inbox.drop(LABELS, number)
    doors.inbox.append(PREDICTIONS, bytes(600), received_ms=0)

    assert caught.value.retry_after_seconds > 0
    assert [len(row.body) for row in doors.inbox.read(PREDICTIONS, 0, limit=9)] == [400, 600]


def test_wait_is_woken_by_an_append(doors: Doors) -> None:
    """A reader sleeps until its stream has a new row."""
    woken: list[bool] = []
    reader = threading.Thread(target=lambda: woken.append(doors.inbox.wait(LABELS, 0, timeout_seconds=30)))
    reader.start()
    doors.inbox.append(PREDICTIONS, b"x", received_ms=0)
    number = doors.inbox.append(LABELS, b"x", received_ms=0)
    reader.join(10)

    assert woken == [True]
    assert not doors.inbox.wait(LABELS, number, timeout_seconds=0)
    doors.reopen()
    assert doors.inbox.wait(LABELS, 0, timeout_seconds=0)


def test_many_producers_lose_nothing(doors: Doors) -> None:
    """Concurrent appends, saves and reads: each body is stored once, under the number that its caller was told."""
    told: dict[int, bytes] = {}

    def produce(producer: int) -> None:
        for n in range(10):
            body = b"%d-%d" % (producer, n)
            told[doors.inbox.append(LABELS, body, received_ms=0)] = body

    producers = [threading.Thread(target=produce, args=(n,)) for n in range(6)]
    for producer in producers:
        producer.start()
    for n in range(10):
        doors.store.save(checkpoint(positions={"p": n}, letters=(letter(f"m{n}"),)))
    for producer in producers:
        producer.join(30)

    assert {row.sequence: row.body for row in doors.inbox.read(LABELS, 0, limit=99)} == told
    assert len(told) == 60
