"""Puts a known change into rows that have been decoded: one column from one moment on, and nothing else.

What happens to a row depends on its id, its time and its own value alone, so that rows may be cut anywhere.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.backtest.chance import chances
from driftwatch.backtest.shifts import Kind, Shift
from driftwatch.stream.batch import MISSING, Batch, Codes, Floats, Labels
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.schema import Column, Schema, Task

GRID = 128
"""A column of at most so many different numbers keeps to them, as counts and codes do."""

_FEWEST = 2
_OF_LABELS = frozenset({Task.BINARY, Task.MULTICLASS})
_EMPTY = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Injection:
    """One change of one column, ready to be made; only `labels` of the target "" are changed by a flip of labels.

    place: of the column among the numeric or the categorical ones. onset_ms: rows from here on are changed.
    centre: the mean of the numbers. step: by which they move. value: what a frozen column holds, a number or a code.
    source, target: categories between which rows move, `share` of the rows of the source. null: the code of no value.
    grid: rising, the numbers that the column keeps to; empty for any. low, high: what its numbers may be.
    """

    shift: Shift
    column: str
    place: int
    onset_ms: int
    salt: int
    numeric: bool = True
    centre: float = 0.0
    step: float = 0.0
    value: float = 0.0
    source: int = 0
    target: int = 0
    share: float = 0.0
    null: int = 0
    grid: Floats = field(default_factory=lambda: _EMPTY)
    low: float = -np.inf
    high: float = np.inf

    def rows(self, batch: Batch) -> Batch:
        """The batch with the change in it."""
        if self.shift.kind is Kind.FLIP:
            return batch
        since = batch.times >= self.onset_ms
        chance = chances(batch.ids, self.salt)
        if self.numeric:
            numeric = batch.numeric.copy()
            numeric[self.place] = np.where(since, self._numbers(numeric[self.place], chance), numeric[self.place])
            return replace(batch, numeric=numeric)
        categorical = batch.categorical.copy()
        before = categorical[self.place]
        categorical[self.place] = np.where(since, self._codes(before, chance), before)
        return replace(batch, categorical=categorical)

    def labels(self, labels: Labels, *, since: NDArray[np.bool_], form: OutputForm) -> Labels:
        """The labels with the change in them; since: (labels,) whether the row of each came after the onset."""
        if self.shift.kind is not Kind.FLIP:
            return labels
        outcomes = labels.outcomes.copy()
        held: NDArray[Any] = outcomes["label"]
        classes = max(len(form.classes), _FEWEST)
        flipped = since & (chances(labels.ids, self.salt) < self.shift.size) & (held >= 0) & (held < classes)
        further = 1 + np.floor(chances(labels.ids, self.salt + 1) * (classes - 1)).astype(held.dtype)
        outcomes["label"] = np.where(flipped, (held + further) % classes, held)
        return replace(labels, outcomes=outcomes)

    def _numbers(self, values: Floats, chance: Floats) -> Floats:
        match self.shift.kind:
            case Kind.MEAN:
                return self._fitted(values, values + self.step, chance)
            case Kind.SCALE:
                return self._fitted(values, self.centre + self.shift.size * (values - self.centre), chance)
            case Kind.UNIT:
                return values * self.shift.size
            case Kind.FROZEN:
                return np.full(values.size, self.value)
            case _:
                return np.where(chance < self.shift.size, MISSING, values)

    def _fitted(self, before: Floats, after: Floats, chance: Floats) -> Floats:
        """Numbers that the column can hold; between two of its grid by chance, so that the mean is as it should be."""
        finite = np.isfinite(before)
        after = np.clip(np.where(finite, after, 0.0), self.low, self.high)
        if self.grid.size:
            upper = np.clip(np.searchsorted(self.grid, after), 1, self.grid.size - 1)
            low, high = self.grid[upper - 1], self.grid[upper]
            after = np.where(chance < (after - low) / (high - low), high, low)
        return np.where(finite, after, before)

    def _codes(self, codes: Codes, chance: Floats) -> Codes:
        match self.shift.kind:
            case Kind.SHARE:
                moved = (codes == self.source) & (chance < self.share)
                changed = np.where(moved, self.target, codes)
            case Kind.FROZEN:
                changed = np.full(codes.size, int(self.value))
            case _:
                changed = np.where(chance < self.shift.size, self.null, codes)
        return changed.astype(codes.dtype)


def prepared(
    shift: Shift, column: Column, rows: Batch, *, schema: Schema, onset_ms: int, generator: np.random.Generator
) -> Injection | None:
    """The change for one column of a history's rows; None when this column cannot have it."""
    salt = int(generator.integers(1, 2**62))
    if column in schema.numeric:
        place = schema.numeric.index(column)
        blank = Injection(shift, column.name, place, onset_ms, salt, low=column.minimum, high=column.maximum)
        return _of_numbers(blank, rows.numeric[place], generator) if shift.numeric else None
    place = schema.categorical.index(column)
    known = len(column.vocabulary)
    blank = Injection(shift, column.name, place, onset_ms, salt, numeric=False, null=known + 1)
    return _of_codes(blank, rows.categorical[place], known, generator=generator) if shift.categorical else None


def flipped(shift: Shift, *, onset_ms: int, generator: np.random.Generator) -> Injection:
    """A change of labels."""
    return Injection(shift, "", 0, onset_ms, int(generator.integers(1, 2**62)))


def can_flip(form: OutputForm) -> bool:
    """Whether the labels are classes, of which there is another one."""
    return form.task in _OF_LABELS and (form.task is Task.BINARY or len(form.classes) >= _FEWEST)


def _of_numbers(blank: Injection, values: Floats, generator: np.random.Generator) -> Injection | None:
    finite = values[np.isfinite(values)]
    distinct = np.unique(finite)
    if distinct.size < _FEWEST:
        return None
    shift, bounded = blank.shift, np.isfinite(blank.low) and np.isfinite(blank.high)
    if shift.kind is Kind.UNIT and bounded:  # what lies in a known range has no unit
        return None
    return replace(
        blank,
        centre=float(finite.mean()),
        step=shift.size * float(finite.std()),
        value=float(generator.choice(finite)),
        grid=distinct if distinct.size <= GRID else _EMPTY,
    )


def _of_codes(blank: Injection, codes: Codes, known: int, *, generator: np.random.Generator) -> Injection | None:
    counts = np.bincount(codes[codes < known], minlength=known)
    if np.count_nonzero(counts) < _FEWEST:
        return None
    source = int(np.argmax(counts))
    share = blank.shift.size * codes.size / int(counts[source])
    if blank.shift.kind is Kind.SHARE and share > 1:
        return None
    others = [code for code in range(known) if code != source]
    value = int(generator.choice(codes[codes < known]))
    return replace(blank, source=source, target=int(generator.choice(others)), share=share, value=float(value))
