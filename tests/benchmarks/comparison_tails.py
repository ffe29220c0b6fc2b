"""Prints how often two regressions that are alike are told apart, where few rows make the metric.

`python -m tests.benchmarks.comparison_tails [pairs] [windows]`: what is hard for bounds of large samples.
"""

import sys
from collections.abc import Iterator

import numpy as np

from driftwatch.kernels.confidence_sequence import difference, harmonic
from driftwatch.kernels.interval import Interval
from driftwatch.statistics.comparison import LEAST_ROWS
from driftwatch.statistics.regression import regression_performance
from driftwatch.summaries.regression import ONE, QUANTITIES, RegressionGrid, RegressionOutcomes, quantities
from tests.benchmarks.intervals_regression import MODELS, Model

METRICS = ("mae", "mse", "rmse", "bias", "smape", "wape", "r2", "coverage", "pinball")
SIZES = ((100, 100), (380, 20))


def sums(model: Model, rng: np.random.Generator, pairs: int, rows: int) -> np.ndarray:
    """(pairs, QUANTITIES, QUANTITIES) products of so many rows of each pair, with u about 0."""
    p, y, half = model.draw(rng, (pairs, rows))
    q = quantities(p, y, interval=(p - half, p + half), centre=np.zeros(pairs))
    products: np.ndarray = np.swapaxes(q, -1, -2) @ q
    return products


def intervals(products: np.ndarray) -> dict[str, Interval]:
    """Metrics of states (pairs, QUANTITIES, QUANTITIES)."""
    whole = np.zeros((len(products), 2, QUANTITIES, QUANTITIES))
    whole[:, 0] = products
    counts = np.zeros((len(products), 2))
    counts[:, 0] = products[:, ONE, ONE]
    state = RegressionOutcomes(RegressionGrid(()), counts, counts, whole, np.zeros(len(products)))
    return regression_performance(state)


def false_decisions(model: Model, sizes: tuple[int, int], *, pairs: int, windows: int) -> dict[str, float]:
    """Share of the pairs that are ever told apart, by metric."""
    rng = np.random.default_rng(7)
    ever = {name: np.zeros(pairs, dtype=bool) for name in METRICS}
    products = np.zeros((2, pairs, QUANTITIES, QUANTITIES))
    for window in range(1, windows + 1):
        for side in (0, 1):
            products[side] += sums(model, rng, pairs, sizes[side])
        rows = [size * window for size in sizes]
        found = [intervals(each) for each in products]
        if min(rows) >= LEAST_ROWS:
            for name in METRICS:
                between = difference(found[0][name], found[1][name], rows=np.asarray(harmonic(*map(np.array, rows))))
                ever[name] |= (between.lower > 0) | (between.upper < 0)
    return {name: float(told.mean()) for name, told in ever.items()}


def table(pairs: int, windows: int) -> Iterator[tuple[str, tuple[int, int], dict[str, float]]]:
    """Model, rows of both a window, shares by metric."""
    for model in MODELS:
        for sizes in SIZES:
            yield model.name, sizes, false_decisions(model, sizes, pairs=pairs, windows=windows)


if __name__ == "__main__":
    print(f"| errors | rows | {' | '.join(METRICS)} |")
    for row in table(*(int(each) for each in (sys.argv[1:] + ["400", "100"][len(sys.argv) - 1 :]))):
        print(f"| {row[0]} | {row[1]} | {' | '.join(f'{row[2][name]:.1%}' for name in METRICS)} |", flush=True)
