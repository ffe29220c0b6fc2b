"""What a checkpoint writes of memories with numbered rows: chunks that are appended, and dropped when they are dead."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from driftwatch.errors import StateError
from driftwatch.stream.outputs import Records

CHUNK = 4_096
"""Records to a chunk; only the last one is ever written again."""

Changes = dict[str, bytes | None]


class Blocks:
    """Rows that never change, in chunks of those whose numbers begin alike: row n stands in chunk n // CHUNK."""

    def __init__(self, name: str, form: "np.dtype[Any]") -> None:
        self.name, self.form = name, form
        self._stored: set[int] = set()
        self._end = self._end_then = 0
        self._written: set[int] = set()

    def changes(self, first: int, stop: int, read: Callable[[int, int], Records]) -> Changes:
        """Chunks to write now that the memory holds the rows [first, stop); `read` gives rows [from, to)."""
        whole = first // CHUNK
        gone: Changes = {f"{self.name}{number}": None for number in sorted(self._stored) if number < whole}
        begin = max(self._end // CHUNK, whole)
        numbers = range(begin, -(-stop // CHUNK)) if stop > max(self._end, first) else range(0)
        self._end_then = stop
        self._written = {number for number in self._stored if number >= whole} | set(numbers)
        for number in numbers:
            # Rows of its beginning that are forgotten go along: a chunk holds all its numbers.
            rows = read(number * CHUNK, min((number + 1) * CHUNK, stop))
            gone[f"{self.name}{number}"] = rows.tobytes()
        return gone

    def saved(self) -> None:
        """The changes have been written."""
        self._stored, self._end = self._written, self._end_then

    def resume(self, chunks: Mapping[str, bytes]) -> tuple[int, Records]:
        """Number of the first stored row, and all stored rows."""
        found = numbered(self.name, self.form, chunks)
        self._stored = set(found)
        if not found:
            return 0, np.zeros(0, dtype=self.form)
        numbers = sorted(found)
        whole = all(found[number].size == CHUNK for number in numbers[:-1])
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))) or not whole:
            raise StateError(f"remembered predictions: chunks {self.name}… do not follow each other")
        rows = np.concatenate([found[number] for number in numbers])
        self._end = numbers[0] * CHUNK + rows.size
        return numbers[0] * CHUNK, rows


class Journal:
    """Notes on numbered rows in the order they were made; the last note on a row holds.

    A chunk is dropped once all the rows it notes something of are forgotten or have got new, greater numbers.
    """

    def __init__(self, name: str, form: "np.dtype[Any]") -> None:
        self.name, self.form = name, form
        self._greatest: dict[int, int] = {}
        self._number = 0
        self._tail = np.zeros(0, dtype=form)
        self._then = (self._greatest, self._number, self._tail)

    def changes(self, notes: Records, first: int) -> Changes:
        """Chunks to write for these new notes, now that rows before `first` are forgotten."""
        dead = {number for number, greatest in self._greatest.items() if greatest < first}
        changes: Changes = {f"{self.name}{number}": None for number in sorted(dead)}
        greatest = {number: row for number, row in self._greatest.items() if number not in dead}
        number, tail = (self._number + 1, self._tail[:0]) if self._number in dead else (self._number, self._tail)
        if notes.size:
            tail = np.concatenate([tail, notes])
            for start in range(0, tail.size, CHUNK):
                chunk = tail[start : start + CHUNK]
                greatest[number + start // CHUNK] = int(chunk["row"].max())
                changes[f"{self.name}{number + start // CHUNK}"] = chunk.tobytes()
            whole = tail.size // CHUNK
            number, tail = number + whole, tail[whole * CHUNK :].copy()
        self._then = (greatest, number, tail)
        return changes

    def saved(self) -> None:
        """The changes have been written."""
        self._greatest, self._number, self._tail = self._then

    def resume(self, chunks: Mapping[str, bytes]) -> Records:
        """All notes that are stored, in order."""
        found = numbered(self.name, self.form, chunks)
        if not found:
            return np.zeros(0, dtype=self.form)
        if any((notes["row"] < 0).any() for notes in found.values()):
            raise StateError(f"remembered labels: chunks {self.name}… are of no rows")
        self._greatest = {number: int(notes["row"].max()) for number, notes in found.items()}
        self._number = max(found)
        if found[self._number].size < CHUNK:
            self._tail = found[self._number].copy()
        else:
            self._number += 1
        return np.concatenate([found[number] for number in sorted(found)])


def numbered(name: str, form: "np.dtype[Any]", chunks: Mapping[str, bytes]) -> dict[int, Records]:
    """The records of all chunks with this name, by number; StateError when they are none."""
    found = {}
    for key, data in chunks.items():
        if not key.startswith(name):
            continue
        number = key.removeprefix(name)
        if not (number.isascii() and number.isdigit()) or not data or len(data) % form.itemsize:
            raise StateError(f"remembered predictions: chunk {key} of {len(data)} bytes is none")
        found[int(number)] = np.frombuffer(data, dtype=form)
        if found[int(number)].size > CHUNK:
            raise StateError(f"remembered predictions: chunk {key} is too long")
    return found
