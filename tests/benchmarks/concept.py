"""`python -m tests.benchmarks.concept`: the concept monitor beside other detectors, run lengths, delays and speed."""

import csv
import gzip
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import brentq

from driftwatch.statistics.concept import Terms, bounded_errors
from driftwatch.statistics.loss_steps import advance, begin
from driftwatch.summaries.evidence_state import LossLevels

SHARED = Path(__file__).resolve().parents[3] / "shared"
HORIZON = 2000
"""Rows after a drift in which the first alarm counts as its detection, as in the oracle's summary."""
DRIFTS = {"lobo": (5000, 15_000, 25_000), "bern_AB": (5000,), "bern_AA": ()}
"""Rows of the drifts in the error streams; the 5 000 rows that the Lobo models were trained on are not in them."""
DETECTORS = ("ADWIN(delta=0.002)", "ADWIN(delta=0.05)", "PageHinkley(default)", "PageHinkley(threshold=10,mode=up)")


@dataclass(frozen=True)
class Score:
    """delays: rows from each drift to its first alarm within HORIZON, or None; elsewhere: number of other alarms."""

    delays: tuple[int | None, ...]
    elsewhere: int

    @property
    def found(self):
        return sum(delay is not None for delay in self.delays)


def read_stream(shared, name):
    """One column of losses."""
    with gzip.open(shared / "oracles/river_streams" / f"{name}.csv.gz", "rt") as lines:
        return np.array([float(line) for line in list(lines)[1:]])


def others(shared):
    """Alarms of other detectors: (stream, detector) → rows."""
    found = defaultdict(list)
    with (shared / "oracles/river_detections.csv").open() as lines:
        for line in csv.DictReader(lines):
            found[line["stream"], line["detector"]].append(int(line["index"]))
    return found


def alarms_of(losses, terms):
    """Alarms of one cell that learns its level from its first rows; labels come at once, 512 rows a batch."""
    levels, found = LossLevels.empty(1), []
    for first in range(0, losses.size, 512):
        part = losses[first : first + 512]
        times = first + np.arange(part.size)
        levels, more = advance(levels, np.zeros(part.size, dtype=np.int64), losses=part, times_ms=times, terms=terms)
        found.extend(more)
    return found


def scored(rows, drifts):
    """Which alarm belongs to which drift."""
    firsts = [min((row for row in rows if 0 <= row - drift < HORIZON), default=None) for drift in drifts]
    delays = tuple(None if row is None else row - drift for row, drift in zip(firsts, drifts, strict=True))
    return Score(delays, len(rows) - sum(row is not None for row in firsts))


def compared(shared):
    """Stream, detector, delay of each drift, alarms elsewhere."""
    oracle = others(shared)
    names = sorted(path.name.removesuffix(".csv.gz") for path in (shared / "oracles/river_streams").glob("*.csv.gz"))
    for name in names:
        drifts = next((rows for start, rows in DRIFTS.items() if name.startswith(start)), None)
        if drifts is None:
            continue
        for length in (20_000, 50_000):
            rows = [alarm.row for alarm in alarms_of(read_stream(shared, name), Terms(run_length_rows=length))]
            yield name, f"driftwatch, ≥ {length}", scored(rows, drifts)
        for detector in DETECTORS:
            yield name, detector, scored(oracle[name, detector], drifts)


def first_alarms(losses, terms, *, levels=None):
    """(cells,) row of each cell's first alarm, or the number of rows; losses: (rows, cells)."""
    rows, cells = losses.shape
    levels, first = levels or LossLevels.empty(cells), np.full(cells, rows)
    for start in range(0, rows, 512):
        part = losses[start : start + 512]
        places, times = np.tile(np.arange(cells), len(part)), np.zeros(part.size, dtype=np.int64)
        levels, alarms = advance(levels, places, losses=part.ravel(), times_ms=times, terms=terms)
        for alarm in alarms:
            first[alarm.cell] = min(first[alarm.cell], alarm.row)
    return first


def run_lengths(*, promised=1000.0, cells=400, rows=16_000):
    """Mean loss, mean rows to the first false alarm (a lower bound: runs end at `rows`) and share that had none."""
    chance = np.random.default_rng(7)
    for mean in (0.02, 0.2, 0.5):
        first = first_alarms((chance.random((rows, cells)) < mean).astype(float), Terms(run_length_rows=promised))
        yield mean, first.mean(), (first == rows).mean()


def siegmund_threshold(promised, drift):
    """Height at which a CUSUM of normal steps of mean -drift and variance 1 has a run length of about `promised`.

    Siegmund (1985), (exp(2 d b) - 2 d b - 1) / (2 d²) with b = height + 1.166.
    """

    def run_length(height):
        twice = 2 * drift * (height + 1.166)
        return (np.exp(twice) - twice - 1) / (2 * drift**2)

    return brentq(lambda height: run_length(height) - promised, 0, 1000)


def cusum_firsts(losses, level, *, after, promised):
    """(cells,) first alarm of a CUSUM (Page-Hinkley without its estimate of the level) made for level → after."""
    spread = np.sqrt(level * (1 - level))
    half = (after - level) / 2 / spread
    height = np.array([siegmund_threshold(promised, max(one, 1e-3)) for one in half])
    rows, cells = losses.shape
    state, first = np.zeros(cells), np.full(cells, rows)
    for row, line in enumerate(losses):
        state = np.maximum(state + (line - level) / spread - half, 0)
        first = np.where((state >= height) & (first == rows), row, first)
    return first


def beside_cusum(*, promised=5000.0, cells=150, quiet=30_000, after=0.3):
    """What, known or learnt level, mean rows to a false alarm (runs end at `quiet`), mean delay of 0.2 → `after`."""
    chance = np.random.default_rng(13)
    learnt = chance.binomial(1000, 0.2, cells)
    streams = [(chance.random((rows, cells)) < mean).astype(float) for rows, mean in ((quiet, 0.2), (6000, after))]
    terms = Terms(run_length_rows=promised)
    for name, rows, total in (("known", 10**8, np.full(cells, 0.2e8)), ("of 1 000 rows", 1000, learnt)):
        cusum = [cusum_firsts(losses, total / rows, after=after, promised=promised) for losses in streams]
        yield "CUSUM, Siegmund's threshold", name, *(first.mean() for first in cusum)
        levels = begin(np.full(cells, rows), total.astype(float), terms=terms)
        ours = [first_alarms(losses, terms, levels=levels) for losses in streams]
        yield "driftwatch", name, *(first.mean() for first in ours)


def regression_delays(*, cells=40, before=4000, after=4000):
    """Quantile that scales |error|, growth of the error's spread, mean rows to the alarm; normal and heavy tails."""
    chance = np.random.default_rng(11)
    for tail, draw in (("normal", chance.standard_normal), ("t3", lambda size: chance.standard_t(3, size))):
        errors = draw((before + after, cells))
        for growth in (1.25, 1.5):
            grown = errors * np.where(np.arange(before + after) < before, 1.0, growth)[:, None]
            for quantile in (0.5, 0.75, 0.9, 0.99):
                scale = float(np.quantile(np.abs(errors[:before]), quantile))
                first = first_alarms(bounded_errors(grown, scale=scale), Terms())
                yield tail, growth, quantile, first.mean() - before, (first < before).sum()


def speeds():
    """Rows (or cell updates) a second: what, median time of one call in µs, millions a second."""
    chance = np.random.default_rng(3)
    for name, cells, rows in (("1 cell × 512 rows", 1, 512), ("1 000 cells × 1 row", 1000, 1), ("1 000 × 4", 1000, 4)):
        levels, spent = LossLevels.empty(cells), []
        places, times = np.tile(np.arange(cells), rows), np.zeros(cells * rows, dtype=np.int64)
        for _ in range(600):
            losses = (chance.random(places.size) < 0.2).astype(float)
            start = time.process_time()
            levels, _ = advance(levels, places, losses=losses, times_ms=times, terms=Terms())
            spent.append(time.process_time() - start)
        yield name, float(np.median(spent)), float(np.median(spent)) / places.size


def main():
    """Print all tables."""
    print("| stream | detector | delays | elsewhere |\n|---|---|---|---|")
    for name, detector, score in compared(SHARED):
        print(f"| {name} | {detector} | {', '.join(map(str, score.delays))} | {score.elsewhere} |")
    print("\n| mean loss | mean rows to a false alarm, promised 1 000 | no alarm in 16 000 |\n|---|---|---|")
    for mean, length, quiet in run_lengths():
        print(f"| {mean} | ≥ {length:.0f} | {quiet:.0%} |")
    print(
        "\n| detector, promised 5 000 rows | level 0.2 is | rows to a false alarm | delay to 0.3 |\n|---|---|---|---|"
    )
    for what, level, length, delay in beside_cusum():
        print(f"| {what} | {level} | ≥ {length:.0f} | {delay:.0f} |")
    print("\n| errors | grown by | scale's quantile | mean delay | false alarms of 40 |\n|---|---|---|---|---|")
    for tail, growth, quantile, delay, false in regression_delays():
        print(f"| {tail} | {growth} | {quantile} | {delay:.0f} | {false} |")
    print("\n| batch | µs a batch | µs a row |\n|---|---|---|")
    for name, batch, row in speeds():
        print(f"| {name} | {1e6 * batch:.0f} | {1e6 * row:.3f} |")


if __name__ == "__main__":
    main()
