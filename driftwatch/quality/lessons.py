"""What the labels of past windows have taught of each version: the newest windows, each in a chunk of its own.

The newest ones rather than exponential forgetting: which windows are in it does not depend on the order in which they
became final, and a window's counts stay whole numbers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.summaries.codec import pack, unpack

MOST_WINDOWS = 48
"""Windows of a version that are learnt from, and a bound of memory."""

LEAST_LABELS = 100
"""Labels without which nothing is estimated."""

Arrays = Mapping[str, NDArray[Any]]
"""What one window taught: named arrays that add."""


class Lessons:
    """Version → end of a window → what it taught. most_versions: those that learnt last stay."""

    def __init__(self, *, most_versions: int = 64) -> None:
        self._taught: dict[str, dict[int, Arrays]] = {}
        self._most_versions = most_versions
        self._unsaved: dict[str, bytes | None] = {}

    def learn(self, version: str, end: int, arrays: Arrays) -> None:
        """Take one window's lesson; a window that is known already adds to it."""
        taught = self._taught.pop(version, {})
        self._taught[version] = taught  # the version that learnt last stands last
        known = taught.get(end)
        taught[end] = arrays if known is None else {name: known[name] + array for name, array in arrays.items()}
        self._unsaved[_name(version, end)] = pack({}, taught[end])
        for gone in sorted(taught)[:-MOST_WINDOWS]:
            self._forget(version, gone)
        while len(self._taught) > self._most_versions:
            oldest = next(iter(self._taught))
            for end_gone in list(self._taught[oldest]):
                self._forget(oldest, end_gone)
            del self._taught[oldest]

    def total(
        self, version: str, name: str, *, most_rows: float = np.inf, before: Sequence[NDArray[Any]] = ()
    ) -> NDArray[Any] | None:
        """The sum of one array over the newest windows, up to about so many counts; None without any.

        The newest window is always in it, and then as many as there is room for, all of a window or nothing.
        before: the same array of what is older than any window, the newest last: it fills what has not come yet.
        """
        newest = [lesson[name] for _, lesson in sorted(self._taught.get(version, {}).items(), reverse=True)]
        newest += reversed(before)
        if not newest:
            return None
        total, rows = newest[0], float(newest[0].sum())
        for array in newest[1:]:
            rows += float(array.sum())
            if rows > most_rows:
                break
            total = total + array
        return total

    def all(self, version: str) -> list[Arrays]:
        """What each window taught, the newest last."""
        return [lesson for _, lesson in sorted(self._taught.get(version, {}).items())]

    def changes(self) -> dict[str, bytes | None]:
        """Chunks by name, None for those that are gone; the same until `saved`."""
        return dict(self._unsaved)

    def saved(self) -> None:
        """The changes have been written."""
        self._unsaved = {}

    def resume(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from what was written; StateError when it cannot be read."""
        for name in sorted(chunks, key=_place):
            end, _, version = name.partition("/")
            _, arrays = unpack(chunks[name])
            if not end.lstrip("-").isdigit():
                raise StateError(f"a lesson of labels is called {name}")
            self._taught.setdefault(version, {})[int(end)] = arrays

    def _forget(self, version: str, end: int) -> None:
        del self._taught[version][end]
        self._unsaved[_name(version, end)] = None


def _name(version: str, end: int) -> str:
    return f"{end}/{version}"


def _place(name: str) -> tuple[int, str]:
    end, _, version = name.partition("/")
    return (int(end), version) if end.lstrip("-").isdigit() else (0, name)
