"""The versions of a model that are told apart: a version is a payload value and must be bounded."""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Batch

OTHER_VERSION = "_other"
"""Versions beyond the first `most` are counted together."""
_NEVER_MS = int(np.iinfo(np.int64).max)


@dataclass(slots=True)
class Versions:
    """known: those told apart, in the order in which they came; at most `most`.

    first_ms: the time of each one's earliest row that was counted, in ms since the epoch. It outlives `known`, so that
    a version that rests for a night is no new one; at most `most`, beside `OTHER_VERSION`.
    """

    most: int = 64
    known: list[str] = field(default_factory=list)
    first_ms: dict[str, int] = field(default_factory=dict)

    def names(self, batch: Batch, counted: NDArray[np.bool_]) -> list[str]:
        """What each of a batch's versions is counted as; counted: (rows,) the rows that matter."""
        # In the order of the rows that are counted: where a batch is cut must not decide who comes first.
        codes, first = np.unique(batch.versions[counted], return_index=True)
        found = {int(code): self._name(batch.version_names[code]) for code in codes[np.argsort(first)]}
        self._date(batch, counted, found)
        return [found.get(code, OTHER_VERSION) for code in range(len(batch.version_names))]

    def keep(self, held: Collection[str]) -> None:
        """Let go of the others: a version that is long gone gives its place to one that comes."""
        self.known = [version for version in self.known if version in held]

    def _date(self, batch: Batch, counted: NDArray[np.bool_], names: dict[int, str]) -> None:
        """Note the earliest times: the least, for which the order of the rows does not matter."""
        earliest = np.full(len(batch.version_names), _NEVER_MS)
        np.minimum.at(earliest, batch.versions[counted], batch.times[counted])
        for code, name in names.items():
            self.first_ms[name] = min(int(earliest[code]), self.first_ms.get(name, _NEVER_MS))
        surplus = len(self.first_ms) - (OTHER_VERSION in self.first_ms) - self.most
        if surplus > 0:
            held = {*self.known, OTHER_VERSION}
            gone = sorted((at_ms, name) for name, at_ms in self.first_ms.items() if name not in held)
            for _, name in gone[:surplus]:
                del self.first_ms[name]

    def _name(self, name: str) -> str:
        if name in self.known:
            return name
        if len(self.known) >= self.most:
            return OTHER_VERSION
        self.known.append(name)
        return name
