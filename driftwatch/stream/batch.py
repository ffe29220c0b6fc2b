"""Rows of one model and one partition in columns: what decode makes and everything after it reads."""

from dataclasses import dataclass

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
