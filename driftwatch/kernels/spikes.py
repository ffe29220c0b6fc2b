"""Where many rows stand at one value at the end of a column, and how far that is from all the others."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ATOM = 0.2
"""The least share of a slot's rows that must stand at its extreme to call them a spike."""
_MOST = 0.95
"""The share of the other rows whose range a spike's distance is compared with, counted from its side."""
_HALF_A_ROW = 0.5
_NEXT = 3
"""Slots beside a spike, with which its height is compared."""


@dataclass(frozen=True, slots=True)
class End:
    """The lowest slot of every column that holds anything; arrays (columns,), in units of z.

    at: how many rows stand at the least value, 0 where that is no spike. pure: these as a share of the slot's.
    following: the next value.
    """

    at: Floats
    pure: Floats
    following: Floats

    @classmethod
    @np.errstate(all="ignore")
    def of(cls, counts: Ints, sums: Floats, right: Floats, *, least: Floats, greatest: Floats) -> Self:
        """Look at the low end.

        counts, sums: (columns, slots) of values; right: (columns, slots) each slot's right edge, which values reach.

        A slot's mean lies between its least value and its right edge: the nearer to the former, the more rows must be
        there. Exact where all of them are; else at least so many (Markov's inequality).
        """
        rows = np.arange(len(counts))
        filled = counts > 0
        first = filled.argmax(axis=1)
        held = counts[rows, first].astype(np.float64)
        edge = np.minimum(right[rows, first], greatest)
        room = edge - least
        pure = np.where(room > 1e-12 * np.abs(least), (edge - sums[rows, first] / held) / room, 1.0)
        pure = np.where(pure > 1 - 1e-9, 1.0, pure)
        pure = np.where((held > 0) & (pure >= _ATOM), pure, 0.0)
        filled[rows, first] = False
        after = filled.argmax(axis=1)
        # What else the first slot holds lies anywhere in it, at its right edge at most.
        following = np.where(held * (1 - pure) > _HALF_A_ROW, edge, sums[rows, after] / counts[rows, after])
        return cls(held * pure, pure, following)


@dataclass(frozen=True, slots=True)
class Others:
    """All but the rows at the least value; arrays (columns,), in units of z.

    reach: from the next value to that below which 95 % of the others lie. slots: how many slots they fill. beside:
    share of the others in the emptiest of the next three of these.
    """

    reach: Floats
    slots: Ints
    beside: Floats

    @classmethod
    @np.errstate(all="ignore")
    def of(cls, counts: Ints, sums: Floats, end: End) -> Self:
        """Look at the rest of these columns; arguments as for `End`."""
        rows = np.arange(len(counts))
        first = (counts > 0).argmax(axis=1)
        left = counts[rows, first] * (1 - end.pure) > _HALF_A_ROW
        others = counts.copy()
        others[rows, first] = 0
        filled = others > 0
        total = np.cumsum(others, axis=1)
        last = (total >= _MOST * total[:, -1:]).argmax(axis=1)
        rank = np.cumsum(filled, axis=1)
        return cls(
            reach=np.where(total[:, -1] > 0, sums[rows, last] / counts[rows, last] - end.following, 0.0),
            slots=rank[:, -1] + left,
            beside=np.where(filled & (rank <= _NEXT), others / total[:, -1:], np.inf).min(axis=1, initial=np.inf),
        )
