"""The fixed grid over which scores are counted: fine everywhere, finer at 0 and 1, finest where the reference's lie."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.scoring import ECE_EDGES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EVEN = 1000
"""Bins of equal width: scores of three decimals have a bin each, and the calibration error's bins are whole bins."""
PER_DECADE, DECADES = 32, 5
"""Bins per power of ten from 0.1 to 1e-6 of the distance to 0, and as many to 1: rare events live there."""
PARTS, HIGH_PARTS, TOP_PARTS = 4, 16, 128
"""Pieces that a bin of the reference is cut into, one of the HIGH last ones, the last one: precision is made there."""
HIGH = 8


@dataclass(frozen=True, slots=True)
class ScoreBins:
    """Some bins of a grid, in the order of their scores: those that hold rows, where all others may be left out.

    edges: (bins,) right ends. widths: (bins,) how wide each bin is; 1 for the grid's first, which holds one value.
    middles: (bins,) a score inside each bin. tenths: (bins,) in which of the ten bins of the calibration error each
    lies: 0…9. slots: (bins + 1,) which of the grid's slots they are, the one of rows without a score at the end.
    """

    edges: Floats
    widths: Floats
    middles: Floats
    tenths: Ints
    slots: Ints

    @property
    def bins(self) -> int:
        """Number of bins."""
        return int(self.edges.size)


@dataclass(frozen=True)
class ScoreGrid:
    """Right edges (bins,) of score bins, increasing from 0 to 1; bin j holds edges[j-1] < score ≤ edges[j].

    The first bin holds nothing but 0, the last nothing but 1. Slot `bins` of a state is for rows without a score.
    """

    edges: Floats

    @classmethod
    def of(cls, reference: Floats | None = None) -> Self:
        """Make the grid; reference (any number,) are edges of the reference's score bins, if there is one."""
        return cls(_edges(None if reference is None else reference.astype(np.float64).tobytes()))

    @property
    def bins(self) -> int:
        """Number of bins."""
        return int(self.edges.size)

    @cached_property
    def middles(self) -> Floats:
        """(bins,) a score inside each bin, ascending."""
        return np.concatenate([self.edges[:1], (self.edges[1:] + self.edges[:-1]) / 2])

    @cached_property
    def widths(self) -> Floats:
        """(bins,) how wide each bin is; 1 for the first, which holds one value."""
        return np.diff(self.edges, prepend=-1.0)

    @cached_property
    def slots(self) -> Ints:
        """(bins + 1,) the grid's slots: all of them, as `ScoreBins` has some."""
        return np.arange(self.bins + 1)

    @cached_property
    def tenths(self) -> Ints:
        """(bins,) in which of the ten bins of the calibration error each lies: 0…9."""
        return np.searchsorted(ECE_EDGES, self.edges)

    def bins_of(self, scores: Floats) -> Ints:
        """In which slot is each score counted; NaN in the last."""
        return np.searchsorted(self.edges, scores)

    def filled(self, slots: Ints) -> tuple[ScoreBins, Ints]:
        """The bins that hold some of the rows, at least one, and which of these holds each: slots (rows,) → (rows,)."""
        held = np.zeros(self.bins + 1, dtype=np.bool_)
        held[slots] = True
        held[0] |= not held[:-1].any()
        held[-1] = True
        kept = np.flatnonzero(held)
        some = kept[:-1]
        bins = ScoreBins(self.edges[some], self.widths[some], self.middles[some], self.tenths[some], kept)
        return bins, (np.cumsum(held) - 1)[slots]


@lru_cache(maxsize=64)
def _edges(reference: bytes | None) -> Floats:
    tail = 10.0 ** (-1 - np.arange(PER_DECADE * DECADES + 1) / PER_DECADE)
    parts = [np.arange(EVEN + 1) / EVEN, tail, 1 - tail, np.array([np.nextafter(1.0, 0.0)])]
    if reference is not None:
        known = np.frombuffer(reference)
        known = np.unique(known[(known >= 0) & (known <= 1)])
        parts += [known, *_pieces(known, PARTS)]
        parts += [*_pieces(known[-HIGH - 1 :], HIGH_PARTS), *_pieces(known[-2:], TOP_PARTS)]
    edges: Floats = np.unique(np.concatenate(parts))
    edges.flags.writeable = False
    return edges


def _pieces(edges: Floats, parts: int) -> list[Floats]:
    """The ends of the pieces between edges."""
    return [edges[:-1] + np.diff(edges) * (part / parts) for part in range(parts)]
