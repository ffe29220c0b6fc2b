"""Has a column slowly left the reference: evidence over all windows so far, with a run length that is known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.kernels.reference_error import cautious, mean_bounds, share_bounds
from driftwatch.kernels.slow_change import BETS, Null, Scored, Watch, evidence, watch_on
from driftwatch.statistics.slow_scores import (
    NUMBER_DISPERSION,
    NUMBER_SCORES,
    NUMBER_SMOOTH,
    NUMBER_WEIGHTS,
    WORD_SCORES,
    NumberScores,
    WordScores,
)
from driftwatch.summaries.layout import Floats, Ints, Layout
from driftwatch.summaries.profile import Profile

TOLERANCE = 0.05
"""Of the share of rows that would have to move: the total variation that is no change worth telling."""
RISK = 1e-4
"""How likely, for each column, the truth is beyond the hard bound on the reference's error. Give a lesser one where the
whole budget of a column over a monitor's life is less."""


@dataclass(frozen=True, slots=True)
class SlowState:
    """What is kept of one version and segment between windows: 512 bytes a numeric column, 768 a categorical one."""

    numbers: Watch
    words: Watch

    @classmethod
    def empty(cls, layout: Layout) -> Self:
        """Before the first window."""
        numbers = Watch.empty(len(layout.numeric), NUMBER_SCORES)
        return cls(numbers, Watch.empty(len(layout.categorical), WORD_SCORES))

    def arrays(self) -> dict[str, Ints | Floats]:
        """The state as named arrays, for whoever stores it."""
        numbers = {f"numbers_{name}": getattr(self.numbers, name) for name in ("ratios", "learnt")}
        return numbers | {f"words_{name}": getattr(self.words, name) for name in ("ratios", "learnt")}

    @classmethod
    def from_arrays(cls, layout: Layout, arrays: Mapping[str, Ints | Floats]) -> Self:
        """The inverse of `arrays`; StateError when the arrays do not fit the layout."""
        expected = cls.empty(layout).arrays()
        found = {name: np.asarray(arrays[name], dtype=np.float64) for name in expected if name in arrays}
        if {name: array.shape for name, array in found.items()} != {name: a.shape for name, a in expected.items()}:
            raise StateError(f"stored evidence of slow change does not fit layout {layout.fingerprint}")
        numbers = Watch(found["numbers_ratios"], found["numbers_learnt"])
        return cls(numbers, Watch(found["words_ratios"], found["words_learnt"]))


@dataclass(frozen=True)
class Slow:
    """A reference made ready, once; it never changes.

    over: the over-dispersion of windows of that many rows, None where rows are known to be independent.
    """

    layout: Layout
    rows: int
    over: Callable[[int], Overdispersion] | None
    number_scores: NumberScores
    word_scores: WordScores
    numbers: Null
    words: Null

    @classmethod
    def of(
        cls, layout: Layout, reference: Profile, *, over: Callable[[int], Overdispersion] | None = None,
        tolerance: Floats | float = TOLERANCE, risk: float = RISK,
    ) -> Self:  # fmt: skip
        """Bound the reference's own error.

        over: given a number of rows, factors for all columns; of the reference's rows, those of its own error.
        tolerance: one number or (columns,), in [0, 1], total variation: a score in [0, 1] moves by at most that much.
        """
        if reference.fingerprint != layout.fingerprint:
            raise StateError(f"the reference was counted over layout {reference.fingerprint}, not {layout.fingerprint}")
        split, columns = len(layout.numeric), len(layout.names)
        number_scores, word_scores = NumberScores.of(reference), WordScores.of(layout, reference)
        number_factor, word_factor = _factors(layout, over, rows=reference.rows)
        allowed = np.clip(np.broadcast_to(np.asarray(tolerance, dtype=np.float64), (columns,)), 0, 1)[:, None]
        number_weights = np.tile(NUMBER_WEIGHTS, (split, 1))
        return cls(
            layout, reference.rows, over, number_scores, word_scores,
            numbers=_null(number_scores.scored(reference), number_factor, number_weights, allowed[:split], risk=risk),
            words=_null(word_scores.scored(reference), word_factor, word_scores.weights, allowed[split:], risk=risk),
        )  # fmt: skip

    def advance(self, state: SlowState, current: Profile) -> SlowState:
        """The state after one more window, of whatever number of rows; one without rows changes nothing.

        StateError when the profile was counted over another layout.
        """
        if current.fingerprint != self.layout.fingerprint:
            raise StateError(f"a window of layout {current.fingerprint} does not fit layout {self.layout.fingerprint}")
        if not current.rows or not self.rows:
            return state
        number_factor, word_factor = _factors(self.layout, self.over, rows=current.rows)
        numbers = watch_on(state.numbers, self.number_scores.scored(current), self.numbers, factor=number_factor)
        words = watch_on(state.words, self.word_scores.scored(current), self.words, factor=word_factor)
        return SlowState(numbers, words)

    def evidence(self, state: SlowState) -> Floats:
        """(columns,) in layout order: the mean number of windows until it first reaches A, when nothing changed beyond
        the tolerance, is at least A; between 0 and 1e12; NaN without a reference.
        """  # noqa: D205
        both = np.concatenate([evidence(state.numbers, self.numbers), evidence(state.words, self.words)])
        return both if self.rows else np.full_like(both, np.nan)

    def reset(self, state: SlowState, columns: NDArray[np.bool_]) -> SlowState:
        """Start the columns anew that are True in (columns,), layout order: evidence and what was learnt."""
        return self.holding(state, SlowState.empty(self.layout), columns)

    def holding(self, state: SlowState, other: SlowState, columns: NDArray[np.bool_]) -> SlowState:
        """A state whose columns that are True in (columns,), layout order, are those of another state."""
        split = len(self.layout.numeric)
        return SlowState(
            _holding(state.numbers, other.numbers, columns[:split]),
            _holding(state.words, other.words, columns[split:]),
        )


def _holding(watch: Watch, other: Watch, columns: NDArray[np.bool_]) -> Watch:
    there = columns[:, None]
    ratios = np.where(there, other.ratios, watch.ratios)
    return replace(watch, ratios=ratios, learnt=np.where(there, other.learnt, watch.learnt))


def _factors(
    layout: Layout, over: Callable[[int], Overdispersion] | None, *, rows: int
) -> tuple[Floats, Floats]:  # fmt: skip
    """(columns, scores) of numbers and of words: the over-dispersion of sums of scores over so many rows."""
    split, words = len(layout.numeric), len(layout.categorical)
    if over is None or not rows:
        return np.ones((split, NUMBER_SCORES)), np.ones((words, WORD_SCORES))
    given = over(rows)
    kinds = {name: cautious(getattr(given, name), given.freedom) for name in ("location", "scale", "cells")}
    numbers = np.stack([kinds[name][:split] for name in NUMBER_DISPERSION], axis=1)
    numbers[:, NUMBER_SMOOTH:] = np.maximum(numbers[:, NUMBER_SMOOTH:], kinds["cells"][:split, None])
    return numbers, np.repeat(kinds["cells"][split:, None], WORD_SCORES, axis=1)


def _null(reference: Scored, factor: Floats, weights: Floats, tolerance: Floats, *, risk: float) -> Null:
    rows = max(reference.rows, 1)
    mean, cut = reference.sums / rows, reference.powers.shape[2]
    effective = reference.rows / factor
    # The squares of h - 1/2, less the square of their mean.
    variance = mean * (1 - mean)
    variance[:, :cut] = np.maximum(reference.powers[1] / rows - (mean[:, :cut] - 0.5) ** 2, 1e-4)
    shared = np.maximum(risk * weights / 2, 1e-300)
    low, high = share_bounds(mean * effective, effective, shared)
    smooth = mean_bounds(mean[:, :cut], variance[:, :cut], effective[:, :cut], risk=shared[:, :cut])
    low[:, :cut], high[:, :cut] = smooth
    return Null(cut, mean, variance, effective, low, high, tolerance, weights)


__all__ = ["BETS", "RISK", "TOLERANCE", "Slow", "SlowState"]
