"""Prints what it takes to judge one window close: `python -m tests.benchmarks.alarms_judging [rounds]`.

1 000 columns, all rows and ten segments, what depends on the references alone made ready: the CPU time of the budgeted
rule's evidence, decision, judgements and readings, and of the statistics' readings beside it; medians of rounds.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from driftwatch.daemon.memory import collect_less_often
from driftwatch.evaluation.budget import EFFECT, Budget, BudgetRule
from driftwatch.evaluation.budgeted import Budgeted, Looked
from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.spec import Rate
from driftwatch.statistics.abrupt import FactorsOf
from driftwatch.statistics.drift import Baseline
from driftwatch.statistics.slow import SlowState
from driftwatch.statistics.witness import Witness
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.layout import BINS, EDGES, SLOTS, Layout
from driftwatch.summaries.numeric import Numeric
from driftwatch.summaries.profile import Profile
from tests.benchmarks.alarms_columns import FIVE, ZIPF

SEGMENTS = 10
REFERENCE, WINDOW = 10_000, 1_000
"""Rows of each segment."""
WORDS = (FIVE, ZIPF)


def layout_of(numbers: int, words: int) -> Layout:
    """Numbers on equal bins; of the words every other column has five categories, the others fifty."""
    categorical = tuple(
        Column(f"w{place}", Kind.CATEGORICAL, tuple(f"v{value}" for value in range(WORDS[place % 2].size)))
        for place in range(words)
    )
    numeric = tuple(Column(f"n{place}", Kind.NUMERIC) for place in range(numbers))
    edges = np.tile(np.arange(EDGES, dtype=np.float64), (numbers, 1))
    return Layout(numeric, categorical, edges, np.full(numbers, BINS / 2), np.full(numbers, BINS / 4))


def drawn(rng: np.random.Generator, layout: Layout, rows: int) -> Profile:
    """So many rows of what does not change, one in a hundred without a value."""
    slots = np.concatenate([[0.0], np.full(BINS, 0.99 / BINS), [0.0, 0.01, 0.0]])
    counts = rng.multinomial(rows, slots, size=len(layout.numeric)).reshape(-1, SLOTS)
    middle = (np.arange(-1, BINS + 1) + 0.5 - BINS / 2) / (BINS / 4)
    sums = counts[:, :-2] * middle
    numeric = Numeric(
        counts, sums, (sums * middle).sum(axis=1), np.zeros(len(counts)), np.full(len(counts), float(BINS))
    )
    categories = [
        rng.multinomial(rows, np.concatenate([0.99 * WORDS[place % 2], [0, 0.01, 0]]))
        for place in range(len(layout.categorical))
    ]
    flat = np.concatenate([np.zeros(0, dtype=np.int64), *categories])
    return Profile(layout.fingerprint, rows, 0, 1, numeric, flat)


def merged(parts: list[Profile]) -> Profile:
    """All rows."""
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.merge(part)
    return whole


@dataclass(frozen=True)
class Cell:
    """One of the cells of a window close, with what it is compared with."""

    segment: str
    baseline: Baseline
    witness: Witness
    windows: list[Profile]


def estimated(columns: int) -> FactorsOf:
    """Every column's rows hang together, by factors that are estimates."""
    one = np.full(columns, 1.3)
    return lambda _: Overdispersion(one, one, one, one, np.full(columns, 40.0))


def cells_of(layout: Layout, *, rounds: int, over: FactorsOf | None) -> list[Cell]:
    """All rows, then the segments; `rounds` windows of each."""
    rng = np.random.default_rng(1)
    references = [drawn(rng, layout, REFERENCE) for _ in range(SEGMENTS)]
    windows = [[drawn(rng, layout, WINDOW - 7 * turn) for _ in range(SEGMENTS)] for turn in range(rounds)]
    whole = (merged(references), [merged(parts) for parts in windows])
    parts = [(reference, [turn[place] for turn in windows]) for place, reference in enumerate(references)]
    tolerance = np.full(len(layout.names), 0.05)
    return [
        Cell(
            f"s{place}" if place else "",
            Baseline.of(layout, reference, shown=False),
            Witness.of(layout, reference, tolerance=tolerance, over=over),
            seen,
        )
        for place, (reference, seen) in enumerate([whole, *parts])
    ]


def spent(work: Callable[[], object]) -> tuple[float, object]:
    """Milliseconds of CPU, and what came of it."""
    start = time.process_time_ns()
    made = work()
    return (time.process_time_ns() - start) / 1e6, made


def measured(numbers: int, words: int, *, rounds: int, known: bool) -> str:
    """One row of the table."""
    layout = layout_of(numbers, words)
    names = layout.names
    over = None if known else estimated(len(names))
    cells = cells_of(layout, rounds=rounds, over=over)
    budget = Budget.of(Rate(1.0, per_ms=30 * 86_400_000), slide_ms=3_600_000, importance=[1.0] * len(names))
    rule = BudgetRule(name="drift", statistic=EFFECT)
    budgeted = Budgeted(
        rule, budget, names, {EFFECT: np.full(len(names), 0.05)}, cells[0].witness, lambda _: cells[0].witness,
        lambda _: cells[0].witness, segments=SEGMENTS,
    )  # fmt: skip
    collect_less_often()
    states: list[SlowState | None] = [None] * len(cells)
    judging, reading = [], []
    for turn in range(rounds):
        judged = read = 0.0
        for place, cell in enumerate(cells):
            profile = cell.windows[turn]
            cost, readings = spent(lambda cell=cell, profile=profile: cell.baseline.readings(profile))
            read += cost

            def judge(cell=cell, profile=profile, readings=readings, before=states[place]):
                decision, after = budgeted.decide(Looked(profile, before, cell.segment), readings, cell.witness)
                decision.judgements(rule, standing=())
                budgeted.shown(decision, readings)
                budgeted.drifting(decision)
                return after

            cost, states[place] = spent(judge)
            judged += cost
        judging.append(judged)
        reading.append(read)
    ratios = np.array(judging) / np.array(reading)
    return (
        f"| {numbers} numeric + {words} categorical | {'independent' if known else 'factors estimated'} "
        f"| {np.median(judging):.0f} | {np.median(judging) / len(cells):.1f} | {np.median(reading):.0f} "
        f"| {np.median(ratios):.2f} |"
    )


def main(rounds: int = 9) -> None:
    """Print the table."""
    print("| columns | rows | judging, ms | a cell | readings, ms | judging / readings |")
    print("|---|---|---:|---:|---:|---:|")
    for numbers, words in ((1_000, 0), (800, 200)):
        for known in (True, False):
            print(measured(numbers, words, rounds=rounds, known=known), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
