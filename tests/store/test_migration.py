"""State of an older version is brought forward, that of a newer one refused, and a crash on the way changes nothing."""

import gzip
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

import pytest

from driftwatch.errors import StateError
from driftwatch.evaluation.groups import lane
from driftwatch.evaluation.policies import PolicySpec
from driftwatch.ports.answers import Query
from driftwatch.ports.letters import Letter
from driftwatch.store import migration
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import FILE, Database
from driftwatch.store.decisions import SqliteDecisions
from driftwatch.store.history import SqliteHistory
from driftwatch.store.inbox import SqliteInbox
from driftwatch.store.integrity import faults
from driftwatch.store.migration import schema_of
from driftwatch.store.outbox import SqliteOutbox
from driftwatch.store.tables import VERSION
from driftwatch.stream.raw import Stream
from tests.store.examples import START, letter

FIRST, SECOND, THIRD = (Path(__file__).parents[1] / "golden" / f"state_v{version}.db.gz" for version in (1, 2, 3))


def written(golden: Path, directory: Path) -> Path:
    """A state directory that was written by an older version."""
    (directory / FILE).write_bytes(gzip.decompress(golden.read_bytes()))
    return directory


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A state directory that was written by version 1."""
    return written(FIRST, tmp_path)


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """One that was written by version 2: an outbox with letters of two rules, and of an alert that is forgotten."""
    return written(SECOND, tmp_path)


@pytest.fixture
def opened(old: Path) -> Iterator[Database]:
    database = Database(old)
    yield database
    database.close()


def test_state_of_version_1_is_all_there(opened: Database) -> None:
    """Positions, panes, alerts, letters, reports and bodies that wait."""
    saved = SqliteStore(opened).load()
    history, inbox = SqliteHistory(opened), SqliteInbox(opened)

    assert saved.positions == {"kafka/predictions/0": 7, "http/predictions": 3}
    assert (list(saved.monitors), len(saved.panes["fraud"])) == (["fraud"], 5)
    assert saved.engine.startswith(b'[[[["fraud"')
    assert [report["revision"] for report in history.reports(Query()).items] == [3, 1]
    assert {alert["column"]: alert["state"] for alert in history.alerts(Query()).items} == {
        "amount": "resolved", "age": "firing",
    }  # fmt: skip
    assert {letter["id"]: letter["state"] for letter in history.deliveries(Query()).items} == {
        "msg_1": "delivered", "msg_2": "pending",
    }  # fmt: skip
    assert [row.body for row in inbox.read(Stream.PREDICTIONS, 0, limit=9)] == [b'{"n": 2}']
    assert inbox.append(Stream.LABELS, b"{}", received_ms=START) == 5
    assert [letter.id for letter in SqliteOutbox(opened).due("trainer", START, limit=9)] == ["msg_2"]


def test_state_of_version_2_is_all_there(second: Path) -> None:
    """Each letter has the lane of its alert's rule, or its alert's own where that is forgotten."""
    database = Database(second)
    saved = SqliteStore(database).load()
    outbox, inbox = SqliteOutbox(database), SqliteInbox(database)
    drift, missing = (lane("fraud", "7", rule=rule) for rule in ("drift", "missing"))

    assert (saved.positions, saved.monitors, saved.panes) == (
        {"kafka/predictions/0": 7}, {"fraud": b"m"}, {"fraud": {"k": b"p"}},
    )  # fmt: skip
    assert [(each.id, each.lane) for each in outbox.due("trainer", START, limit=9)] == [
        ("msg_1", drift), ("msg_3", missing), ("msg_4", "forgotten"),
    ]  # fmt: skip
    outbox.delivered(letter("msg_1"), now_ms=START, result="delivered")
    assert [each.id for each in outbox.due("trainer", START, limit=1)] == ["msg_2"]
    assert [each["state"] for each in SqliteHistory(database).deliveries(Query(limit=9)).items] == [
        "delivered", "pending", "pending", "pending", "delivered",
    ]  # fmt: skip
    assert inbox.append(Stream.LABELS, b"{}", received_ms=START) == 2
    database.close()


def test_state_of_version_3_is_all_there(tmp_path: Path) -> None:
    """Letters in every state keep it, tell of the alert that they were called by, and wait for nobody."""
    database = Database(written(THIRD, tmp_path))
    saved = SqliteStore(database).load()
    outbox, history = SqliteOutbox(database), SqliteHistory(database)
    states = {alert["column"]: (alert["state"], alert["id"]) for alert in history.alerts(Query()).items}
    (amount, first), (age, second) = states["amount"], states["age"]

    assert (saved.positions, saved.monitors, saved.panes) == (
        {"kafka/predictions/0": 7, "http/predictions": 1}, {"fraud": b"m"}, {"fraud": {"k": b"p"}},
    )  # fmt: skip
    assert (list(saved.incidents), amount, age) == ([], "firing", "resolved")
    letters = [
        (each["id"], each["state"], each["last_result"], each["alerts"]) for each in history.deliveries(Query()).items
    ]
    assert letters[::-1] == [
        ("msg_1", "delivered", "delivered", [first]), ("msg_2", "dead", "timeout", [first]),
        ("msg_3", "pending", "http_error", [second]), ("msg_4", "pending", "", [second]),
    ]  # fmt: skip
    assert {(each["hold"], each["incident"], each["repeats"]) for each in history.deliveries(Query()).items} == {
        ("", "", 0),
    }  # fmt: skip
    assert [each.id for each in outbox.due("trainer", START + 1000, limit=9)] == ["msg_3"]
    assert outbox.examine({"trainer": PolicySpec()}, now_ms=START * 2) == ()
    replayed = SqliteDecisions(database).replay("msg_2", now_ms=START + 7)
    assert isinstance(replayed, Letter)
    assert [each.id for each in outbox.due("trainer", START + 7, limit=9)] == ["msg_2"]
    database.close()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE letters SET body = x'00' WHERE id = 'msg_2'", "1 rows of letters do not fit their checksums"),
        ("DELETE FROM ledger", "its ledger is gone"),
        ("DROP INDEX letters_waiting", "its tables are not declared as its version declares them"),
    ],
)
def test_a_damaged_file_of_version_2_is_not_brought_forward(second: Path, harm: str, said: str) -> None:
    """It has checksums of its own, by which it is judged before anything is copied."""
    with closing(sqlite3.connect(second / FILE)) as connection, connection:
        connection.execute(harm)
    with pytest.raises(StateError, match=said):
        Database(second)


@pytest.mark.parametrize("golden", [FIRST, SECOND, THIRD], ids=["1", "2", "3"])
def test_what_was_brought_forward_is_declared_and_sealed_like_a_new_file(golden: Path, tmp_path_factory) -> None:
    """No trace of the old tables, and nothing for `state verify` to find."""
    old, new = written(golden, tmp_path_factory.mktemp("old")), tmp_path_factory.mktemp("new")
    for directory in (old, new):
        Database(directory).close()
    with closing(sqlite3.connect(old / FILE)) as brought, closing(sqlite3.connect(new / FILE)) as made:
        assert schema_of(brought) == schema_of(made)
        assert list(faults(brought, mark=None, thorough=True)) == []
        assert brought.execute("SELECT version FROM schema_version").fetchall() == [(VERSION,)]


def test_a_crash_while_it_is_brought_forward_leaves_the_old_file(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step is one transaction; the next start does it again."""

    def fail(connection: sqlite3.Connection) -> None:
        migration._to_2(connection)
        raise KeyboardInterrupt

    monkeypatch.setattr(migration, "STEPS", MappingProxyType({1: fail}))
    with pytest.raises(KeyboardInterrupt):
        Database(old)
    with closing(sqlite3.connect(old / FILE)) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(1,)]
    monkeypatch.undo()
    Database(old).close()


def test_steps_are_taken_in_turn(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later release brings version 1 forward through all between."""
    taken = []

    def to_4(connection: sqlite3.Connection) -> None:
        taken.append(connection.execute("SELECT version FROM schema_version").fetchall())
        connection.execute("UPDATE schema_version SET version = 4")

    monkeypatch.setattr(migration, "STEPS", MappingProxyType({**migration.STEPS, 3: to_4}))
    monkeypatch.setattr(migration, "VERSION", 4)
    with closing(sqlite3.connect(old / FILE, isolation_level=None)) as connection:
        assert migration.bring_forward(old / FILE, connection) == 1
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(4,)]
    assert taken == [[(3,)]]


@pytest.mark.parametrize("version", [0, VERSION + 1, 99])
def test_a_version_without_a_step_is_refused_and_left_alone(old: Path, version: int) -> None:
    """The line says what it is and what is read."""
    with closing(sqlite3.connect(old / FILE)) as connection, connection:
        connection.execute("UPDATE schema_version SET version = ?", (version,))
    before = (old / FILE).read_bytes()
    with pytest.raises(StateError, match=f"schema version is {version}, this driftwatch reads version {VERSION}"):
        Database(old)
    assert (old / FILE).read_bytes() == before


def test_a_damaged_file_of_version_1_is_not_brought_forward(old: Path) -> None:
    """SQLite's own check is made before anything is copied."""
    data = bytearray((old / FILE).read_bytes())
    data[4096 * 5 + 3] ^= 0xFF
    (old / FILE).write_bytes(data)
    with pytest.raises(StateError, match="restore a backup"):
        Database(old)
