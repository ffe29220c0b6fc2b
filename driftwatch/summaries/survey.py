"""What a first pass over the reference finds out about each column, in bounded memory, so that a layout can be made."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.table import NULL, WRONG, Encoded
from driftwatch.summaries.layout import BINS, Floats, Ints

SAMPLE_ROWS = 1_000_000
SAMPLE_BYTES = 256_000_000
DISTINCT_TEXTS = 100_000
"""Beyond so many distinct texts of a column the rare ones are forgotten now and then, so their counts are bounds."""

_SLACK = 65_536
_PROBE = 1024


class NumericSurvey:
    """Sees all numeric columns and keeps a uniform sample of the rows, the few distinct values and the extremes.

    The sample is the rows with the least hash of their place in the table: it depends neither on how the table was
    cut nor on a seed drawn at run time, and it is all rows while there are at most `capacity`.
    """

    def __init__(self, columns: int, *, capacity: int = SAMPLE_ROWS) -> None:
        self.capacity = min(capacity, SAMPLE_BYTES // 8 // max(1, columns))
        self._room = self.capacity + min(_SLACK, self.capacity)
        # Memory that is never written is never taken: a short table costs what its rows need.
        self._sample = np.empty((columns, self._room))
        self._priority = np.empty(self._room, dtype=np.uint64)
        self._used = 0
        self._highest = np.uint64(np.iinfo(np.uint64).max)
        self._distinct: list[Floats | None] = [np.empty(0) for _ in range(columns)]
        self.minima = np.full(columns, np.inf)
        self.maxima = np.full(columns, -np.inf)

    def add(self, values: Floats, *, first_row: int) -> None:
        """See more rows; values: (columns, rows) with missing and invalid. first_row: their place in the table."""
        for column, line in enumerate(values):
            finite = line[np.isfinite(line)]
            if finite.size:
                self.minima[column] = min(self.minima[column], finite.min())
                self.maxima[column] = max(self.maxima[column], finite.max())
                self._distinct[column] = _extended(self._distinct[column], finite)
        priority = priorities(first_row, values.shape[1])
        low = np.flatnonzero(priority <= self._highest)
        while low.size:
            taken = low[: self._room - self._used]
            stop = self._used + taken.size
            self._sample[:, self._used : stop] = values[:, taken]
            self._priority[self._used : stop] = priority[taken]
            self._used = stop
            low = low[taken.size :]
            if self._used == self._room:
                self._prune()

    def sample(self, column: int) -> Floats:
        """The sampled finite values of a column, sorted."""
        if self._used > self.capacity:
            self._prune()
        line = self._sample[column, : self._used]
        return np.sort(line[np.isfinite(line)])

    def excerpt(self, rows: int) -> Floats:
        """(columns, at most rows) the sampled rows of the least hash, in no order, with missing and invalid."""
        kept = np.argsort(self._priority[: self._used])[:rows]
        return self._sample[:, : self._used][:, kept]

    def distinct(self, column: int) -> Floats | None:
        """All distinct finite values, sorted, or None when there are more than a layout has bins."""
        return self._distinct[column]

    def _prune(self) -> None:
        used = self._priority[: self._used]
        kept = np.argpartition(used, self.capacity - 1)[: self.capacity]
        for line in self._sample:
            line[: kept.size] = line[kept]
        self._priority[: kept.size] = used[kept]
        self._used = self.capacity
        self._highest = self._priority[: self._used].max()


class CategorySurvey:
    """Counts the texts of one categorical column."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, column: Encoded) -> None:
        """See more rows."""
        known = column.codes[(column.codes != NULL) & (column.codes != WRONG)]
        counts = np.bincount(known, minlength=len(column.categories))
        total = self._counts
        for text, count in zip(column.categories, counts.tolist(), strict=True):
            if count:
                total[text] = total.get(text, 0) + count
        if len(total) > DISTINCT_TEXTS:
            seen = np.fromiter(total.values(), np.int64, len(total))
            rare = np.partition(seen, -(DISTINCT_TEXTS // 2))[-(DISTINCT_TEXTS // 2)]
            self._counts = {text: count for text, count in total.items() if count > rare}

    def vocabulary(self, *, limit: int) -> tuple[str, ...]:
        """The most frequent texts, the most frequent first, equals by the alphabet."""
        return tuple(text for text, _ in self._ranked()[:limit])

    def _ranked(self) -> list[tuple[str, int]]:
        return sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))


def survey_categories(columns: Mapping[str, Encoded], surveys: Mapping[str, CategorySurvey]) -> None:
    """Show each survey its column."""
    for name, column in columns.items():
        surveys[name].add(column)


def _extended(distinct: Floats | None, values: Floats) -> Floats | None:
    """The union, or None beyond BINS values; most columns are given up after the first probe."""
    for part in (values[:_PROBE], values[_PROBE:]):
        if distinct is None:
            return None
        new = part[~np.isin(part, distinct)]
        if new.size:
            # -0.0 equals 0.0: adding 0.0 leaves one of them.
            distinct = np.union1d(distinct, new) + 0.0
        if distinct.size > BINS:
            return None
    return distinct


def priorities(first_row: int, rows: int) -> NDArray[np.uint64]:
    """A 64-bit hash of each row's place (the finaliser of SplitMix64); no two rows have the same."""
    word: NDArray[np.uint64] = (first_row + np.arange(1, rows + 1, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def order_statistics(ordered: Floats, ranks: int) -> Floats:
    """Values at the inner quantiles i / (ranks + 1) of sorted values: values of the sample, never between two."""
    places: Ints = np.ceil(np.arange(1, ranks + 1) * ordered.size / (ranks + 1)).astype(np.int64) - 1
    return ordered[np.maximum(places, 0)]
