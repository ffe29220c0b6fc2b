"""A state directory looked at from outside, while a service may be writing it: nothing is locked, nothing changed."""

import os
import shutil
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from driftwatch.errors import StateError
from driftwatch.ports.storage import Saved
from driftwatch.store.checkpoint import read_saved
from driftwatch.store.database import FILE, check, inspect, state_errors
from driftwatch.store.integrity import faults
from driftwatch.store.migration import stored_version
from driftwatch.store.seal import read_mark
from driftwatch.store.spool import FOLDER, held_files
from driftwatch.store.tables import VERSION


@dataclass(frozen=True, slots=True)
class Contents:
    """What a directory holds at one moment.

    alerts: alert id → state. steps: identity of each transition → alert id. letters: every webhook id.
    """

    saved: Saved
    alerts: Mapping[str, str]
    steps: Mapping[str, str]
    letters: tuple[str, ...]


def contents(directory: Path) -> Contents:
    """Read it all; StateError when there is none, when it is damaged, or of a version that is not read."""
    mark = read_mark(directory)
    with _looking(directory) as (file, connection):
        check(file, connection, mark=mark)
        _refuse_older(file, connection)
        saved, _ = read_saved(connection, file)
        return Contents(
            saved=saved,
            alerts=dict(connection.execute("SELECT alert_id, state FROM alerts")),
            steps=dict(connection.execute("SELECT identity, alert_id FROM transitions")),
            letters=tuple(name for (name,) in connection.execute("SELECT id FROM letters ORDER BY id")),
        )


def damage(directory: Path) -> list[str]:
    """Say everything that the file's own checks find wrong; StateError when it cannot be read at all."""
    mark = read_mark(directory)
    with _looking(directory) as (file, connection):
        _refuse_older(file, connection)
        return [*faults(connection, mark=mark, thorough=True), *_unreadable(connection)]


def copy(directory: Path, target: Path) -> None:
    """Write a consistent copy into a new directory, durable when this returns: one file, without side files.

    Beside it what models learn from, and the references that they have learnt, where there are any. StateError when the
    directory cannot be read or copied, or the target is not new; then nothing is left there.
    """
    # Whatever a checkpoint speaks of is durable before it: held before it is looked at, it is surely there.
    with held_files(directory / FOLDER) as copy_files, _looking(directory) as (_, source):
        try:
            target.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            raise StateError(f"{target}: exists already; name a directory that is to be made") from None
        except OSError as error:
            raise StateError(f"{target}: cannot be made: {error.strerror}") from None
        try:
            _copy_into(target, source)
            if (directory / FOLDER).is_dir():
                copy_files(target / FOLDER)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise


def _copy_into(target: Path, source: sqlite3.Connection) -> None:
    file = target / FILE
    with state_errors(file):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            source.backup(connection)
            connection.execute("PRAGMA journal_mode = DELETE")
        folder = os.open(target, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _looking(directory: Path) -> Iterator[tuple[Path, sqlite3.Connection]]:
    file = directory / FILE
    if not file.is_file():
        raise StateError(
            f"{file}: there is no such file; name the directory of a [state] table that a service has used"
        )
    with state_errors(file), closing(inspect(file)) as connection:
        connection.execute("BEGIN")
        yield file, connection


def _refuse_older(file: Path, connection: sqlite3.Connection) -> None:
    version = stored_version(file, connection)
    if version != VERSION:
        raise StateError(f"{file}: its schema version is {version}; start the service once to bring it to {VERSION}")


def _unreadable(connection: sqlite3.Connection) -> Iterator[str]:
    """Documents that listings could not show."""
    bad = 0
    for (document,) in connection.execute("SELECT document FROM reports"):
        try:
            msgspec.json.decode(zlib.decompress(document))
        except (zlib.error, msgspec.DecodeError, TypeError):
            bad += 1
    if bad:
        yield f"{bad} reports cannot be read"
