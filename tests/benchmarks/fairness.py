"""Prints how often the intervals of the measures of fairness hold the truth.

`python -m tests.benchmarks.fairness [simulations] [measure…]`. Groups of one size, rates that are equal or spread over
a given difference: one group apart, two clusters, on a line, or two ends and a middle. About an hour for 2 000.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from driftwatch.kernels.interval import Interval
from driftwatch.kernels.parity import difference_interval, ratio_interval
from driftwatch.statistics.fairness import mean_rates, share_rates

SIZES = (500, 5000)
BASES = (0.05, 0.2, 0.5)
DIFFERENCES = (0.0, 0.05, 0.2)
BLOCK = 100
SHAPES: dict[str, tuple[float, ...]] = {
    "two groups": (0, 1),
    "one apart": (0, 0, 0, 0, 1),
    "two and three": (0, 0, 1, 1, 1),
    "on a line": (0, 0.25, 0.5, 0.75, 1),
    "ends and middle": (0, 0.5, 0.5, 0.5, 1),
}
FALSE_POSITIVES = 0.3
"""False positive rates of the odds are spread over this share of the difference."""


@dataclass(frozen=True)
class Case:
    """Groups whose rates are base + difference · shape."""

    base: float
    difference: float
    shape: str

    @property
    def rates(self) -> np.ndarray:
        """(groups,) true rates."""
        return self.base + self.difference * np.asarray(SHAPES[self.shape])


def hits(rng: np.random.Generator, rates: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """(BLOCK, groups) hits and rows."""
    return rng.binomial(rows, rates, (BLOCK, rates.size)).astype(float), np.full((BLOCK, rates.size), float(rows))


def parity(rng: np.random.Generator, case: Case, rows: int) -> tuple[Interval, float]:
    """Statistical parity, and equal opportunity where these are the positives."""
    return difference_interval(share_rates(*hits(rng, case.rates, rows))), np.ptp(case.rates)


def impact(rng: np.random.Generator, case: Case, rows: int) -> tuple[Interval, float]:
    """Disparate impact."""
    return ratio_interval(share_rates(*hits(rng, case.rates, rows))), case.rates.min() / case.rates.max()


def odds(rng: np.random.Generator, case: Case, rows: int) -> tuple[Interval, float]:
    """Equalized odds: a tenth of the rows is positive, so that one side is known much better than the other."""
    positives = rng.binomial(rows, 0.1, (BLOCK, case.rates.size)).astype(float)
    false = case.rates[0] + FALSE_POSITIVES * (case.rates - case.rates[0])
    sides = [
        share_rates(rng.binomial(count.astype(int), rates).astype(float), count)
        for count, rates in ((positives, case.rates), (rows - positives, false))
    ]
    return difference_interval(*sides), np.ptp(case.rates)


def calibration(rng: np.random.Generator, case: Case, rows: int) -> tuple[Interval, float]:
    """Labels against Beta scores that are calibrated in the groups whose rate is the base."""
    likely = rng.beta(2 * case.base, 2 * (1 - case.base), (BLOCK, case.rates.size, rows))
    # Chances are drawn towards 1 by as much as raises their mean by the difference.
    chance = 1 - (1 - likely) * ((1 - case.rates) / (1 - case.base))[:, None]
    above = (rng.random(likely.shape) < chance) - likely
    first, second, third = ((above**power).mean(axis=-1) for power in (1, 2, 3))
    return difference_interval(mean_rates(np.full(first.shape, float(rows)), first, second, third=third)), np.ptp(
        case.rates
    )


MEASURES: dict[str, Callable[[np.random.Generator, Case, int], tuple[Interval, float]]] = {
    "statistical_parity_difference": parity,
    "disparate_impact_ratio": impact,
    "equalized_odds_difference": odds,
    "calibration_difference": calibration,
}


def coverage(measure: str, case: Case, rows: int, *, simulations: int) -> float:
    """The share of simulated intervals that hold the truth."""
    rng = np.random.default_rng(list(f"{measure}{case}{rows}".encode()))
    held = []
    for _ in range(simulations // BLOCK):
        interval, true = MEASURES[measure](rng, case, rows)
        held.append((interval.lower <= true + 1e-9) & (interval.upper >= true - 1e-9))
    return float(np.concatenate(held).mean())


def cases(measure: str) -> Iterator[Case]:
    """Every base, difference and shape, of parity, and two shapes of what is made like it.

    Equal rates once for each number of groups.
    """
    for shape in SHAPES if measure == "statistical_parity_difference" else ("two groups", "one apart"):
        for base in BASES:
            for difference in DIFFERENCES:
                if difference or shape in {"two groups", "one apart"}:
                    yield Case(base, difference, shape)


def lines(simulations: int, measures: Sequence[str]) -> Iterator[str]:
    """The table: coverage at each size, least and greatest of every measure and shape."""
    yield f"coverage of 95 % intervals over {simulations} simulations"
    for measure in measures:
        found: dict[str, list[tuple[float, ...]]] = {}
        for case in cases(measure):
            cells = tuple(coverage(measure, case, rows, simulations=simulations) for rows in SIZES)
            name = case.shape if case.difference else f"equal, {len(case.rates)} groups"
            found.setdefault(name, []).append(cells)
            marks = ["!" if cell < 0.93 else "+" if cell > 0.97 else " " for cell in cells]
            row = " ".join(f"n={rows} {cell:.3f}{mark}" for rows, cell, mark in zip(SIZES, cells, marks, strict=True))
            yield f"{measure:30} {name:17} base {case.base:.2f} difference {case.difference:.2f} {row}"
        for name, rows in found.items():
            ends = " ".join(f"{min(cell):.3f}-{max(cell):.3f}" for cell in zip(*rows, strict=True))
            yield f"{measure:30} {name:17} least-greatest {ends}"


def main() -> None:
    """Simulate, and print."""
    simulations, *measures = sys.argv[1:] or ["2000"]
    for line in lines(int(simulations), measures or tuple(MEASURES)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
