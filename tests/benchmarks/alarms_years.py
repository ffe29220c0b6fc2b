"""Prints how often a model of 50 columns is called changed over twenty years in which nothing changes.

`python -m tests.benchmarks.alarms_years [years]`, 20 unless told; the last run is in alarms_years.md. 30 numeric
columns and 20 categorical ones, ten of five categories and ten of fifty, hourly windows of 1 000 rows, budget
"1 per 30d". Each reference is watched for a quarter of the time. What is tested are ranks, so the numeric columns stand
for any continuous distributions: the layout's edges are order statistics of the reference's own rows. Correlated
columns take the same uniform rank in nine rows of ten, which makes the correlation of the ranks of any two columns 0.9,
references included.

An incident is a window in which at least one column begins to be breached.
"""

import sys
from dataclasses import dataclass

import numpy as np

from driftwatch.evaluation.budget import Budget, Share
from driftwatch.kernels import distances
from driftwatch.spec import Rate
from driftwatch.statistics.abrupt import Abrupt
from driftwatch.statistics.drift import Baseline
from driftwatch.statistics.pair import Pair, Side
from driftwatch.statistics.slow import Slow, SlowState
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.layout import BINS, EDGES, FINITE, SLOTS, Layout
from driftwatch.summaries.numeric import Numeric
from driftwatch.summaries.profile import Profile
from tests.benchmarks.alarms_columns import FIVE, ZIPF

NUMBERS = 30
WORDS = (*[FIVE] * 10, *[ZIPF] * 10)
MODELS, STACK = 4, 6
"""References that are watched side by side; windows that are tested at once."""
ROWS, MONTH = 1_000, 720
YEAR = 8_760
LIMITS = (0.05, 0.0)


@dataclass(frozen=True)
class Truth:
    """Where the columns of all models are cut, as uniform ranks.

    edges: (models · NUMBERS, EDGES). cuts: per model, those of all its columns in turn. words: (models, WORDS) counts
    of the reference.
    """

    edges: np.ndarray
    cuts: list[np.ndarray]
    words: list[list[np.ndarray]]
    counts: np.ndarray


def truth(rng: np.random.Generator, rows: int, shared: int) -> Truth:
    """References of so many rows, of which all columns of a model share some."""
    ranks = np.concatenate([[0], np.ceil(np.arange(1, BINS) * rows / BINS).astype(int), [rows]])
    counts = np.zeros(SLOTS, dtype=np.int64)
    counts[1 : BINS + 1] = np.diff(ranks)
    edges, cuts, words = [], [], []
    for _ in range(MODELS):
        common = rng.random(shared)
        own = [np.sort(np.concatenate([common, rng.random(rows - shared)])) for _ in range(NUMBERS + len(WORDS))]
        edges.append([np.concatenate([[values[0] * (1 - 1e-12)], values[ranks[1:] - 1]]) for values in own[:NUMBERS]])
        cut = [np.cumsum(shares)[:-1] for shares in WORDS]
        words.append([_counted(values, each) for values, each in zip(own[NUMBERS:], cut, strict=True)])
        cuts.append(np.concatenate([*edges[-1], *cut]))
    return Truth(np.array(edges).reshape(-1, EDGES), cuts, words, counts)


def _counted(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    return np.diff(np.searchsorted(values, cuts, side="right"), prepend=0, append=values.size)


class Stream:
    """Windows of all models, drawn as counts."""

    def __init__(self, rng: np.random.Generator, made: Truth, shared: int) -> None:
        self._rng, self._made, self._shared = rng, made, shared
        shares = np.diff(made.edges, axis=1, prepend=0.0, append=1.0)
        self._numbers = shares / shares.sum(axis=1, keepdims=True)
        ends = np.cumsum([EDGES] * NUMBERS + [shares.size - 1 for shares in WORDS])
        self._starts, self._ends = np.concatenate([[0], ends[:-1]]), ends

    def windows(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(count, models · NUMBERS, SLOTS) and (count, models · all categories' slots)."""
        alone = ROWS - self._shared
        numbers = np.zeros((count, MODELS * NUMBERS, SLOTS), dtype=np.int64)
        numbers[:, :, :FINITE] = self._rng.multinomial(alone, self._numbers, size=numbers.shape[:2])
        words = [
            np.pad(self._rng.multinomial(alone, shares, size=(count, MODELS)), ((0, 0), (0, 0), (0, 3)))
            for shares in WORDS
        ]
        if self._shared:
            for window in range(count):
                for model in range(MODELS):
                    self._share(model, numbers[window, model * NUMBERS :], [each[window, model] for each in words])
        return numbers, np.concatenate(words, axis=2).reshape(count, -1)

    def _share(self, model: int, numbers: np.ndarray, words: list[np.ndarray]) -> None:
        below = np.searchsorted(np.sort(self._rng.random(self._shared)), self._made.cuts[model], side="right")
        split = NUMBERS * EDGES
        numbers[:NUMBERS, :FINITE] += np.diff(
            below[:split].reshape(NUMBERS, EDGES), axis=1, prepend=0, append=self._shared
        )
        for place, counts in enumerate(words, start=NUMBERS):
            part = below[self._starts[place] : self._ends[place]]
            counts[:-3] += np.diff(part, prepend=0, append=self._shared)


def layout_of(times: int) -> Layout:
    """All models' columns so many times: where the edges are does not matter to counts."""
    numbers = tuple(Column(f"n{place}", Kind.NUMERIC) for place in range(times * MODELS * NUMBERS))
    words = tuple(
        Column(f"w{place}", Kind.CATEGORICAL, tuple(map(str, range(WORDS[place % len(WORDS)].size))))
        for place in range(times * MODELS * len(WORDS))
    )
    edges = np.tile(np.arange(EDGES, dtype=np.float64), (len(numbers), 1))
    return Layout(numbers, words, edges, np.zeros(len(numbers)), np.ones(len(numbers)))


class Profiles:
    """Makes profiles of one layout."""

    def __init__(self, times: int) -> None:
        self.layout = layout_of(times)
        self._empty = Profile.empty(self.layout).numeric

    def of(self, numbers: np.ndarray, words: np.ndarray, rows: int) -> Profile:
        """From counts of the columns in turn."""
        empty = self._empty
        numeric = Numeric(numbers.reshape(-1, SLOTS), empty.sums, empty.squares, empty.minima, empty.maxima)
        return Profile(self.layout.fingerprint, rows, 0, 0, numeric, words.reshape(-1))


def by_model(values: np.ndarray, times: int) -> np.ndarray:
    """(times, models, columns) of (all columns,) in layout order."""
    split = times * MODELS * NUMBERS
    return np.concatenate(
        [values[:split].reshape(times, MODELS, NUMBERS), values[split:].reshape(times, MODELS, len(WORDS))], axis=2
    )


def in_order(values: np.ndarray) -> np.ndarray:
    """(all columns,) in layout order of (models, columns)."""
    return np.concatenate([values[:, :NUMBERS].ravel(), values[:, NUMBERS:].ravel()])


@dataclass
class Tally:
    """Incidents, and what they rest on, by name of the rule."""

    incidents: int = 0
    firings: int = 0
    breached: np.ndarray | None = None

    def add(self, breach: np.ndarray) -> None:
        """One window of all models, (models, columns)."""
        begun = breach if self.breached is None else breach & ~self.breached
        self.incidents += int(begun.any(axis=1).sum())
        self.firings += int(begun.sum())
        self.breached = breach


class Run:
    """One pair of a reference's rows and a correlation."""

    def __init__(self, reference: int, correlation: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        shared = round(correlation * ROWS)
        made = truth(rng, reference, round(correlation * reference))
        self._stream = Stream(rng, made, shared)
        self._one, self._many = Profiles(1), Profiles(STACK)
        numbers = np.tile(made.counts, (MODELS * NUMBERS, 1))
        words = np.concatenate([np.pad(each, (0, 3)) for model in made.words for each in model])
        profile = self._one.of(numbers, words, reference)
        stacked = self._many.of(np.tile(numbers, (STACK, 1)), np.tile(words, STACK), reference)
        self._abrupt = Abrupt.of(self._many.layout, stacked)
        self._baseline = Baseline.of(self._many.layout, stacked, shown=False)
        self._slow = [Slow.of(self._one.layout, profile, tolerance=limit) for limit in LIMITS]
        self._states = [SlowState.empty(self._one.layout) for _ in LIMITS]
        budget = Budget.of(
            Rate(1.0, per_ms=30 * 86_400_000), slide_ms=3_600_000, importance=[1.0] * (NUMBERS + len(WORDS))
        )
        self._share: Share = budget.share(segments=0, versions=1, of_segment=False)
        self.tallies = {
            name: Tally()
            for name in (*(f"min_effect {limit}" for limit in LIMITS), "evidence alone", "abrupt alone", "slow alone")
        }

    def windows(self) -> None:
        """STACK windows more of every model."""
        numbers, words = self._stream.windows(STACK)
        profile = self._many.of(numbers, words, ROWS)
        beyond = by_model(self._abrupt.p_values(profile), STACK) <= self._share.abrupt
        bounds = self._bounds(profile) if beyond.any() else None
        for turn in range(STACK):
            one = self._one.of(numbers[turn], words[turn], ROWS)
            found = []
            for place, (slow, limit) in enumerate(zip(self._slow, LIMITS, strict=True)):
                state = slow.advance(self._states[place], one)
                late = by_model(slow.evidence(state), 1)[0] >= 1 / self._share.slow
                if late.any():
                    bounds = self._bounds(profile) if bounds is None else bounds
                    late &= ~(bounds[1][turn] < limit)
                    state = slow.reset(state, in_order(late))
                self._states[place] = state
                found.append(late)
                surely = np.zeros(late.shape, dtype=bool) if bounds is None else bounds[0][turn] > limit
                self.tallies[f"min_effect {limit}"].add(beyond[turn] & surely | late)
            self.tallies["evidence alone"].add(beyond[turn] | found[-1])
            self.tallies["abrupt alone"].add(beyond[turn])
            self.tallies["slow alone"].add(found[-1])

    def _bounds(self, profile: Profile) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds of the total variation distance, (STACK, models, columns) each."""
        grid = self._baseline.reference.grid
        found = distances.tv(Pair(self._baseline.reference, Side(grid, profile)).cells)
        return by_model(found.lower, STACK), by_model(found.upper, STACK)


def line(reference: int, correlation: float, years: float, seed: int) -> str:
    """One row of the table."""
    run = Run(reference, correlation, seed)
    steps = round(years * YEAR / (MODELS * STACK))
    for _ in range(steps):
        run.windows()
    windows = steps * STACK * MODELS
    cells = [
        f"{tally.incidents / windows * MONTH:.3f} ({tally.incidents}, {tally.firings})"
        for tally in run.tallies.values()
    ]
    return f"| {reference:,} | {correlation} | {windows:,} | " + " | ".join(cells) + " |"


def main(years: float = 20.0) -> None:
    """Print the table."""
    print("False incidents per 30 days; in brackets, incidents and (column, window) cells that begin to be breached.\n")
    names = "min_effect 0.05 | min_effect 0 | evidence alone | abrupt alone | slow alone, nothing tolerated"
    print(f"| reference | correlation | windows | {names} |")
    print("|---:|---:|---:|" + "---:|" * 5)
    for reference, correlation, part in ((10_000, 0.0, 1.0), (10_000, 0.9, 1.0), (1_000, 0.0, 0.5), (1_000, 0.9, 0.5)):
        print(line(reference, correlation, years * part, reference + round(10 * correlation)), flush=True)


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
