"""A small table in which every kind of value occurs, and how conditions come out on it."""

import numpy as np

from driftwatch.stream.conditions import Condition
from driftwatch.stream.schema import Column, Kind

NUMERIC = (
    Column("amount", Kind.NUMERIC), Column("age", Kind.NUMERIC), Column("hours-per-week", Kind.NUMERIC),
    Column("odd name", Kind.NUMERIC), Column("größe", Kind.NUMERIC), Column("and", Kind.NUMERIC),
)  # fmt: skip
CATEGORICAL = (
    Column("country", Kind.CATEGORICAL, ("DE", "FR", "it's", 'a "b"', "Österreich")),
    Column("zip", Kind.CATEGORICAL, ("10115", "20095", "2.5", "true")),
    Column("member", Kind.BOOLEAN, ("false", "true")),
    Column("tick`ed", Kind.CATEGORICAL, ("a\\b", "")),
)  # fmt: skip

_NONE, _BAD = np.nan, np.inf
NUMBERS = np.array([
    [500, 1000, 1500.5, _NONE, _BAD, -2, 0, 1e6],
    [18, 20, 60, 61, _NONE, 30, _BAD, 5],
    [40, 40, 20, 10, 0, _NONE, 45, 60],
    [1, 2, 3, 4, 5, 6, 7, _NONE],
    [1.5, 1.6, 1.7, 1.8, 1.9, 2, _NONE, _BAD],
    [0, 1, 0, 1, 0, 1, 0, 1],
])  # fmt: skip
CODES = np.array([
    [0, 1, 2, 3, 4, 5, 6, 7],  # 5: other, 6: missing, 7: invalid
    [0, 1, 2, 3, 4, 5, 6, 0],  # 4: other, 5: missing, 6: invalid
    [0, 1, 0, 1, 3, 4, 1, 0],  # 3: missing, 4: invalid
    [0, 1, 2, 3, 4, 0, 1, 0],  # 2: other, 3: missing, 4: invalid
], dtype=np.int32)  # fmt: skip


def outcome(text: str) -> str:
    """How a condition comes out on each row: T, F, or ? where it is unknown."""
    true, false = Condition.of(text, NUMERIC, CATEGORICAL).judge(NUMBERS, CODES)
    assert not (true & false).any()
    return "".join("T" if yes else "F" if no else "?" for yes, no in zip(true, false, strict=True))
