"""Has a column slowly left the reference: evidence over all windows so far, with a run length that is known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.kernels.moving_mean import Centre, Moving, bend_of, chances
from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.kernels.reference_error import cautious, mean_bounds, share_bounds
from driftwatch.kernels.slow_change import GREATEST, Null, Scored, Watch, centre, evidence, watch_on
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
_RECENT = 0.6
"""Share of the chances of the last few windows in what may be found falsely in numbers; the bets have the rest."""
_MOVING_WEIGHTS = np.array([[0.4, 0.4], [0.1, 0.1]])
"""(smooth scores, memories) of those chances: of location four times that of scale."""


@dataclass(frozen=True, slots=True)
class SlowState:
    """What is kept of one version and segment between windows: 520 bytes a numeric column, 576 a categorical one.

    recent: (numeric columns,) the inverse of the chance of the last few windows.
    """

    numbers: Watch
    words: Watch
    moving: Moving
    recent: Floats

    @classmethod
    def empty(cls, layout: Layout) -> Self:
        """Before the first window."""
        numbers = Watch.empty(len(layout.numeric), NUMBER_SCORES)
        moving = Moving.empty(len(layout.numeric), NUMBER_SMOOTH)
        return cls(numbers, Watch.empty(len(layout.categorical), WORD_SCORES), moving, np.zeros(len(layout.numeric)))

    def arrays(self) -> dict[str, Ints | Floats]:
        """The state as named arrays, for whoever stores it."""
        moving = {f"moving_{name}": getattr(self.moving, name) for name in ("sums", "rows", "squares", "errors")}
        return {
            "numbers_ratios": self.numbers.ratios,
            "numbers_learnt": self.numbers.learnt,
            "words_ratios": self.words.ratios,
            "words_learnt": self.words.learnt,
            "recent": self.recent,
            **moving,
        }

    @classmethod
    def from_arrays(cls, layout: Layout, arrays: Mapping[str, Ints | Floats]) -> Self:
        """The inverse of `arrays`; StateError when the arrays do not fit the layout."""
        expected = cls.empty(layout).arrays()
        found = {name: np.asarray(arrays[name], dtype=np.float64) for name in expected if name in arrays}
        if {name: array.shape for name, array in found.items()} != {name: a.shape for name, a in expected.items()}:
            raise StateError(f"stored evidence of slow change does not fit layout {layout.fingerprint}")
        return cls(
            Watch(found["numbers_ratios"], found["numbers_learnt"]),
            Watch(found["words_ratios"], found["words_learnt"]),
            Moving(*(found[f"moving_{name}"] for name in ("sums", "rows", "squares", "errors"))),
            found["recent"],
        )


class _Factors(NamedTuple):
    """Over-dispersion. numbers, words: (columns, scores) for bets. raw, freedom: of the smooth scores, as estimated."""

    numbers: Floats
    words: Floats
    raw: Floats
    freedom: Floats

    def or_longer(self, long: Self) -> "_Factors":
        """The greater ones: what accumulates is a sum over many windows, and dependence may go further."""
        return _Factors(
            np.maximum(self.numbers, long.numbers),
            np.maximum(self.words, long.words),
            np.maximum(self.raw, long.raw),
            np.minimum(self.freedom, long.freedom),
        )


@dataclass(frozen=True)
class Slow:
    """A reference made ready, once; it never changes.

    over: the over-dispersion of windows of that many rows, None where rows are known to be independent. long: that of
    as many rows as the reference has.
    """

    layout: Layout
    rows: int
    over: Callable[[int], Overdispersion] | None
    number_scores: NumberScores
    word_scores: WordScores
    numbers: Null
    words: Null
    centre: Centre
    long: _Factors

    @classmethod
    def of(
        cls, layout: Layout, reference: Profile, *, over: Callable[[int], Overdispersion] | None = None,
        tolerance: Floats | float = TOLERANCE, risk: float = RISK, learns: bool = True,
    ) -> Self:  # fmt: skip
        """Bound the reference's own error.

        over: given a number of rows, factors for all columns; of the reference's rows, those of its own error, and of
            sums over many windows.
        tolerance: one number or (columns,), in [0, 1], total variation: a score in [0, 1] moves by at most that much.
        learns: False where every window is compared with a reference of its own.
        """
        if reference.fingerprint != layout.fingerprint:
            raise StateError(f"the reference was counted over layout {reference.fingerprint}, not {layout.fingerprint}")
        split, columns = len(layout.numeric), len(layout.names)
        number_scores, word_scores = NumberScores.of(reference), WordScores.of(layout, reference)
        factors = _factors(layout, over, rows=reference.rows)
        allowed = np.clip(np.broadcast_to(np.asarray(tolerance, dtype=np.float64), (columns,)), 0, 1)[:, None]
        number_weights = np.tile(NUMBER_WEIGHTS, (split, 1))
        scored = number_scores.scored(reference)
        numbers = _null(scored, factors.numbers, number_weights, allowed[:split], risk=risk)
        words = _null(word_scores.scored(reference), factors.words, word_scores.weights, allowed[split:], risk=risk)
        return cls(
            layout, reference.rows, over, number_scores, word_scores,
            numbers=replace(numbers, learns=learns), words=replace(words, learns=learns),
            centre=_centre(scored, factors.raw), long=factors,
        )  # fmt: skip

    def advance(self, state: SlowState, current: Profile) -> SlowState:
        """The state after one more window, of whatever number of rows; one without rows changes nothing.

        StateError when the profile was counted over another layout.
        """
        if current.fingerprint != self.layout.fingerprint:
            raise StateError(f"a window of layout {current.fingerprint} does not fit layout {self.layout.fingerprint}")
        if not current.rows or not self.rows:
            return state
        factors = _factors(self.layout, self.over, rows=current.rows).or_longer(self.long)
        scored = self.number_scores.scored(current)
        numbers = watch_on(state.numbers, scored, self.numbers, factor=factors.numbers)
        words = watch_on(state.words, self.word_scores.scored(current), self.words, factor=factors.words)
        sums = scored.sums[:, :NUMBER_SMOOTH]
        moving = state.moving.add(sums, current.rows, centre=self.centre, factor=factors.raw)
        chance = chances(moving, self._learnt(state.numbers), self.numbers.tolerance, factors.freedom)
        recent = (_MOVING_WEIGHTS / np.maximum(chance, 1 / GREATEST)).max(axis=(1, 2))
        return SlowState(numbers, words, moving, recent)

    def evidence(self, state: SlowState) -> Floats:
        """(columns,) in layout order, between 0 and 1e12; NaN without a reference.

        The chance that it has reached A within T windows is at most T / A when nothing changed beyond the tolerance,
        and so a column that is reset when it has does so once in A windows at most.
        """
        numbers = np.maximum(evidence(state.numbers, self.numbers) * (1 - _RECENT), state.recent * _RECENT)
        both = np.concatenate([numbers, evidence(state.words, self.words)])
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
            state.moving.holding(other.moving, columns[:split]),
            np.where(columns[:split], other.recent, state.recent),
        )

    def _learnt(self, before: Watch) -> Centre:
        """Where the moving means are believed to be: what was learnt counts only where nothing at all is tolerated."""
        mean, rows = centre(self.numbers, before.learnt)
        learns = (self.numbers.tolerance == 0) & self.numbers.learns
        error = np.sqrt(self.centre.variance / np.maximum(rows[:, :NUMBER_SMOOTH], 1e-9))
        moved = mean[:, :NUMBER_SMOOTH] - self.centre.mean
        return replace(self.centre, mean=np.where(learns, moved, 0.0), error=np.where(learns, error, np.inf))


def _holding(watch: Watch, other: Watch, columns: NDArray[np.bool_]) -> Watch:
    there = columns[:, None]
    ratios = np.where(there, other.ratios, watch.ratios)
    return replace(watch, ratios=ratios, learnt=np.where(there, other.learnt, watch.learnt))


def _factors(layout: Layout, over: Callable[[int], Overdispersion] | None, *, rows: int) -> _Factors:
    """By how much the sums of scores over so many rows are over-dispersed."""
    split, words = len(layout.numeric), len(layout.categorical)
    if over is None or not rows:
        one = np.ones((split, NUMBER_SCORES))
        return _Factors(one, np.ones((words, WORD_SCORES)), one[:, :NUMBER_SMOOTH], np.full(split, np.inf))
    given = over(rows)
    location, scale, cells = cautious(np.stack([given.location, given.scale, given.cells]), given.freedom)
    kinds = {"location": location[:split], "scale": scale[:split], "cells": cells[:split]}
    numbers = np.stack([kinds[name] for name in NUMBER_DISPERSION], axis=1)
    numbers[:, NUMBER_SMOOTH:] = np.maximum(numbers[:, NUMBER_SMOOTH:], kinds["cells"][:, None])
    raw = np.maximum(np.stack([given.location[:split], given.scale[:split]], axis=1), 1.0)
    return _Factors(numbers, np.repeat(cells[split:, None], WORD_SCORES, axis=1), raw, given.freedom[:split])


def _centre(reference: Scored, factor: Floats) -> Centre:
    first, second, third, fourth = reference.powers / max(reference.rows, 1)
    variance = np.maximum(second - first**2, 1e-4)
    skew = third - 3 * first * second + 2 * first**3
    bend = bend_of(variance, skew, fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4)
    return Centre(first + 0.5, variance, np.sqrt(variance * factor / max(reference.rows, 1)), bend)


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
