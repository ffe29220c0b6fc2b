"""State of an older version is brought forward, that of a newer one refused, and a crash on the way changes nothing."""

import gzip
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

import pytest

from driftwatch.errors import StateError
from driftwatch.ports import Query
from driftwatch.store import migration
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import FILE, Database
from driftwatch.store.history import SqliteHistory
from driftwatch.store.inbox import SqliteInbox
from driftwatch.store.integrity import faults
from driftwatch.store.migration import schema_of
from driftwatch.store.outbox import SqliteOutbox
from driftwatch.store.tables import VERSION
from driftwatch.stream.raw import Stream
from tests.store.examples import START

GOLDEN = Path(__file__).parents[1] / "golden" / "state_v1.db.gz"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A state directory that was written by version 1."""
    (tmp_path / FILE).write_bytes(gzip.decompress(GOLDEN.read_bytes()))
    return tmp_path


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


def test_what_was_brought_forward_is_declared_and_sealed_like_a_new_file(old: Path, tmp_path_factory) -> None:
    """No trace of the old tables, and nothing for `state verify` to find."""
    Database(old).close()
    new = tmp_path_factory.mktemp("new")
    Database(new).close()
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
