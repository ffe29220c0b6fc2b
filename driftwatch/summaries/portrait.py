"""What a person wants to see of a reference: one line a column."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from driftwatch.summaries.layout import FINITE, INVALID_SLOT, MISSING_SLOT, Floats, Ints
from driftwatch.summaries.reference import Reference

BARS = 16
_BLOCKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Portrait:
    """A column in a few numbers.

    least, mean, greatest: of the finite values; None for a categorical column or when there are none.
    heights: a histogram, at most BARS bars; numbers over equal widths of their central 99 %, or one bar a value when
        they have few; categories from the most frequent on.
    categories: (text, count), the most frequent first; empty for a numeric column.
    """

    name: str
    kind: str
    missing: int
    invalid: int
    least: float | None
    mean: float | None
    greatest: float | None
    heights: tuple[float, ...]
    categories: tuple[tuple[str, int], ...]
    other: int
    dispersion: float | None

    @property
    def histogram(self) -> str:
        """The histogram as text, one character a bar; a bar that holds anything is never blank."""
        top = max(self.heights, default=0) or 1
        return "".join(_BLOCKS[int(np.ceil(height / top * (len(_BLOCKS) - 1)))] for height in self.heights)


def portraits(reference: Reference) -> list[Portrait]:
    """Describe every column, in the layout's order."""
    numeric = [_numeric(reference, column) for column in range(len(reference.layout.numeric))]
    return numeric + [_categorical(reference, column) for column in range(len(reference.layout.categorical))]


def _numeric(reference: Reference, place: int) -> Portrait:
    layout, state = reference.layout, reference.profile.numeric
    counts = state.counts[place]
    values = int(counts[:FINITE].sum())
    z = float(state.sums[place].sum() / values) if values else 0.0
    return Portrait(
        name=layout.numeric[place].name,
        kind=layout.numeric[place].kind.value,
        missing=int(counts[MISSING_SLOT]),
        invalid=int(counts[INVALID_SLOT]),
        least=float(state.minima[place]) if values else None,
        mean=float(layout.centre[place] + layout.scale[place] * z) if values else None,
        greatest=float(state.maxima[place]) if values else None,
        heights=_bars(counts[:FINITE], layout.edges[place]) if values else (),
        categories=(),
        other=0,
        dispersion=_finite(reference.dispersion[place]),
    )


def _categorical(reference: Reference, place: int) -> Portrait:
    layout = reference.layout
    column = layout.categorical[place]
    start, stop = list(pairwise(layout.offsets.tolist()))[place]
    counts = reference.profile.categories[start:stop].tolist()
    *known, other, missing, invalid = counts
    pairs = sorted(zip(column.vocabulary, known, strict=True), key=lambda pair: -pair[1])
    return Portrait(
        name=column.name,
        kind=column.kind.value,
        missing=missing,
        invalid=invalid,
        least=None,
        mean=None,
        greatest=None,
        heights=tuple(float(count) for _, count in pairs[:BARS]),
        categories=tuple(pairs),
        other=other,
        dispersion=_finite(reference.dispersion[len(layout.numeric) + place]),
    )


def _bars(counts: Ints, edges: Floats) -> tuple[float, ...]:
    """Spread the counts of bins of equal frequency over bars of equal width."""
    filled = np.flatnonzero(counts)
    if filled.size <= BARS:
        return tuple(float(count) for count in counts[filled])
    below = np.cumsum(counts)[:-1].astype(np.float64)
    marks, first = np.unique(edges, return_index=True)
    share = below[np.append(first[1:] - 1, edges.size - 1)] / counts.sum()
    low, high = np.interp([0.005, 0.995], share, marks)
    heights = np.diff(np.interp(np.linspace(low, high, BARS + 1), marks, share))
    return tuple(heights.tolist())


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
