"""What is looked at, of a column, for a slow change: a few scores in [0, 1] of each row, summed over a window."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from driftwatch.kernels.slow_change import POWERS, Scored
from driftwatch.summaries.layout import FINITE, INVALID_SLOT, MISSING_SLOT, Floats, Ints, Layout
from driftwatch.summaries.profile import Profile

LEVELS = 32
"""Steps of the rank u among the reference's values."""
_AT_ONCE = 125
"""Columns whose rows are summed at a time: sums over all would take fresh memory, which costs more than they do."""
_RANK = (np.arange(LEVELS) + 0.5) / LEVELS
_NORMAL = 0.5 + special.ndtri(_RANK) / (2 * special.ndtri(_RANK[-1]))
_DISTANCE = np.abs(2 * _RANK - 1)
_POWERS = np.concatenate(
    [[(_NORMAL - 0.5) ** power, (_DISTANCE - 0.5) ** power] for power in range(1, POWERS + 1)], axis=0
).T
"""(LEVELS, 2 · POWERS): of normal scores, which see location, and of distances from the median, which see scale."""
_SHAPES = np.stack(
    [
        _RANK > 0.5,  # of all scores this one moves most, at a given total variation, when a location moves
        _RANK > 0.9375,
        _RANK < 0.0625,
        np.abs(_DISTANCE - 0.5) < 0.25,  # the shoulders: with two modes there is more there
    ],
    axis=1,
).astype(np.float64)

NUMBER_SMOOTH = 2
NUMBER_DISPERSION = ("location", "scale", "location", "scale", "scale", "scale", "cells", "cells")
"""Which over-dispersion each score of numbers has at least; that of cells at least for all but the smooth ones."""
NUMBER_WEIGHTS = np.array([24, 6, 4, 3, 3, 3, 3, 2]) / 48
"""Normal score, distance, above the median, upper end, lower end, shoulders, missing, invalid."""
NUMBER_SCORES = NUMBER_WEIGHTS.size

TOP = 8
"""Categories that are looked at one by one; the others of the vocabulary are looked at together."""
WORD_SCORES = TOP + 4
"""The top ones, the others of the vocabulary, then other, missing and invalid."""


def score_levels(levels: Floats, absent: Ints, *, rows: int) -> Scored:
    """Sum the scores of numbers over `rows` rows.

    levels: (columns, LEVELS) rows at each level of rank. absent: (columns, 2) rows missing and invalid.
    """
    powers = (levels @ _POWERS).reshape(-1, POWERS, NUMBER_SMOOTH).transpose(1, 0, 2)
    return Scored(rows, np.ascontiguousarray(powers), np.hstack([levels @ _SHAPES, absent]))


@dataclass(frozen=True, slots=True)
class NumberScores:
    """Scores of numeric columns. borders: (columns, LEVELS + 1) the first slot of each level, then the end."""

    borders: Ints

    @classmethod
    def of(cls, reference: Profile) -> Self:
        """Rank the slots by the middle of their reference rows; empty ones by those before them."""
        counts = reference.numeric.counts[:, :FINITE]
        total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
        rank = (np.cumsum(counts, axis=1) - counts / 2) / total
        level = np.minimum(rank * LEVELS, LEVELS - 1).astype(np.int64)
        below = [(level < step).sum(axis=1) for step in range(LEVELS + 1)]
        return cls(np.stack(below, axis=1).astype(np.int64).reshape(-1, LEVELS + 1))

    def scored(self, current: Profile) -> Scored:
        """Sums of the scores of a window's rows; rows without a value have 1/2 as both smooth ones."""
        counts = current.numeric.counts
        levels, running = np.empty((len(counts), LEVELS)), np.zeros((_AT_ONCE, FINITE + 1), dtype=np.int64)
        for start in range(0, len(counts), _AT_ONCE):
            borders = self.borders[start : start + _AT_ONCE]
            some = running[: len(borders)]
            np.cumsum(counts[start : start + _AT_ONCE, :FINITE], axis=1, out=some[:, 1:])
            at = some.ravel().take(borders + np.arange(0, some.size, FINITE + 1)[:, None])
            np.subtract(at[:, 1:], at[:, :-1], out=levels[start : start + _AT_ONCE], casting="unsafe")
        return score_levels(levels, counts[:, [MISSING_SLOT, INVALID_SLOT]], rows=current.rows)


@dataclass(frozen=True, slots=True)
class WordScores:
    """Scores of categorical columns. places: (slots,) the score of each flat slot, column · WORD_SCORES + score.

    used: (columns, WORD_SCORES) where a score has a slot.
    """

    places: Ints
    used: NDArray[np.bool_]

    @classmethod
    def of(cls, layout: Layout, reference: Profile) -> Self:
        """Take the most frequent categories of the reference; of equal ones the first."""
        places = np.empty(int(layout.offsets[-1]), dtype=np.int64)
        for column, start in enumerate(layout.offsets[:-1].tolist()):
            stop = int(layout.offsets[column + 1])
            score = np.full(stop - start, TOP, dtype=np.int64)
            words = stop - start - 3
            order = np.argsort(-reference.categories[start : start + words], kind="stable")[:TOP]
            score[order] = np.arange(order.size)
            score[words:] = [TOP + 1, TOP + 2, TOP + 3]
            places[start:stop] = score + column * WORD_SCORES
        columns = len(layout.categorical)
        used = np.bincount(places, minlength=columns * WORD_SCORES).reshape(columns, WORD_SCORES) > 0
        return cls(places, used)

    def scored(self, current: Profile) -> Scored:
        """Counts of the groups of categories."""
        columns = len(self.used)
        hits = np.bincount(self.places, weights=current.categories, minlength=columns * WORD_SCORES)
        groups = hits.astype(np.float64).reshape(columns, WORD_SCORES)
        return Scored(current.rows, np.zeros((POWERS, columns, 0)), groups)

    @property
    def weights(self) -> Floats:
        """(columns, WORD_SCORES) equal ones for the scores that are used."""
        equal: Floats = self.used / np.maximum(self.used.sum(axis=1, keepdims=True), 1)
        return equal
