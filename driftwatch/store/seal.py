"""What tells a state that was damaged from one that was saved: checksums of rows, a seal of all of them, and a mark.

* A row's checksum finds any change of up to 32 bits in a row.
* The seal finds rows that are gone, doubled, or of another moment: the sum of a hash of every row of the checkpoint,
  so that a checkpoint which changes ten panes hashes ten panes (an incremental multiset hash: Clarke et al. 2003).
* The mark finds committed transactions that are gone. SQLite takes what follows a damaged frame of its write-ahead log
  for a write that was never finished, and goes on without it. So `driftwatch.mark` remembers how many transactions
  have been committed; it is written without fsync after each of them, and so is never ahead of what is durable.
"""

import hashlib
import os
import struct
import threading
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

MARK: Final = "driftwatch.mark"

_MODULUS = 1 << 128
_MARK = struct.Struct("<8sQI")
_MAGIC = b"DRIFTWMK"

Row = tuple[str, str, str]
"""Table, model and key of a row under the seal; what a table does not have is ""."""


def row_crc(*values: str | bytes | float | None) -> int:
    """Give the CRC-32 of a row's values, told apart by their lengths."""
    crc = 0
    for value in values:
        data = value if isinstance(value, bytes) else repr(value).encode()
        crc = zlib.crc32(data, zlib.crc32(len(data).to_bytes(8, "little"), crc))
    return crc


class Seal:
    """The running sum over rows, each with its checksum (or a position, its value)."""

    def __init__(self, rows: Mapping[Row, int] | None = None) -> None:
        self._rows: dict[Row, int] = {}
        self._sum = 0
        self.update((rows or {}).items())

    def update(self, rows: Iterable[tuple[Row, int | None]]) -> None:
        """Take rows as they now are; None for one that is gone."""
        for row, value in rows:
            known = self._rows.pop(row, None)
            if known is not None:
                self._sum -= _hash(row, known)
            if value is not None:
                self._rows[row] = value
                self._sum += _hash(row, value)
        self._sum %= _MODULUS

    def copy(self) -> "Seal":
        """Give one to go on with while this stays as it is."""
        twin = Seal()
        twin._rows, twin._sum = dict(self._rows), self._sum
        return twin

    @property
    def digest(self) -> bytes:
        """What the ledger keeps, 16 bytes."""
        return self._sum.to_bytes(16, "little")


class Mark:
    """How many transactions have been committed, in a file beside the database."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / MARK
        self._turn = threading.Lock()
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        known = read_mark(directory)
        if known is None:  # whatever stands there, the next commit begins it anew
            os.ftruncate(self._file, 0)
        self.committed = known or 0

    def raise_to(self, commits: int) -> None:
        """Remember it; a disk that refuses costs only what the mark would have found."""
        with self._turn:
            if commits > self.committed and self._file >= 0:
                self.committed = commits
                head = _MARK.pack(_MAGIC, commits, 0)[:-4]
                try:
                    os.pwrite(self._file, head + zlib.crc32(head).to_bytes(4, "little"), 0)
                except OSError:
                    self.committed = 0  # the next one tries again

    def close(self) -> None:
        """Release the file; a second time does nothing."""
        with self._turn:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1


def read_mark(directory: Path) -> int | None:
    """Give the commits that the mark remembers; None when there is none that can be trusted, which is no damage."""
    try:
        data = (directory / MARK).read_bytes()
    except OSError:
        return None
    if len(data) != _MARK.size:
        return None
    magic, commits, crc = _MARK.unpack(data)
    return int(commits) if magic == _MAGIC and crc == zlib.crc32(data[:-4]) else None


def _hash(row: Row, value: int) -> int:
    return int.from_bytes(hashlib.blake2b(repr((*row, value)).encode(), digest_size=16).digest(), "little")
