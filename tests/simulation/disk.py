"""The disk as SQLite meets it: any statement of a write may fail, or be the last thing that the process did."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.simulation.chance import Trace

_REAL_CONNECT = sqlite3.connect


class Died(BaseException):
    """The process was killed here."""


class Disk:
    """What the next statements will meet.

    outage: every write fails. fuse: the n-th statement or commit from now on is met by the armed fate.
    dead: the process is gone; nothing it might still try in its `finally` reaches the disk.
    on_commit: told of each write transaction that has become durable.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.outage = self.dead = False
        self.on_commit: Callable[[], None] = lambda: None
        self._fate, self._fuse, self._commits_only = "", 0, False

    def arm(self, fate: str, *, fuse: int, commits_only: bool) -> None:
        """Let the fuse-th statement of writes (or only commit) meet its fate: fail, die before or die after."""
        self._fate, self._fuse, self._commits_only = fate, fuse, commits_only

    def disarm(self) -> None:
        """Let everything be well."""
        self._fate, self.outage, self.dead = "", False, False

    def run(self, connection: "FaultyConnection", sql: str, call: Callable[[], Any]) -> Any:
        """Run one statement, or what is to happen instead."""
        if self.dead:
            raise Died
        word = "".join(sql.split(None, 1)[:1]).upper().rstrip(";")
        if word == "BEGIN":
            connection.writing = "IMMEDIATE" in sql.upper()
        if not connection.writing or word in {"ROLLBACK", "PRAGMA"}:
            return call()
        if self.outage:
            self._trace.faults["disk outage met"] += 1
            raise sqlite3.OperationalError("database or disk is full")
        fate = self._burn(word)
        if fate == "fail" or (fate == "fail after" and word != "COMMIT"):
            self._trace.fault("statement failed", word)
            raise sqlite3.OperationalError("disk I/O error")
        if fate == "die before":
            self._die("died before commit", word)
        result = call()
        if word == "COMMIT":
            connection.writing = False
            self.on_commit()
        if fate == "fail after":
            self._trace.fault("commit failed, but is durable")
            raise sqlite3.OperationalError("disk I/O error")
        if fate == "die after":
            self._die("died after commit" if word == "COMMIT" else "died before commit", word)
        return result

    def _burn(self, word: str) -> str:
        if not self._fate or (self._commits_only and word != "COMMIT"):
            return ""
        self._fuse -= 1
        if self._fuse > 0:
            return ""
        fate, self._fate = self._fate, ""
        return fate

    def _die(self, kind: str, word: str) -> None:
        self._trace.fault(kind, word)
        self.dead = True
        raise Died


class FaultyConnection(sqlite3.Connection):
    """A connection whose statements ask the disk first."""

    disk: Disk
    writing = False

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Run one statement."""
        if sql.startswith("PRAGMA synchronous"):
            sql = "PRAGMA synchronous = OFF"
        return self.disk.run(self, sql, lambda: super(FaultyConnection, self).execute(sql, *values))

    def executemany(self, sql: str, values: Any) -> sqlite3.Cursor:
        """Run one statement with many values."""
        return self.disk.run(self, sql, lambda: super(FaultyConnection, self).executemany(sql, values))

    def query(self, sql: str) -> Any:
        """Ask behind the disk's back."""
        return super().execute(sql).fetchone()[0]


@contextmanager
def mounted(disk: Disk) -> Iterator[None]:
    """Let SQLite meet this disk. Nothing waits for the platter: a process dies here, the machine does not."""

    def connect(file: Any, **options: Any) -> sqlite3.Connection:
        if file == ":memory:":
            return _REAL_CONNECT(file, **options)
        connection = _REAL_CONNECT(file, factory=FaultyConnection, **options)
        connection.disk = disk
        return connection

    sqlite3.connect = connect
    try:
        yield
    finally:
        sqlite3.connect = _REAL_CONNECT
