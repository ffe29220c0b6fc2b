"""The versions of a model that are told apart: a version is a payload value and must be bounded."""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Batch

OTHER_VERSION = "_other"
"""Versions beyond the first `most` are counted together."""


@dataclass(slots=True)
class Versions:
    """known: those told apart, in the order in which they came; at most `most`."""

    most: int = 64
    known: list[str] = field(default_factory=list)

    def names(self, batch: Batch, counted: NDArray[np.bool_]) -> list[str]:
        """What each of a batch's versions is counted as; counted: (rows,) the rows that matter."""
        # In the order of the rows that are counted: where a batch is cut must not decide who comes first.
        codes, first = np.unique(batch.versions[counted], return_index=True)
        found = {int(code): self._name(batch.version_names[code]) for code in codes[np.argsort(first)]}
        return [found.get(code, OTHER_VERSION) for code in range(len(batch.version_names))]

    def keep(self, held: Collection[str]) -> None:
        """Let go of the others: a version that is long gone gives its place to one that comes."""
        self.known = [version for version in self.known if version in held]

    def _name(self, name: str) -> str:
        if name in self.known:
            return name
        if len(self.known) >= self.most:
            return OTHER_VERSION
        self.known.append(name)
        return name
