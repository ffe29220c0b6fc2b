"""Rows of one model and one partition in columns: what decode makes and everything after it reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.outputs import OutputForm, Records, blank, joined
from driftwatch.stream.schema import Task

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
Hashes = NDArray[np.uint64]

MISSING, INVALID = np.nan, np.inf
"""In a numeric column: no value was given; a value was given that is no finite number."""


_NO_KEYS: Hashes = np.zeros((0, 0), dtype=np.uint64)
_SILENT = blank(OutputForm(Task.NONE).outputs, 0)
"""Stands for outputs that were left out, until it is known of how many rows."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one model from one partition, in the order they came; checked once, by decode.

    times: (rows,) event time in ms since the epoch.
    ids: (rows,) 64-bit hash of the event's id, 0 where it has none.
    versions: (rows,) index into `version_names`.
    numeric: (numeric columns, rows) with `MISSING` and `INVALID`; columns in the schema's order.
    categorical: (categorical columns, rows) slot codes: 0…K-1 known, K other, K+1 missing, K+2 invalid.
    outputs: (rows,) records of `OutputForm.outputs`; left out, those of a model without a task, of no value.
    uniques: (unique columns, rows) 64-bit hashes of their values, 0 where there is none; (0, 0) where none is unique.
    """

    partition: str
    times: Ints
    ids: Hashes
    versions: Codes
    version_names: tuple[str, ...]
    numeric: Floats
    categorical: Codes
    outputs: Records = field(default_factory=lambda: _SILENT)
    uniques: Hashes = field(default_factory=lambda: _NO_KEYS)

    def __post_init__(self) -> None:
        if self.outputs is _SILENT:
            object.__setattr__(self, "outputs", blank(_SILENT.dtype, self.rows))

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
            self.numeric[:, rows], self.categorical[:, rows], self.outputs[rows], self._keys(rows),
        )  # fmt: skip

    def where(self, kept: NDArray[np.bool_]) -> Self:
        """The rows that are kept, (rows,)."""
        return type(self)(
            self.partition, self.times[kept], self.ids[kept], self.versions[kept], self.version_names,
            self.numeric[:, kept], self.categorical[:, kept], self.outputs[kept], self._keys(kept),
        )  # fmt: skip

    def _keys(self, rows: NDArray[np.bool_] | slice) -> Hashes:
        return self.uniques[:, rows] if self.uniques.size else self.uniques

    @classmethod
    def joined(cls, batches: Sequence[Self]) -> Self:
        """Batches of one partition, one after the other."""
        if len(batches) == 1:
            return batches[0]
        names, versions = _renamed(batches)
        return cls(
            partition=batches[0].partition,
            times=np.concatenate([batch.times for batch in batches]),
            ids=np.concatenate([batch.ids for batch in batches]),
            versions=versions,
            version_names=names,
            numeric=np.concatenate([batch.numeric for batch in batches], axis=1),
            categorical=np.concatenate([batch.categorical for batch in batches], axis=1),
            outputs=joined([batch.outputs for batch in batches]),
            uniques=np.concatenate([batch.uniques for batch in batches], axis=1),
        )


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of one model from one partition, in the order they came; each is of an event, whatever versions scored it.

    times: (rows,) when each became known, in ms since the epoch. ids: (rows,) as in `Batch`, never 0.
    outcomes: (rows,) records of `OutputForm.outcomes`; where a label is cancelled, nothing but its value.
    cancelled: (rows,) whether its producer says that no label will ever come.
    """

    partition: str
    times: Ints
    ids: Hashes
    outcomes: Records
    cancelled: NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """Number of labels."""
        return int(self.times.size)

    def taken(self, rows: NDArray[Any] | slice) -> Self:
        """The labels at these places, in this order, or where a mask holds."""
        return type(self)(self.partition, self.times[rows], self.ids[rows], self.outcomes[rows], self.cancelled[rows])

    @classmethod
    def joined(cls, labels: Sequence[Self]) -> Self:
        """Labels of one partition, one after the other."""
        if len(labels) == 1:
            return labels[0]
        return cls(
            labels[0].partition,
            np.concatenate([some.times for some in labels]),
            np.concatenate([some.ids for some in labels]),
            joined([some.outcomes for some in labels]),
            np.concatenate([some.cancelled for some in labels]),
        )


def _renamed(parts: Sequence[Batch]) -> tuple[tuple[str, ...], Codes]:
    """One list of names for all parts, in the order in which they are met, and all rows' versions in it."""
    names = tuple(dict.fromkeys(name for part in parts for name in part.version_names))
    place = {name: code for code, name in enumerate(names)}
    mapped = [np.array([place[name] for name in part.version_names], dtype=np.int32)[part.versions] for part in parts]
    return names, np.concatenate(mapped)
