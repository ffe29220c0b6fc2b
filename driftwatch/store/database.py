"""The state directory: one SQLite file, owned by one process, with a connection for every role.

The file is `driftwatch.db` (WAL, `synchronous=FULL`: what is committed survives a loss of power). A second process is
refused by a lock on `driftwatch.lock`, which the operating system releases when its holder dies. `driftwatch.mark`
tells whether committed transactions are missing (see `seal`).

A damaged state is refused at the start, and no older one is used in its place: Kafka would be read again from the older
positions, but bodies that came over HTTP since then have been dropped, and nobody would hear of it.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import structlog
from pydantic import Field

from driftwatch.errors import StateError
from driftwatch.spec import LocatedPath, PositiveDurationMs, Spec
from driftwatch.store.integrity import RESTORE, faults, pages, refusal
from driftwatch.store.migration import bring_forward, stored_version
from driftwatch.store.seal import MARK, Mark, read_mark
from driftwatch.store.tables import TABLES, VERSION

FILE: Final = "driftwatch.db"
LOCK: Final = "driftwatch.lock"
_log = structlog.get_logger()

_BUSY_SECONDS = 30.0
_DAY_MS = 86_400_000
_ADVICE: Final = {
    sqlite3.SQLITE_FULL: "make room on its disk",
    sqlite3.SQLITE_ERROR: RESTORE,  # a table or column that is not there: the declarations have been changed
    sqlite3.SQLITE_CORRUPT: RESTORE,
    sqlite3.SQLITE_NOTADB: RESTORE,
}


class StateSpec(Spec):
    """`[state]`: where state is kept, how often it is saved, and for how long history is remembered.

    keep_payload: keep the bytes of rejected events, so that they can be replayed. max_dead_letters,
    max_dead_letter_bytes: how many rejected events are listed, and how many bytes of them kept; the oldest go first.
    """

    path: LocatedPath = Field(min_length=1)
    checkpoint: PositiveDurationMs = 5_000
    retention: PositiveDurationMs = 90 * _DAY_MS
    keep_payload: bool = False
    max_dead_letters: int = Field(default=100_000, ge=1, le=10_000_000)
    max_dead_letter_bytes: int = Field(default=64 << 20, ge=0)


class Link:
    """One role's connection; its threads take turns."""

    def __init__(self, file: Path, *, committed: Callable[[int], None]) -> None:
        self._file = file
        self._committed = committed
        self._turn = threading.Lock()
        self._open = True
        with state_errors(file):
            self._connection = connect(file)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give one write transaction: committed at the end, or nothing of it when anything goes wrong.

        Raises StateError when SQLite fails (disk full, damaged file); the same transaction may be tried again.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection
            number = connection.execute("UPDATE ledger SET commits = commits + 1 RETURNING commits").fetchall()
        self._committed(number[0][0])

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give one consistent view. Raises StateError as `writing` does."""
        with self._transaction("BEGIN") as connection:
            yield connection

    def close(self) -> None:
        """Wait for the transaction under way, then close; a second time does nothing."""
        with self._turn:
            self._open = False
            self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._turn:
            if not self._open:
                raise StateError(f"{self._file}: the state directory has been closed")
            with state_errors(self._file):
                self._connection.execute(begin)
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    # SQLite has already rolled back after some errors, such as a full disk.
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise


class Database:
    """The open state directory. Raises StateError when it is in use, of a newer version, foreign or unreadable."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._links: list[Link] = []
        self._lock = _claim(directory)
        try:
            with state_errors(directory / FILE):
                _prepare(directory)
                self._mark = Mark(directory)
        except BaseException:
            os.close(self._lock)
            raise

    def connect(self) -> Link:
        """Open a connection for one role; it is closed with the directory."""
        link = Link(self.directory / FILE, committed=self._mark.raise_to)
        self._links.append(link)
        return link

    def close(self) -> None:
        """Close every connection and release the directory; a second time does nothing."""
        while self._links:
            self._links.pop().close()
        self._mark.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _claim(directory: Path) -> int:
    """Lock the directory, which is made when it does not exist, and return the lock's file descriptor."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (directory / FILE).exists():
            _make_durable(directory)
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateError(f"{directory}: the state directory cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if not isinstance(error, BlockingIOError):
            raise StateError(f"{directory}: the state directory cannot be locked: {error.strerror}") from error
        raise StateError(
            f"{directory}: the state directory is in use by another driftwatch process; "
            "stop that process or use another [state] path"
        ) from error
    return lock


def _make_durable(directory: Path) -> None:
    """Have the names that lead to a directory written, or a loss of power takes it with all that was synced in it.

    As far up as it is the directory's own disk and may be read; what lies above was not made here. That all of it is
    done again until there is a database is for who was killed between making and syncing.
    """
    whole = directory.resolve()
    device = whole.stat().st_dev
    for above in whole.parents:
        if above.stat().st_dev != device or not os.access(above, os.R_OK):
            return
        folder = os.open(above, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def connect(file: Path) -> sqlite3.Connection:
    """Open the file to write, every commit of which is durable."""
    connection = sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def inspect(file: Path) -> sqlite3.Connection:
    """Open the file to look at it: nothing is changed, its write-ahead log stays, and others may go on writing."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


def _prepare(directory: Path) -> None:
    """Create the tables in an empty file, or see that the file is whole, ours, and of a version that is understood."""
    file, mark = directory / FILE, read_mark(directory)
    # Event data is nobody else's to read; SQLite gives its side files the same mode.
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if file.stat().st_size:  # an empty file would make SQLite delete its log
        with closing(inspect(file)) as connection:
            check(file, connection, mark=mark)
    elif mark is not None:
        raise StateError(_emptied(file, mark))
    with closing(connect(file)) as connection:
        found = bring_forward(file, connection)
    if 0 < found < VERSION:
        _log.info("state_brought_forward", file=str(file), from_version=found, to_version=VERSION)


def check(file: Path, connection: sqlite3.Connection, *, mark: int | None) -> None:
    """Raise StateError when the file is foreign, of a version that is not read, or damaged."""
    version = stored_version(file, connection)
    if version == 0 and mark is not None:
        raise StateError(_emptied(file, mark))
    if version in TABLES:
        found = faults(connection, mark=mark, thorough=version != VERSION, version=version)
    else:
        found = pages(connection, thorough=True)
    for fault in found:
        raise StateError(refusal(file, fault))


def _emptied(file: Path, mark: int) -> str:
    return (
        f"{file}: the file is gone or empty, but {mark} transactions have been committed to it; restore a backup of"
        f" the directory, or delete {MARK} and {FILE}-wal to begin anew"
    )


@contextmanager
def state_errors(file: Path) -> Iterator[None]:
    """Turn what the disk and SQLite raise into StateError; a wrong statement stays what it is: a bug."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.InterfaceError):
        raise
    except sqlite3.Error as error:
        advice = _ADVICE.get(
            getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF,
            "see that its disk works and that it may be written",
        )
        words = " ".join(str(error).split())  # damaged text is quoted, with its line ends
        raise StateError(f"{file}: {words}; {advice}") from error
    except UnicodeDecodeError as error:
        raise StateError(refusal(file, "it holds text that is not UTF-8")) from error
    except OSError as error:
        raise StateError(f"{file}: {error.strerror}") from error
