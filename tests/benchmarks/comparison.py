"""Prints how often two versions that are alike are told apart, and how many rows it takes where they are not.

`python -m tests.benchmarks.comparison [pairs] [windows]`. Scores stand on 20 levels, so that a window of any size is
one draw of counts; states, weights, intervals and bounds are those of the service.
"""

import functools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from driftwatch.kernels import score_bounds
from driftwatch.kernels.confidence_sequence import ALPHA, difference, harmonic
from driftwatch.kernels.interval import Interval, Z
from driftwatch.kernels.score_bounds import share_interval
from driftwatch.statistics import separation
from driftwatch.statistics.binary import binary_metrics
from driftwatch.statistics.comparison import LEAST_EVENTS, LEAST_ROWS, OF_EVENTS, shared
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.schema import Task
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.scores import ScoreGrid
from tests.benchmarks.intervals_classification import answers_of

FORM = OutputForm(Task.BINARY, ("no", "yes"))
METRICS = (
    "accuracy", "precision", "recall", "f1", "specificity", "mcc", "roc_auc", "average_precision", "log_loss", "brier",
)  # fmt: skip
LEVELS = np.linspace(0.025, 0.975, 20)
GRID = ScoreGrid(np.unique(np.concatenate([[0.0], LEVELS, [np.nextafter(1.0, 0.0), 1.0]])))
BLOCK = 250
"""Pairs that are watched together, so that their states stay small."""


@dataclass(frozen=True)
class Traffic:
    """Two versions of one model, alike. base: share of positive rows; sizes: rows of champion and challenger a window.

    swing: by how much the log odds of the base rise and fall over 50 windows, and with them, in step, the share of the
    rows that the challenger gets: whoever adds up all rows compares bad times with good ones.
    """

    name: str
    base: float
    sizes: tuple[int, int]
    swing: float = 0.0

    def chances(self, window: int) -> np.ndarray:
        """(levels, 2) how likely a row has a score and a label."""
        odds = np.log(self.base / (1 - self.base)) + self.swing * np.sin(window / 8)
        mean = 1 / (1 + np.exp(-odds))
        scores = stats.beta(4 * mean, 4 * (1 - mean)).cdf(np.linspace(0, 1, LEVELS.size + 1))
        return np.diff(scores)[:, None] * np.stack([1 - LEVELS, LEVELS], axis=-1)

    def rows(self, window: int) -> tuple[int, int]:
        """Rows of both in one window."""
        if not self.swing:
            return self.sizes
        turn = 0.5 + 0.4 * np.sin(window / 8)
        return round(self.sizes[0] * (1 - turn)), round(self.sizes[1] * turn)


EVEN = tuple(Traffic(f"{size} rows of each", 0.3, (size, size)) for size in (50, 200))
HARD = (
    Traffic("950 and 50 rows", 0.3, (950, 50)),
    Traffic("200 of each, 2 % positive", 0.02, (200, 200)),
    Traffic("950 and 50, 2 % positive", 0.02, (950, 50)),
    Traffic("shares swing with the base rate", 0.3, (200, 200), 1.5),
)


def archetypes() -> tuple[np.ndarray, np.ndarray]:
    """Where a row of each level and label is counted, (levels, 2) of a flat table; its powers (bins + 1, 2, 2, 8)."""
    scores, labels = np.repeat(LEVELS, 2), np.tile([0, 1], LEVELS.size).astype(np.int8)
    state = BinaryState.of(answers_of(scores, labels, threshold=0.5), FORM, grid=GRID)
    places = (GRID.bins_of(scores) * 2 + (scores >= 0.5)) * 2 + labels
    return places.reshape(-1, 2), state.sums


def watched(
    traffic: Traffic, pairs: int, windows: int, *, seed: int, weighed: bool = True
) -> Iterator[tuple[int, dict[str, tuple[np.ndarray, np.ndarray]]]]:
    """After each window: its number, and by metric the bounds (pairs,) of the difference of two versions alike.

    weighed: as the service does, each window's rows by the other version's share.
    """
    rng = np.random.default_rng(seed)
    places, powers = archetypes()
    flat = np.zeros((2, pairs, (GRID.bins + 1) * 4))
    sums = np.zeros((2, 2))
    for window in range(windows):
        sizes, chances = traffic.rows(window), traffic.chances(window).ravel()
        weights = shared(*sizes) if weighed else (1.0, 1.0)
        for side in (0, 1):
            drawn = rng.multinomial(sizes[side], chances / chances.sum(), size=pairs)
            flat[side][:, places.ravel()] += weights[side] * drawn
            sums[side] += weights[side] * sizes[side], weights[side] ** 2 * sizes[side]
        labelled = (flat * (sums[:, 0] / sums[:, 1])[:, None, None]).reshape(2, pairs, GRID.bins + 1, 2, 2)
        state = BinaryState(GRID, labelled.sum(axis=-1), labelled, labelled[..., None] * powers)
        effective = sums[:, 0] ** 2 / sums[:, 1]
        rarest = labelled.sum(axis=(-3, -2)).min(axis=(0, -1))
        with np.errstate(divide="ignore", invalid="ignore"):
            yield window, bounds(binary_metrics(state), effective, rarest)


def bounds(
    metrics: dict[str, Interval], effective: np.ndarray, rarest: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By metric the bounds of the second side's difference from the first; infinite while there are few rows."""
    found = {}
    for name in METRICS:
        sides = [Interval(*(part[side] for part in (each.value, each.lower, each.upper)))
                 for each in (metrics[name],) for side in (0, 1)]  # fmt: skip
        between = difference(*sides, rows=harmonic(effective[0], effective[1]))
        few = (effective.min() < LEAST_ROWS) | ((rarest < LEAST_EVENTS) & (name in OF_EVENTS))
        found[name] = (np.where(few, -np.inf, between.lower), np.where(few, np.inf, between.upper))
    return found


def false_decisions(traffic: Traffic, *, pairs: int, windows: int, weighed: bool = True) -> dict[str, float]:
    """Share of the pairs that are ever told apart, by metric."""
    decided = dict.fromkeys(METRICS, 0)
    for first in range(0, pairs, BLOCK):
        count = min(BLOCK, pairs - first)
        ever = {name: np.zeros(count, dtype=bool) for name in METRICS}
        for _, found in watched(traffic, count, windows, seed=first, weighed=weighed):
            for name, (lower, upper) in found.items():
                ever[name] |= (lower > 0) | (upper < 0)
        for name, pairs_decided in ever.items():
            decided[name] += int(pairs_decided.sum())
    return {name: count / pairs for name, count in decided.items()}


@np.errstate(all="ignore")
def auc_at_once(value: np.ndarray, variance: np.ndarray, *, positives: np.ndarray, negatives: np.ndarray) -> Interval:
    """`score_bounds.auc_interval`, which goes number by number, solved by halving for all pairs at once."""
    variances = functools.partial(score_bounds._hanley, positives=positives, negatives=negatives)
    near = (value * positives * negatives + 0.5) / (positives * negatives + 1)
    rarer = np.minimum(positives, negatives)
    ratio = (rarer * variance / variances(near) + score_bounds._FEW) / (rarer + score_bounds._FEW)
    ends = []
    for end in (0.0, 1.0):
        outer, inner = np.full(value.shape, end), value
        for _ in range(40):
            middle = (outer + inner) / 2
            far = (value - middle) ** 2 > Z * Z * ratio * variances(middle)
            outer, inner = np.where(far, middle, outer), np.where(far, inner, middle)
        ends.append(np.where(rarer > 0, outer, np.nan))
    return Interval(value, ends[0], ends[1])


def walks(rates: Sequence[float], rows: int, windows: int, *, pairs: int, seed: int = 5) -> np.ndarray:
    """(2, windows, pairs) right predictions so far of two versions, `rows` of each a window."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.binomial(rows, rate, (windows, pairs)).cumsum(axis=0) for rate in rates])


def share_bounds(hits: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of the difference of two accuracies (2, windows, pairs), total (windows, 1) rows of each."""
    sides = [share_interval(side, total - side, hit_spread=side, miss_spread=total - side) for side in hits]
    between = difference(sides[0], sides[1], rows=total / 2)
    return between.lower, between.upper


def first_rows(beyond: np.ndarray, total: np.ndarray) -> np.ndarray:
    """(pairs,) rows of each at which (windows, pairs) is first true; infinite where never."""
    return np.where(beyond.any(axis=0), total[beyond.argmax(axis=0), 0], np.inf)


def fixed_rows(rate: float, gain: float, power: float) -> int:
    """Rows of each that a two-proportion test of a size fixed beforehand needs."""
    other, middle = rate + gain, rate + gain / 2
    points = stats.norm.isf(ALPHA / 2) * np.sqrt(2 * middle * (1 - middle))
    points += stats.norm.ppf(power) * np.sqrt(rate * (1 - rate) + other * (1 - other))
    return int(np.ceil((points / gain) ** 2))


def delays(rate: float, *, gains: Sequence[float], rows: int, windows: int, pairs: int) -> Iterator[tuple]:
    """Gain, quartiles of the rows of each to a decision, wrong ones, undecided, rows of fixed tests, naive peeking."""
    total = rows * np.arange(1, windows + 1)[:, None]
    for gain in gains:
        hits = walks((rate, rate + gain), rows, windows, pairs=pairs)
        lower, upper = share_bounds(hits, total)
        few = total < LEAST_ROWS
        better, worse = (lower > 0) & ~few, (upper < 0) & ~few
        at = first_rows(better | worse, total)
        wrong = float((first_rows(worse, total) < first_rows(better, total)).mean())
        fixed = tuple(fixed_rows(rate, gain, power) for power in (0.8, 0.9)) if gain else ()
        yield (
            gain,
            np.quantile(at, (0.25, 0.5, 0.75, 0.9), method="inverted_cdf"),
            wrong,
            float(np.isinf(at).mean()),
            fixed,
            peeked(hits, total),
        )


def peeked(hits: np.ndarray, total: np.ndarray) -> float:
    """Share of the pairs that a z-test at 5 %, repeated after every window, ever tells apart."""
    share = hits / total
    middle = share.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.abs(share[1] - share[0]) / np.sqrt(2 * middle * (1 - middle) / total)
    return float(((far > stats.norm.isf(ALPHA / 2)) & (total >= LEAST_ROWS)).any(axis=0).mean())


def main(pairs: int, windows: int) -> None:
    """Print all tables."""
    separation.auc_interval = auc_at_once
    print(f"share of {pairs} pairs alike ever decided in {windows} windows; of a quarter of them where it is hard")
    print(f"| traffic | {' | '.join(METRICS)} |")
    for traffic in (*EVEN, *HARD):
        found = false_decisions(traffic, pairs=pairs if traffic in EVEN else pairs // 4, windows=windows)
        print(f"| {traffic.name} | {' | '.join(f'{found[name]:.3%}' for name in METRICS)} |", flush=True)
    swinging = false_decisions(HARD[-1], pairs=min(pairs, BLOCK), windows=windows, weighed=False)
    print(f"| the last, all rows added up | {' | '.join(f'{swinging[name]:.0%}' for name in METRICS)} |")
    print("\n| accuracy | gain | rows of each: quartiles, 90 % | wrong | never | fixed 80 %, 90 % | peeking decides |")
    for rate in (0.8, 0.9):
        for gain, at, wrong, never, fixed, peeking in delays(
            rate, gains=(0.0, 0.01, 0.02, 0.05), rows=100, windows=windows, pairs=pairs
        ):
            spread = ", ".join(f"{each:.0f}" for each in at)
            print(f"| {rate} | {gain:+.0%} | {spread} | {wrong:.2%} | {never:.1%} | {fixed} | {peeking:.1%} |")


if __name__ == "__main__":
    main(*(int(each) for each in (sys.argv[1:] + ["2000", "1000"][len(sys.argv) - 1 :])))
