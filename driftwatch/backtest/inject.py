"""Puts a known change into rows that have been decoded: one column from one moment on, and nothing else.

What happens to a row depends on its id, its time and its own value alone, so that rows may be cut anywhere. What the
model answered stays as it was, even where its score is the column: labels are joined with what it had said.
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
_HELD = 1_000
_OF_LABELS = frozenset({Task.BINARY, Task.MULTICLASS})
_EMPTY = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a column from its history; nothing is `held` where it does not vary.

    place: among the numeric or the categorical columns. centre, spread: mean and standard deviation of its numbers.
    held: some of its numbers or codes. grid: rising, the numbers that it keeps to; empty for any. low, high: what they
    may be. shares: (known categories,) of all rows. null: the code of no value.
    """

    name: str
    place: int
    numeric: bool
    centre: float = 0.0
    spread: float = 0.0
    held: Floats = field(default_factory=lambda: _EMPTY)
    grid: Floats = field(default_factory=lambda: _EMPTY)
    low: float = -np.inf
    high: float = np.inf
    shares: Floats = field(default_factory=lambda: _EMPTY)
    null: int = 0


LABELS = Facts("", 0, numeric=False)
"""Stands for the column where it is the labels that change."""


@dataclass(frozen=True, slots=True)
class Injection:
    """One change of one column, ready to be made.

    onset_ms: rows from here on are changed. step: by which numbers move. value: what a frozen column holds, a number or
    a code. source, target: categories between which rows move, `share` of the rows of the source.
    """

    shift: Shift
    facts: Facts
    onset_ms: int
    salt: int
    step: float = 0.0
    value: float = 0.0
    source: int = 0
    target: int = 0
    share: float = 0.0

    @property
    def column(self) -> str:
        """The name of the column, "" for the labels."""
        return self.facts.name

    def rows(self, batch: Batch) -> Batch:
        """The batch with the change in it."""
        if self.shift.kind is Kind.FLIP:
            return batch
        since = batch.times >= self.onset_ms
        chance = chances(batch.ids, self.salt)
        place = self.facts.place
        if self.facts.numeric:
            numeric = batch.numeric.copy()
            with np.errstate(over="ignore"):  # a number that becomes too large is invalid, as it would be in an event
                changed = self._numbers(numeric[place], chance)
            numeric[place] = np.where(since, changed, numeric[place])
            return replace(batch, numeric=numeric)
        categorical = batch.categorical.copy()
        before = categorical[place]
        categorical[place] = np.where(since, self._codes(before, chance), before)
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
                return self._fitted(values, self.facts.centre + self.shift.size * (values - self.facts.centre), chance)
            case Kind.UNIT:
                return values * self.shift.size
            case Kind.FROZEN:
                return np.full(values.size, self.value)
            case _:
                return np.where(chance < self.shift.size, MISSING, values)

    def _fitted(self, before: Floats, after: Floats, chance: Floats) -> Floats:
        """Numbers that the column can hold; between two of its grid by chance, so that the mean is as it should be."""
        finite = np.isfinite(before)
        after = np.clip(np.where(finite, after, 0.0), self.facts.low, self.facts.high)
        if self.facts.grid.size:
            upper = np.clip(np.searchsorted(self.facts.grid, after), 1, self.facts.grid.size - 1)
            low, high = self.facts.grid[upper - 1], self.facts.grid[upper]
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
                changed = np.where(chance < self.shift.size, self.facts.null, codes)
        return changed.astype(codes.dtype)


def facts_of(rows: Batch, schema: Schema) -> tuple[Facts, ...]:
    """What has to be known of every column, in the schema's order, numeric first."""
    numbers = [_number_facts(column, place, rows.numeric[place]) for place, column in enumerate(schema.numeric)]
    codes = [_code_facts(column, place, rows.categorical[place]) for place, column in enumerate(schema.categorical)]
    return (*numbers, *codes)


def prepared(shift: Shift, facts: Facts, *, onset_ms: int, generator: np.random.Generator) -> Injection | None:
    """The change for one column; None when the column cannot have it."""
    if not facts.held.size or not (shift.numeric if facts.numeric else shift.categorical):
        return None
    made = Injection(
        shift,
        facts,
        onset_ms,
        salt=int(generator.integers(1, 2**62)),
        step=shift.size * facts.spread,
        value=float(generator.choice(facts.held)),
    )
    if facts.numeric:
        # What lies in a known range has no unit.
        bounded = np.isfinite(facts.low) and np.isfinite(facts.high)
        return None if shift.kind is Kind.UNIT and bounded else made
    source = int(np.argmax(facts.shares))
    share = shift.size / float(facts.shares[source])
    if shift.kind is Kind.SHARE and share > 1:
        return None
    others = [code for code in range(facts.shares.size) if code != source]
    return replace(made, source=source, target=int(generator.choice(others)), share=share)


def flipped(shift: Shift, *, onset_ms: int, generator: np.random.Generator) -> Injection:
    """A change of labels."""
    return Injection(shift, LABELS, onset_ms, int(generator.integers(1, 2**62)))


def can_flip(form: OutputForm) -> bool:
    """Whether the labels are classes, of which there is another one."""
    return form.task in _OF_LABELS and (form.task is Task.BINARY or len(form.classes) >= _FEWEST)


def _number_facts(column: Column, place: int, values: Floats) -> Facts:
    finite = values[np.isfinite(values)]
    distinct = np.unique(finite)
    with np.errstate(over="ignore", invalid="ignore"):
        centre, spread = (float(finite.mean()), float(finite.std())) if finite.size else (0.0, 0.0)
    if distinct.size < _FEWEST or not np.isfinite(spread):
        return Facts(column.name, place, numeric=True)
    return Facts(
        column.name,
        place,
        numeric=True,
        centre=centre,
        spread=spread,
        held=_some(finite),
        grid=distinct if distinct.size <= GRID else _EMPTY,
        low=column.minimum,
        high=column.maximum,
    )


def _code_facts(column: Column, place: int, codes: Codes) -> Facts:
    known = len(column.vocabulary)
    held = codes[codes < known]
    counts = np.bincount(held, minlength=known)
    if np.count_nonzero(counts) < _FEWEST:
        return Facts(column.name, place, numeric=False)
    shares = counts / codes.size
    return Facts(column.name, place, numeric=False, held=_some(held.astype(np.float64)), shares=shares, null=known + 1)


def _some(values: Floats) -> Floats:
    return values[:: max(1, values.size // _HELD)]
