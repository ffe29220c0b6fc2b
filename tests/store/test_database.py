"""The state directory: one owner, one known version, and nothing half-written."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from driftwatch.errors import StateError
from driftwatch.ports.storage import Rejected
from driftwatch.spec import Spec
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import FILE, Database, StateSpec
from driftwatch.store.inbox import SqliteInbox
from driftwatch.store.rejected import DeadLetterBounds
from driftwatch.store.tables import VERSION
from driftwatch.stream.raw import Stream
from tests.store.examples import checkpoint, letter, report, transition

ROOT = Path(__file__).resolve().parents[2]


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program that may import the project and its tests."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_defaults_of_the_spec() -> None:
    """Only the path must be written; durations are words with a unit."""
    spec = StateSpec.model_validate({"path": "/state", "checkpoint": "1s"})

    assert (spec.path, spec.checkpoint, spec.retention) == ("/state", 1_000, 90 * 86_400_000)
    assert isinstance(spec, Spec)


@pytest.mark.parametrize("wrong", [{}, {"path": "x", "checkpoint": "0s"}, {"path": "x", "retention": 5}, {"path": 5}])
def test_wrong_specs(wrong: dict[str, object]) -> None:
    """A missing path, no interval and a number without a unit are refused."""
    with pytest.raises(ValueError, match="StateSpec"):
        StateSpec.model_validate(wrong)


def test_the_file_is_private_and_durable(tmp_path: Path) -> None:
    """The directory is made on demand, its file is nobody else's to read, WAL with synchronous=FULL."""
    database = Database(tmp_path / "deep" / "state")
    link = database.connect()
    with link.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    modes = {path.name: path.stat().st_mode & 0o777 for path in database.directory.iterdir()}
    database.close()

    assert set(modes.values()) == {0o600}
    assert FILE in modes


def test_the_tables_say_their_version(tmp_path: Path) -> None:
    """The version in the file is the one that the code declares."""
    Database(tmp_path).close()
    connection = sqlite3.connect(tmp_path / FILE)
    versions = connection.execute("SELECT version FROM schema_version").fetchall()
    connection.close()

    assert versions == [(VERSION,)]


def test_a_second_owner_is_refused(tmp_path: Path) -> None:
    """A second process is told which directory is taken; the lock goes with its holder."""
    database = Database(tmp_path)
    program = (
        "import sys; from pathlib import Path; from driftwatch.store.database import Database; "
        "Database(Path(sys.argv[1]))"
    )
    second = python(program, str(tmp_path))
    database.close()
    third = python(program, str(tmp_path))

    assert f"StateError: {tmp_path}: the state directory is in use by another driftwatch process" in second.stderr
    assert third.returncode == 0, third.stderr


def test_a_killed_owner_leaves_no_lock(tmp_path: Path) -> None:
    """SIGKILL gives no chance to clean up, and none is needed."""
    program = (
        "import os, signal, sys; from pathlib import Path; from driftwatch.store.database import Database; "
        "database = Database(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = python(program, str(tmp_path))
    Database(tmp_path).close()

    assert killed.returncode == -signal.SIGKILL


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    """A file of a later release is not touched."""
    Database(tmp_path).close()
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute("UPDATE schema_version SET version = ?", (VERSION + 1,))
    connection.commit()
    connection.close()

    with pytest.raises(StateError, match=f"schema version is {VERSION + 1}, this driftwatch reads version {VERSION}"):
        Database(tmp_path)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """A foreign database is named, and left as it was."""
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    before = (tmp_path / FILE).read_bytes()

    with pytest.raises(StateError, match="a database of another program"):
        Database(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """What is no database raises StateError with the path, and the lock is released again."""
    (tmp_path / FILE).write_bytes(content)
    for _ in range(2):
        with pytest.raises(StateError, match=rf"{FILE}: .*; restore a backup of the directory"):
            Database(tmp_path)

    assert (tmp_path / FILE).read_bytes() == content


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """The state path must be a directory."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="the state directory cannot be used"):
        Database(tmp_path / "file")


@pytest.mark.parametrize("table", ["panes", "monitors", "engine"])
def test_damaged_state_is_refused(tmp_path: Path, table: str) -> None:
    """A flipped bit that SQLite cannot notice is found by the checksum."""
    store = SqliteStore(Database(tmp_path))
    store.save(checkpoint(monitors={"fraud": b"state"}, panes={"fraud": {"p": b"state"}}, engine=b"state"))
    store.close()
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute(f"UPDATE {table} SET state = ?", (b"stale",))
    connection.commit()
    connection.close()

    store = SqliteStore(Database(tmp_path))
    with pytest.raises(
        StateError, match=r"the stored state is damaged: .* does not fit its checksum; restore a backup"
    ):
        store.load()
    store.close()


def test_a_closed_directory_is_refused(tmp_path: Path) -> None:
    """A thread that comes late hears StateError; closing twice does nothing."""
    database = Database(tmp_path)
    store = SqliteStore(database)
    store.close()
    store.close()

    with pytest.raises(StateError, match="has been closed"):
        store.load()


def test_a_full_disk_leaves_the_old_state(tmp_path: Path) -> None:
    """Nothing is half-written; once there is room the same checkpoint is saved, and the inbox takes bodies again."""
    database = Database(tmp_path)
    store, inbox = SqliteStore(database), SqliteInbox(database)
    store.save(checkpoint(positions={"p": 1}, panes={"m": {"k": b"old"}}))
    inbox.append(Stream.LABELS, b"x", received_ms=0)
    large = checkpoint(positions={"p": 2}, panes={"m": {"k": bytes(3_000_000)}}, letters=(letter(),))
    for link in (store._link, inbox._link):
        with link.reading() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 5}")
    with pytest.raises(StateError, match="full; make room on its disk"):
        store.save(large)
    with pytest.raises(StateError, match="full"):
        inbox.append(Stream.LABELS, bytes(3_000_000), received_ms=0)
    assert store.load().panes == {"m": {"k": b"old"}}
    for link in (store._link, inbox._link):
        with link.reading() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
    store.save(large)

    assert (store.load().positions, len(store.load().panes["m"]["k"])) == ({"p": 2}, 3_000_000)
    assert inbox.append(Stream.LABELS, b"y", received_ms=0) == 2
    store.close()


def test_the_dead_letter_store_is_bounded(tmp_path: Path) -> None:
    """Of rejected events only the newest are kept."""
    store = SqliteStore(Database(tmp_path), DeadLetterBounds(max_events=3))
    events = [Rejected(Stream.LABELS, "http", "http/0", n, "not_json") for n in range(5)]
    store.save(checkpoint(rejected=events[:4]))
    store.save(checkpoint(rejected=events[4:]))
    with store._link.reading() as connection:
        kept = connection.execute("SELECT received_ms FROM rejected ORDER BY sequence").fetchall()
    store.close()

    assert kept == [(2,), (3,), (4,)]


KILL = """
import os, sys
from pathlib import Path
from driftwatch.ports.answers import Query
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.history import SqliteHistory
from tests.store.test_database import OLD, NEW

def die_at(statement):
    store = SqliteStore(Database(Path(sys.argv[1])))
    seen = 0
    def count(_):
        nonlocal seen
        if seen == statement:
            os._exit(9)
        seen += 1
    store._link._connection.set_trace_callback(count)
    store.save(NEW)
    os._exit(0)

store = SqliteStore(Database(Path(sys.argv[1])))
store.save(OLD)
store.close()
for statement in range(100):
    child = os.fork()
    if child == 0:
        die_at(statement)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    database = Database(Path(sys.argv[1]))
    store, history = SqliteStore(database), SqliteHistory(database)
    saved = store.load()
    listed = [len(read(Query()).items) for read in (history.reports, history.alerts, history.deliveries)]
    store.close()
    states = [state.decode() for state in (saved.panes["m"]["k"], saved.monitors["m"], saved.engine)]
    print(code, saved.positions["p"], *states, *listed)
    if code == 0:
        break
"""
OLD = checkpoint(positions={"p": 1}, monitors={"m": b"old"}, panes={"m": {"k": b"old"}}, engine=b"old")
NEW = checkpoint(
    positions={"p": 2},
    monitors={"m": b"new"},
    panes={"m": {"k": b"new", "gone": None}},
    engine=b"new",
    reports=(report(),),
    transitions=(transition(),),
    letters=(letter(),),
)


def test_killed_between_any_two_statements(tmp_path: Path) -> None:
    """A process that dies before any statement of a save leaves all of the old state and nothing of the new."""
    finished = python(KILL, str(tmp_path))
    *died, last = finished.stdout.splitlines()

    assert len(died) >= 8, finished.stderr
    assert set(died) == {"9 1 old old old 0 0 0"}
    assert last == "0 2 new new new 1 1 1"


def test_text_that_is_none_is_damage(tmp_path: Path) -> None:
    """Python refuses to decode it, in its own way; that is no bug of ours."""
    Database(tmp_path).close()
    data = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data.replace(b"reports", b"rep\x9arts"))
    with pytest.raises(StateError, match=r"\A[^\n]*restore a backup[^\n]*\Z"):
        Database(tmp_path)
