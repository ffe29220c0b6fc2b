"""Rows of one model and one partition in columns: what decode makes and everything after it reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
Hashes = NDArray[np.uint64]

MISSING, INVALID = np.nan, np.inf
"""In a numeric column: no value was given; a value was given that is no finite number."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one model from one partition, in the order they came; checked once, by decode.

    times: (rows,) event time in ms since the epoch.
    ids: (rows,) 64-bit hash of the event's id, 0 where it has none.
    versions: (rows,) index into `version_names`.
    numeric: (numeric columns, rows) with `MISSING` and `INVALID`; columns in the schema's order.
    categorical: (categorical columns, rows) slot codes: 0…K-1 known, K other, K+1 missing, K+2 invalid.
    """

    partition: str
    times: Ints
    ids: Hashes
    versions: Codes
    version_names: tuple[str, ...]
    numeric: Floats
    categorical: Codes

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.times.size)

    def between(self, start: int, stop: int) -> Self:
        """The rows [start, stop), without copying."""
        if start == 0 and stop == self.rows:
            return self
        rows = slice(start, stop)
        return type(self)(
            self.partition, self.times[rows], self.ids[rows], self.versions[rows], self.version_names,
            self.numeric[:, rows], self.categorical[:, rows],
        )  # fmt: skip

    def where(self, kept: NDArray[np.bool_]) -> Self:
        """The rows that are kept, (rows,)."""
        return type(self)(
            self.partition, self.times[kept], self.ids[kept], self.versions[kept], self.version_names,
            self.numeric[:, kept], self.categorical[:, kept],
        )  # fmt: skip

    @classmethod
    def joined(cls, batches: Sequence[Self]) -> Self:
        """Batches of one partition, one after the other."""
        if len(batches) == 1:
            return batches[0]
        names = tuple(dict.fromkeys(name for batch in batches for name in batch.version_names))
        versions = [
            np.array([names.index(name) for name in batch.version_names], dtype=np.int32)[batch.versions]
            for batch in batches
        ]
        return cls(
            partition=batches[0].partition,
            times=np.concatenate([batch.times for batch in batches]),
            ids=np.concatenate([batch.ids for batch in batches]),
            versions=np.concatenate(versions),
            version_names=names,
            numeric=np.concatenate([batch.numeric for batch in batches], axis=1),
            categorical=np.concatenate([batch.categorical for batch in batches], axis=1),
        )


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of one model from one partition.

    outcomes: (rows,) the number of a regression label, or the slot code of a class in the prediction's vocabulary.
    """

    partition: str
    times: Ints
    ids: Hashes
    outcomes: Floats

    @property
    def rows(self) -> int:
        """Number of labels."""
        return int(self.times.size)

    @classmethod
    def joined(cls, labels: Sequence[Self]) -> Self:
        """Labels of one partition, one after the other."""
        return cls(
            labels[0].partition,
            np.concatenate([some.times for some in labels]),
            np.concatenate([some.ids for some in labels]),
            np.concatenate([some.outcomes for some in labels]),
        )
