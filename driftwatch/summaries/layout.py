"""The fixed grid over which profiles are counted: made once, from the reference (design D1)."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.schema import Column

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 128
EDGES = BINS + 1
FINITE = BINS + 2
"""Slots of numbers: under, 128 bins, over."""
MISSING_SLOT, INVALID_SLOT = FINITE, FINITE + 1
SLOTS = FINITE + 2
"""All slots of a numeric column."""


@dataclass(frozen=True)
class Layout:
    """Bin edges and vocabularies of every column.

    numeric, categorical: the columns, in the order of every array; a boolean is categorical.
    edges: (numeric columns, EDGES), increasing, padded by repeating the last. Bins are closed on the right: slot 0
        ("under") holds x ≤ edges[0], slot j holds edges[j-1] < x ≤ edges[j], slot EDGES ("over") holds
        x > edges[-1]. The first edge lies just below the reference's least value, the last is its greatest;
        a column of at most 128 distinct values has one bin per value, whose upper edge is the value itself.
    centre, scale: (numeric columns,) a typical value and a positive spread of the reference. Sums are kept of
        z = (x - centre) / scale, so that squares neither overflow nor cancel.
    """

    numeric: tuple[Column, ...]
    categorical: tuple[Column, ...]
    edges: Floats
    centre: Floats
    scale: Floats

    @cached_property
    def offsets(self) -> Ints:
        """(categorical columns + 1,) where each column's slots begin in the flat count vector; K + 3 slots each."""
        return np.concatenate([[0], np.cumsum([len(column.vocabulary) + 3 for column in self.categorical])]).astype(
            np.int64
        )

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides where a value is counted; profiles of different layouts never mix."""
        digest = hashlib.sha256()
        for column in (*self.numeric, *self.categorical):
            digest.update(repr((column.name, column.kind.value, column.vocabulary)).encode())
        for array in (self.edges, self.centre, self.scale):
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        return digest.hexdigest()[:32]

    @property
    def names(self) -> tuple[str, ...]:
        """All column names, numeric first."""
        return tuple(column.name for column in (*self.numeric, *self.categorical))
