"""Prints how often the intervals of a classifier's metrics hold the truth, and what the bins cost.

`python -m tests.benchmarks.intervals_classification [windows]`. The truth comes from the score model itself: scores
are a Beta distribution's, p the true probability of the positive class, and all integrals run over its quantiles.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import optimize, special

from driftwatch.kernels import confusion
from driftwatch.kernels.interval import Interval
from driftwatch.statistics.binary import Costs, binary_metrics
from driftwatch.stream.outputs import LABELLED, Answers, OutputForm
from driftwatch.stream.schema import Task
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.scores import ScoreGrid

FORM = OutputForm(Task.BINARY, ("no", "yes"))
COSTS = Costs(tp=4.0, fp=-1.0, fn=-5.0, tn=0.0)
SIZES = (200, 1000, 5000)
BLOCK = 100
"""Windows computed together, so that their states stay small."""


@dataclass(frozen=True)
class Model:
    """Scores p^power with p ~ Beta(base · strength, (1 - base) · strength), labels 1 with probability p.

    The strength gives the AUC. A power other than 1 makes scores that are not calibrated. The positive class is
    predicted for the `base` highest share of the scores.
    """

    base: float
    auc: float
    power: float = 1.0

    @property
    def name(self) -> str:
        """As it stands in the table."""
        return f"base {self.base:.0%}, AUC {self.auc}" + ("" if self.power == 1 else f", score = p^{self.power}")

    def quantiles(self, count: int = 200_001) -> np.ndarray:
        """Quantiles of p, one for each of as many equal shares."""
        return quantiles(self.base, strength(self.base, self.auc), count)

    @property
    def threshold(self) -> float:
        """Scores from here on predict the positive class."""
        return float(np.quantile(self.quantiles(), 1 - self.base) ** self.power)

    @property
    def grid(self) -> ScoreGrid:
        """As made from a large reference."""
        return ScoreGrid.of(np.unique(self.quantiles()[:: 200_000 // 128] ** self.power))

    def rows(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Scores and labels."""
        k = strength(self.base, self.auc)
        likely = np.clip(rng.beta(self.base * k, (1 - self.base) * k, count), 1e-300, 1)
        return likely**self.power, (rng.random(count) < likely).astype(np.int8)

    def windows(self, rng: np.random.Generator, rows: int, count: int) -> BinaryState:
        """As many windows of as many rows."""
        scores, labels = self.rows(rng, rows * count)
        answers = answers_of(scores, labels, threshold=self.threshold)
        cells = np.repeat(np.arange(count), rows)
        return BinaryState.of_cells(answers, FORM, grid=self.grid, cells=cells, count=count)

    def truth(self) -> dict[str, float]:
        """Every metric of an endless window."""
        likely = self.quantiles()
        return truth(likely**self.power, likely, self.threshold)


MODELS = [
    *(Model(base, auc) for auc in (0.75, 0.97) for base in (0.5, 0.1, 0.02)),
    Model(0.5, 0.75, 0.6),
    Model(0.1, 0.85, 0.5),
    Model(0.02, 0.9, 0.7),
]


@lru_cache(maxsize=64)
def quantiles(base: float, k: float, count: int) -> np.ndarray:
    """Quantiles of Beta(base · k, (1 - base) · k)."""
    shares = (np.arange(count) + 0.5) / count
    return np.clip(special.betaincinv(base * k, (1 - base) * k, shares), 1e-300, 1)


@lru_cache(maxsize=64)
def strength(base: float, auc: float) -> float:
    """Which strength gives the AUC."""

    def over(logarithm: float) -> float:
        likely = quantiles(base, float(np.exp(logarithm)), 20_001)
        return auc_of(likely) - auc

    return float(np.exp(optimize.brentq(over, -6, 8)))


def auc_of(likely: np.ndarray) -> float:
    """AUC of increasing scores, equally likely, with probabilities of the positive class."""
    below = np.cumsum(1 - likely) - (1 - likely) / 2
    return float((likely * below).sum() / (likely.sum() * (1 - likely).sum()))


def of_matrix(matrix: np.ndarray) -> dict[str, float]:
    """Metrics of a binary model's confusion matrix, (2, 2) by label and predicted class; shares will do."""
    return {
        "accuracy": confusion.accuracy(matrix),
        "precision": confusion.precision(matrix)[1],
        "recall": confusion.recall(matrix)[1],
        "f1": confusion.f1(matrix)[1],
        "specificity": confusion.specificity(matrix)[1],
        "mcc": confusion.mcc(matrix),
    }


def truth(scores: np.ndarray, likely: np.ndarray, threshold: float) -> dict[str, float]:
    """Metrics of equally likely, increasing scores with probabilities of the positive class."""
    said = scores >= threshold
    matrix = np.array(
        [[((1 - likely) * side).mean() for side in (~said, said)], [(likely * side).mean() for side in (~said, said)]]
    )
    above = np.cumsum(likely[::-1])[::-1]
    kept = np.clip(scores, np.finfo(float).eps, 1 - np.finfo(float).eps)
    gaps = np.bincount(np.searchsorted(np.arange(1, 11) / 10, scores), weights=likely - scores, minlength=10)
    positive, negative = likely / likely.sum(), (1 - likely) / (1 - likely).sum()
    found = {
        **of_matrix(matrix),
        "ctr": likely.mean(),
        "value_per_prediction": (matrix * COSTS.matrix).sum(),
        "roc_auc": auc_of(likely),
        "average_precision": (likely * above / np.arange(likely.size, 0, -1)).sum() / likely.sum(),
        "ks_score": np.abs(np.cumsum(positive) - np.cumsum(negative)).max(),
        "log_loss": -(likely * np.log(kept) + (1 - likely) * np.log(1 - kept)).mean(),
        "brier": (likely * (1 - scores) ** 2 + (1 - likely) * scores**2).mean(),
        "ece": np.abs(gaps).sum() / likely.size,
    }
    return {name: float(value) for name, value in found.items()}


def answers_of(scores: np.ndarray, labels: np.ndarray, *, threshold: float = 0.5) -> Answers:
    """Answers whose labels have all come."""
    outputs, outcomes = np.zeros(scores.size, dtype=FORM.outputs), np.zeros(scores.size, dtype=FORM.outcomes)
    outputs["score"], outputs["prediction"], outcomes["label"] = scores, scores >= threshold, labels
    return Answers(outputs, outcomes, np.full(scores.size, LABELLED, np.uint8), np.zeros(scores.size, np.int64))


@dataclass(frozen=True)
class Held:
    """Of simulated windows whose metric was defined: shares whose interval lay above, and below, the truth."""

    above: float
    below: float
    defined: float
    width: float

    @property
    def coverage(self) -> float:
        """Share of the intervals that hold the truth."""
        return 1 - self.above - self.below


def coverage(
    model: Model,
    rows: int,
    *,
    windows: int,
    seed: int = 1,
    measure: Callable[[BinaryState], dict[str, Interval]] | None = None,
) -> dict[str, Held]:
    """How often each metric's interval holds the truth."""
    rng, truths = np.random.default_rng(seed), model.truth()
    measure = measure or (lambda state: binary_metrics(state, costs=COSTS))
    found: dict[str, list[np.ndarray]] = {}
    for first in range(0, windows, BLOCK):
        state = model.windows(rng, rows, min(BLOCK, windows - first))
        for name, interval in measure(state).items():
            found.setdefault(name, []).append(np.stack([interval.value, interval.lower, interval.upper]))
    return {name: held(np.concatenate(blocks, axis=1), truths[name]) for name, blocks in found.items()}


def held(bounds: np.ndarray, true: float) -> Held:
    """Compare values, lower and upper bounds (3, windows) with the truth, to rounding."""
    kept = bounds[:, ~np.isnan(bounds[0])]
    return Held(
        float((kept[1] > true + 1e-9).mean()),
        float((kept[2] < true - 1e-9).mean()),
        kept.shape[1] / bounds.shape[1],
        float((kept[2] - kept[1]).mean()),
    )


def lines(windows: int) -> Iterator[str]:
    """The table: coverage, mean width, and the share of windows in which the metric was undefined."""
    yield f"coverage of 95 % intervals over {windows} windows, (mean width)"
    yield f"{'metric':21} {'model':36} {'truth':>8} " + " ".join(f"{f'n = {size}':>16}" for size in SIZES)
    tables = {model.name: [coverage(model, size, windows=windows) for size in SIZES] for model in MODELS}
    truths = {model.name: model.truth() for model in MODELS}
    for name in truths[MODELS[0].name]:
        for model in MODELS:
            cells = [table[name] for table in tables[model.name]]
            marks = ["!" if cell.coverage < 0.93 else "+" if cell.coverage > 0.97 else " " for cell in cells]
            row = " ".join(f"{c.coverage:8.3f}{m}({c.width:.3f})" for c, m in zip(cells, marks, strict=True))
            yield f"{name:21} {model.name:36} {truths[model.name][name]:8.4f} {row}"


def main() -> None:
    """Simulate, and print."""
    for line in lines(int(sys.argv[1]) if len(sys.argv) > 1 else 2000):
        print(line)


if __name__ == "__main__":
    main()
