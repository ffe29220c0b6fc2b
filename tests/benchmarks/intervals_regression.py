"""Prints how often 95 % intervals of regressions, rankings and value hold.

`python -m tests.benchmarks.intervals_regression [windows]`: one line per model and number of rows, over so many
simulated windows (2 000 unless told): the share of windows whose interval holds the true value, in percent, and behind
it the shares that end below and begin above it.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from driftwatch.kernels import residuals
from driftwatch.kernels.interval import Interval
from driftwatch.kernels.ranking import ranks
from driftwatch.statistics.estimation_regression import estimated_regression
from driftwatch.statistics.ranking import ranking_performance
from driftwatch.statistics.regression import regression_performance
from driftwatch.statistics.worth import worth_performance
from driftwatch.summaries.ranking import RankingOutcomes, power_sums
from driftwatch.summaries.regression import QUANTITIES, RegressionGrid, RegressionOutcomes, quantities
from driftwatch.summaries.worth import WorthOutcomes, centred_powers

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
PARTS = 8
TRUTH_ROWS = 1_000_000
QUERIES = 100_000


@dataclass(frozen=True)
class Model:
    """Predictions and labels of some windows, of shape (windows, rows), with a half width of their interval.

    known: true values that are known better than by a large sample; None where there is none.
    """

    name: str
    draw: Callable[[np.random.Generator, tuple[int, ...]], tuple[np.ndarray, np.ndarray, np.ndarray]]
    known: dict[str, float | None] = field(default_factory=dict)


def _additive(error: Draw, width: float, *, growth: float = 0.0):
    def draw(rng, shape):
        x = 20 + 2 * rng.normal(size=shape)
        return x, x - error(rng, shape) * np.exp(growth * (x - 20)), np.full(shape, width)

    return draw


def _lognormal(rng, shape):
    x = np.exp(rng.normal(size=shape))
    return x, x * np.exp(0.3 * rng.normal(size=shape)), x / 2


def _constant(rng, shape):
    return np.full(shape, 1.6), np.exp(rng.normal(size=shape)), np.full(shape, 1.5)


MODELS = [
    Model("normal", _additive(lambda rng, shape: rng.normal(size=shape), 1.645)),
    Model("heteroscedastic", _additive(lambda rng, shape: rng.normal(size=shape), 1.645, growth=0.25)),
    Model("Laplace", _additive(lambda rng, shape: rng.laplace(size=shape), 2.3)),
    Model("lognormal labels", _lognormal),
    Model("constant, lognormal labels", _constant),
    # mape has no mean here: labels near zero have a positive density.
    Model(
        "t(3) errors",
        _additive(lambda rng, shape: rng.standard_t(3, size=shape), 2.35),
        {"mse": 3.0, "rmse": 3**0.5, "r2": 1 - 3 / 7, "mape": None},
    ),
]


def truth(model: Model, *, parts: int = 20, seed: int = 1) -> dict[str, float | None]:
    """The metrics of very many rows."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, float]] = []
    for _ in range(parts):
        p, y, half = model.draw(rng, (TRUTH_ROWS,))
        found = {
            name: float(getattr(residuals, name)(p, y))
            for name in ("mae", "mse", "mape", "smape", "wape", "r2", "bias")
        }
        found["pinball"] = float(residuals.interval_pinball(y, p - half, p + half))
        found["coverage"] = float(residuals.coverage(y, p - half, p + half))
        rows.append(found)
    means = {name: float(np.mean([found[name] for found in rows])) for name in rows[0]}
    return {**means, "rmse": means["mse"] ** 0.5, **model.known}


def outcomes(p: np.ndarray, y: np.ndarray, half: np.ndarray) -> RegressionOutcomes:
    """States of windows (windows, rows), all rows in one stratum."""
    windows, rows = p.shape
    centre = y.mean(axis=1)
    products = np.zeros((windows, 2, QUANTITIES, QUANTITIES))
    for start in range(0, windows, 50):
        part = slice(start, start + 50)
        q = quantities(p[part], y[part], interval=((p - half)[part], (p + half)[part]), centre=centre[part])
        products[part, 0] = np.swapaxes(q, -1, -2) @ q
    counts = np.zeros((windows, 2))
    counts[:, 0] = rows
    return RegressionOutcomes(RegressionGrid(()), counts, counts, products, centre)


def regression(model: Model, rows: int, *, windows: int, seed: int = 0) -> dict[str, Interval]:
    """The metrics of so many simulated windows."""
    rng = np.random.default_rng([seed, rows])
    return _joined(regression_performance(outcomes(*model.draw(rng, (windows // PARTS, rows)))) for _ in range(PARTS))


def _relevance(kind: str, rng: np.random.Generator, rows: int) -> np.ndarray:
    """(rows, 20) relevance of items, of which the first ten are shown in order."""
    chance = rng.random((rows, 20))
    if kind == "even":
        return (chance < 0.2).astype(float)
    if kind == "steep":
        return (chance < 0.9 * np.exp(-np.arange(20) / 1.5)).astype(float)
    if kind == "graded":
        return rng.integers(0, 4, (rows, 20)) * (chance < 0.3).astype(float)
    often = 0.97 if kind == "nearly perfect" else 0.05
    place = np.where(rng.random(rows) < often, 0 if kind == "nearly perfect" else rng.integers(0, 10, rows), 15)
    return (np.arange(20) == place[:, None]).astype(float)


RANKINGS = ["even", "steep", "graded", "nearly perfect", "rarely a hit"]


def ranking(kind: str, rows: int, *, windows: int, seed: int = 0) -> tuple[dict[str, Interval], dict[str, float]]:
    """The metrics of windows drawn from so many queries, and those of all of them."""
    rng = np.random.default_rng([seed, rows])
    relevance = _relevance(kind, np.random.default_rng(7), QUERIES)
    count = len(relevance)
    items, judged = (np.broadcast_to(np.arange(1, n + 1, dtype=np.uint64), (count, n)) for n in (10, 20))
    of = ranks(items, judged, relevance)
    queries = np.stack([of.ndcg, of.mrr, of.map, of.hit_rate])
    found = _joined(
        ranking_performance(RankingOutcomes(np.zeros(()), np.zeros(()), _powers(queries, chosen)))
        for chosen in (rng.integers(0, count, (windows // PARTS, rows)) for _ in range(PARTS))
    )
    return found, dict(zip(found, np.nanmean(queries, axis=1), strict=True))


def _powers(queries: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.stack([power_sums(metric[chosen]) for metric in queries], axis=1)


VALUES: dict[str, tuple[Draw, float]] = {
    "normal, far off": (lambda rng, shape: 1e9 + rng.normal(size=shape), 1e9),
    "lognormal": (lambda rng, shape: np.exp(rng.normal(size=shape)), np.exp(0.5)),
    "one in 20, lognormal": (
        lambda rng, shape: np.where(rng.random(shape) < 0.05, np.exp(rng.normal(size=shape)), 0.0),
        0.05 * np.exp(0.5),
    ),
    "gains and losses": (lambda rng, shape: np.where(rng.random(shape) < 0.9, 1.0, -8.0), 0.1),
}


def value(kind: str, rows: int, *, windows: int, seed: int = 0) -> dict[str, Interval]:
    """value_per_prediction of so many simulated windows."""
    rng = np.random.default_rng([seed, rows])

    def part():
        powers, centre = centred_powers(VALUES[kind][0](rng, (windows // PARTS, 1, rows)))
        return worth_performance(WorthOutcomes(np.zeros(2), np.repeat(powers, 3, axis=1), np.repeat(centre, 3, axis=1)))

    return {"value_per_prediction": _joined(part() for _ in range(PARTS))["value_per_prediction"]}


def estimation(model: Model, calibration: int, rows: int, *, windows: int, seed: int = 0) -> dict[str, float]:
    """Share of windows whose realised metric is in the estimate's bounds; each with a calibration of its own."""
    rng = np.random.default_rng([seed, rows])
    grid = RegressionGrid(tuple(np.linspace(15, 25, 21)))
    held = {"mae": 0, "mse": 0, "rmse": 0}
    for _ in range(windows):
        state = binned(*model.draw(rng, (calibration,))[:2], grid=grid)
        p, y, _half = model.draw(rng, (rows,))
        predicted = np.bincount(grid.places(p), minlength=grid.strata).astype(float)
        found = estimated_regression(state, predicted)
        for name in held:
            realised = getattr(residuals, name)(p, y)
            held[name] += int(found[name].lower <= realised <= found[name].upper)
    return {name: count / windows for name, count in held.items()}


def binned(p: np.ndarray, y: np.ndarray, *, grid: RegressionGrid) -> RegressionOutcomes:
    """One state of rows by prediction bin."""
    q = quantities(p, y, interval=(p, p), centre=np.asarray(y.mean()))
    places = grid.places(p)
    counts = np.bincount(places, minlength=grid.strata).astype(float)
    products = np.stack([q[places == place].T @ q[places == place] for place in range(grid.strata)])
    return RegressionOutcomes(grid, counts, counts, products, np.asarray(y.mean()))


def held(interval: Interval, true: float) -> tuple[float, float, float]:
    """Shares of windows whose interval holds the true value, ends below it, begins above it."""
    below, above = np.mean(interval.upper < true), np.mean(interval.lower > true)
    return float(1 - below - above), float(below), float(above)


def _joined(parts: Iterator[dict[str, Interval]]) -> dict[str, Interval]:
    found = list(parts)
    return {
        name: Interval(
            *(np.concatenate([getattr(part[name], end) for part in found]) for end in ("value", "lower", "upper"))
        )
        for name in found[0]
    }


def _line(name: str, rows: int, found: dict[str, Interval], true: dict[str, float | None]) -> None:
    cells = []
    for metric, interval in found.items():
        wanted = true.get(metric)
        shares = (
            "no mean"
            if wanted is None
            else "{:.1f} ({:.1f}, {:.1f})".format(*(100 * s for s in held(interval, wanted)))
        )
        cells.append(f"{metric} {shares}")
    print(f"| {name} | {rows} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Simulate, and print."""
    windows = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    for model in MODELS:
        true = truth(model)
        for rows in (200, 1000, 5000):
            _line(model.name, rows, regression(model, rows, windows=windows), true)
    for rows in (200, 1000, 5000):
        for kind in RANKINGS:
            _line(kind, rows, *ranking(kind, rows, windows=windows))
        for kind, (_, mean) in VALUES.items():
            _line(kind, rows, value(kind, rows, windows=windows), {"value_per_prediction": mean})
    for model in (*MODELS[:3], MODELS[-1]):
        for calibration in (500, 5000):
            for rows in (200, 1000, 5000):
                shares = estimation(model, calibration, rows, windows=windows // 4)
                print(f"| estimated, {model.name} | {calibration} | {rows} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
