"""Events that wait in a file beside the database, in the order they came: what a model learns its reference from.

The file only grows. How much of it counts stands in the checkpoint, with the positions that it goes with: what a crash
left behind that is cut off at the start, and comes again. An entry is its length and its CRC-32, 4 bytes each, little
endian, and MessagePack.
"""

import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from driftwatch.errors import StateError
from driftwatch.stream.raw import Raw, Stream

FOLDER, EVENTS, REFERENCE = "learning", ".events", ".reference"
"""Where files of learning stand in a state directory, and what their names end with: spools, and what came of them."""

BUFFER_BYTES = 1 << 20
"""So much is held before it goes to the file."""

_HEAD_BYTES = 8


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """Events of one partition, in order; times_ms: the event time of each."""

    stream: Stream
    source: str
    partition: str
    received_ms: int
    times_ms: list[int]
    events: list[bytes]

    def raw(self) -> Raw:
        """As the source handed them over."""
        records, times = tuple(self.events), tuple(self.times_ms)
        return Raw(self.stream, self.source, self.partition, records, self.received_ms, 0, times)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode


class Spool:
    """The file of one model, for one thread; others may `read_entries`."""

    def __init__(self, path: Path, length: int = 0) -> None:
        """Go on behind the first `length` bytes, or begin. StateError when the file is shorter, or cannot be used."""
        self.path = path
        self._held: list[bytes] = []
        self._held_bytes = 0
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = path.open("r+b" if length else "w+b", buffering=0)
            self._written = self._file.seek(0, os.SEEK_END)
            _make_durable(path.parent)
        except OSError as error:
            raise _unusable(path, error) from error
        if self._written < length:
            self._file.close()
            raise StateError(f"{path}: holds {self._written} bytes of {length}; restore it, or remove the state")
        self._written = self._file.seek(length)
        self._file.truncate()

    @property
    def length(self) -> int:
        """Bytes of all entries so far."""
        return self._written + self._held_bytes

    @property
    def held_bytes(self) -> int:
        """Bytes that are not in the file yet: many where it cannot be written."""
        return self._held_bytes

    def append(self, entry: Entry) -> None:
        """Take an entry; `sync` makes it durable."""
        data = _encode(entry)
        self._held += [len(data).to_bytes(4, "little"), zlib.crc32(data).to_bytes(4, "little"), data]
        self._held_bytes += _HEAD_BYTES + len(data)

    def flush(self) -> None:
        """Write all to the file; StateError when that fails, after which nothing is lost."""
        data = b"".join(self._held)
        try:
            _write(self._file, data, at=self._written)
        except OSError as error:
            raise _unusable(self.path, error) from error
        self._written += len(data)
        self._held, self._held_bytes = [], 0

    def sync(self) -> None:
        """Make all of it durable; StateError when that fails."""
        self.flush()
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unusable(self.path, error) from error

    def close(self, *, remove: bool = False) -> None:
        """Let go of the file, or do away with it."""
        self._file.close()
        if remove:
            self.path.unlink(missing_ok=True)


@contextmanager
def held_files(directory: Path) -> Iterator[Callable[[Path], None]]:
    """Hold the files of a directory of spools, as they are or go on to be, while the checkpoint is copied.

    Gives what copies them into another directory, with those that have come since: what the checkpoint speaks of is
    among them, whether it was copied before a model had learnt or after.
    """
    with ExitStack() as held:
        files = {path.name: held.enter_context(path.open("rb")) for path in directory.glob("[!.]*")}

        def copy(target: Path) -> None:
            target.mkdir(mode=0o700)
            for path in directory.glob(f"*{REFERENCE}"):
                files[path.name] = held.enter_context(path.open("rb"))
            for name, file in files.items():
                with (target / name).open("wb") as copied:
                    shutil.copyfileobj(file, copied)
                    copied.flush()
                    os.fsync(copied.fileno())
            _make_durable(target)

        yield copy


def read_entries(path: Path, start: int, stop: int) -> Iterator[Entry]:
    """The entries of a file between two places in bytes; StateError when they are not what was written."""
    for _, entry in placed_entries(path, start, stop):
        yield entry


def placed_entries(path: Path, start: int, stop: int) -> Iterator[tuple[int, Entry]]:
    """As `read_entries`, each with the place where it begins."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            while start < stop:
                entry, end = _one(file, start)
                yield start, entry
                start = end
    except OSError as error:
        raise _unusable(path, error) from error


def entries_at(path: Path, places: Iterable[int]) -> Iterator[Entry]:
    """The entries that begin at these places; StateError as above."""
    try:
        with path.open("rb") as file:
            for place in places:
                file.seek(place)
                yield _one(file, place)[0]
    except OSError as error:
        raise _unusable(path, error) from error


def _one(file: BinaryIO, place: int) -> tuple[Entry, int]:
    head = file.read(_HEAD_BYTES)
    data = file.read(int.from_bytes(head[:4], "little"))
    if len(head) < _HEAD_BYTES or zlib.crc32(data) != int.from_bytes(head[4:], "little"):
        raise StateError(f"{file.name}: the entry at byte {place} does not fit its checksum; remove the state")
    return _decode(data), place + _HEAD_BYTES + len(data)


def _write(file: BinaryIO, data: bytes, *, at: int) -> None:
    file.seek(at)  # a write that failed may have moved on
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _make_durable(folder: Path) -> None:
    for each in (folder, folder.parent):
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _unusable(path: Path, error: OSError) -> StateError:
    return StateError(f"{path}: events to learn from cannot be kept: {error.strerror}; make room on its disk")
