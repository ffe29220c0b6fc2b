"""Prints how long the detector of slow change runs until a false alarm, and how soon it finds slow ramps.

`python -m tests.benchmarks.alarms_slow lengths | years | ramps`; the last run is in alarms_slow.md. Columns are runs:
each has its own reference, which all of its windows share. Where rows are independent a window is one draw of counts.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import signal, special, stats

from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.statistics.abrupt import Abrupt
from driftwatch.statistics.slow import Slow, SlowState
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.layout import BINS, EDGES, SLOTS, Layout
from driftwatch.summaries.numeric import Numeric
from driftwatch.summaries.profile import Profile

CUTS = special.ndtri(np.arange(1, BINS) / BINS)
LOW, HIGH = np.r_[-np.inf, CUTS], np.r_[CUTS, np.inf]
VALUES = (stats.norm.pdf(LOW) - stats.norm.pdf(HIGH)) * BINS
"""Mean of each bin of a normal column."""
SESSION = 10


def layout_of(runs: int) -> Layout:
    """As many columns as runs; where the edges are does not matter to counts."""
    edges = np.tile(np.arange(EDGES, dtype=np.float64), (runs, 1))
    columns = tuple(Column(f"n{run}", Kind.NUMERIC) for run in range(runs))
    return Layout(columns, (), edges, np.zeros(runs), np.ones(runs))


def profile_of(layout: Layout, counts: np.ndarray) -> Profile:
    """counts: (runs, BINS)."""
    empty, slots = Profile.empty(layout), np.zeros((len(counts), SLOTS), dtype=np.int64)
    slots[:, 1 : BINS + 1] = counts
    numeric = Numeric(slots, empty.numeric.sums, empty.numeric.squares, empty.numeric.minima, empty.numeric.maxima)
    return Profile(layout.fingerprint, int(counts[0].sum()), 0, 0, numeric, empty.categories)


def chances(shift: float = 0.0, moved: float = 0.0) -> np.ndarray:
    """(BINS,) of a normal column after a shift; `moved` of all rows go from below the median to above it."""
    shares = np.diff(np.r_[0.0, special.ndtr(CUTS - shift), 1.0])
    return shares + moved * np.repeat([-1, 1], BINS // 2) / (BINS / 2)


def independent(rng: np.random.Generator, runs: int, rows: int, shares: np.ndarray) -> np.ndarray:
    """(runs, BINS) counts of independent rows."""
    return rng.multinomial(rows, shares, size=runs)


def autoregressive(rng: np.random.Generator, runs: int, rows: int, _: np.ndarray) -> np.ndarray:
    """Counts of consecutive rows of a normal process, correlated by 0.9."""
    noise = rng.standard_normal((runs, rows)) * np.sqrt(1 - 0.81)
    values = signal.lfilter([1], [1, -0.9], noise, axis=1, zi=0.9 * rng.standard_normal((runs, 1)))[0]
    return counted((special.ndtr(values) * BINS).astype(np.int64))


def clustered(rng: np.random.Generator, runs: int, rows: int, shares: np.ndarray) -> np.ndarray:
    """Counts of sessions of SESSION rows with the same value."""
    return SESSION * rng.multinomial(rows // SESSION, shares, size=runs)


def counted(bins: np.ndarray) -> np.ndarray:
    """(runs, BINS) from the bins of rows, (runs, rows)."""
    runs = len(bins)
    flat = np.minimum(bins, BINS - 1) + BINS * np.arange(runs)[:, None]
    return np.bincount(flat.ravel(), minlength=runs * BINS).reshape(runs, BINS)


def known(location: float, scale: float, freedom: float, runs: int) -> Callable[[int], Overdispersion]:
    """Factors of long stretches: the truth, or estimates of so many degrees of freedom."""
    drawn = np.ones(runs) if np.isinf(freedom) else np.random.default_rng(99).chisquare(freedom, runs) / freedom
    parts = (np.maximum(factor * drawn, 1) for factor in (location, scale, location, location))
    factors = Overdispersion(*parts, np.full(runs, freedom))
    return lambda _: factors


Draw = Callable[[np.random.Generator, int, int, np.ndarray], np.ndarray]
STREAMS: dict[str, tuple[Draw, float, float]] = {
    "independent": (independent, 1.0, 1.0),
    "AR 0.9": (autoregressive, 19.0, 1.81 / 0.19),
    "sessions": (clustered, float(SESSION), float(SESSION)),
}


@dataclass(frozen=True)
class Case:
    """One row of the table of run lengths."""

    stream: str
    reference: int
    rows: int
    threshold: float
    tolerance: float = 0.0
    moved: float = 0.0
    freedom: float = np.inf


def run_lengths(case: Case, *, runs: int = 500, most: float = 5.0) -> str:
    """Windows to the first alarm; runs end at `most` thresholds and count with that, less than their length."""
    rng, layout = np.random.default_rng(1), layout_of(runs)
    draw, location, scale = STREAMS[case.stream]
    over = None if location == 1 else known(location, scale, case.freedom, runs)
    reference = profile_of(layout, draw(rng, runs, case.reference, chances()))
    slow, state = Slow.of(layout, reference, over=over, tolerance=case.tolerance), SlowState.empty(layout)
    windows = int(most * case.threshold)
    first = np.full(runs, float(windows))
    for window in range(1, windows + 1):
        counts = draw(rng, runs, case.rows, chances(moved=case.moved))
        state = slow.advance(state, profile_of(layout, counts))
        first = np.where(slow.evidence(state) >= case.threshold, np.minimum(first, window), first)
    error, ended = first.std() / np.sqrt(runs), (first < windows).mean()
    freedom = "known" if np.isinf(case.freedom) else f"{case.freedom:.0f} df"
    return (
        f"| {case.stream} | {freedom} | {case.reference} | {case.rows} | {case.tolerance} | {case.moved} "
        f"| {case.threshold:.0f} | {first.mean():.0f} ± {2 * error:.0f} | {100 * ended:.1f} % |"
    )


def lengths() -> Iterator[str]:
    """The bound on the run length, in many places."""
    yield "| stream | factor | reference | window | tolerance | moved | A | windows to alarm, at least | ended |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for size in (1_000, 10_000, 100_000):
        for rows in (100, 500, 5_000):
            yield run_lengths(Case("independent", size, rows, 200))
    yield run_lengths(Case("independent", 1_000, 500, 1000), most=2.5)
    yield run_lengths(Case("independent", 100_000, 500, 1000), most=2.5)
    yield run_lengths(Case("independent", 1_000, 500, 200, 0.05, 0.05))
    yield run_lengths(Case("independent", 100_000, 500, 200, 0.05, 0.05))
    for stream in ("AR 0.9", "sessions"):
        for freedom in (np.inf, 20.0, 8.0):
            yield run_lengths(Case(stream, 10_000, 500, 200, freedom=freedom), most=2.5)


def years(windows: int = 175_200, runs: int = 40) -> Iterator[str]:
    """Hourly windows of 500 rows over twenty years, columns of 32 values; alarmed columns begin anew."""
    yield "| reference | tolerance | A | alarms in 20 years, a column | allowed | columns with one |"
    yield "|---|---|---|---|---|---|"
    rng, layout = np.random.default_rng(2), layout_of(runs)
    tolerance = np.repeat([0.0, 0.05], runs // 2)
    for size in (1_000, 100_000):
        reference = _few_values(rng.multinomial(size, np.full(32, 1 / 32), size=runs))
        slow, state = Slow.of(layout, profile_of(layout, reference), tolerance=tolerance), SlowState.empty(layout)
        threshold, alarms = 1e5, np.zeros(runs)
        for _ in range(windows):
            counts = _few_values(rng.multinomial(500, np.full(32, 1 / 32), size=runs))
            state = slow.advance(state, profile_of(layout, counts))
            found = slow.evidence(state) >= threshold
            if found.any():
                alarms += found
                state = slow.reset(state, found)
        for tolerated in (0.0, 0.05):
            some = alarms[tolerance == tolerated]
            yield (
                f"| {size} | {tolerated} | {threshold:.0f} | {some.mean():.2f} | {windows / threshold:.2f} "
                f"| {(some > 0).sum()} of {some.size} |"
            )


def _few_values(counts: np.ndarray) -> np.ndarray:
    wide = np.zeros((len(counts), BINS), dtype=np.int64)
    wide[:, ::4] = counts
    return wide


TENTHS = np.round(np.arange(10) * BINS / 10).astype(int)
ALPHA = 1e-3
TRIED = (7e-4, 1e-3, 1.4e-3, 2e-3, 2.8e-3)


def peers(reference: np.ndarray, current: np.ndarray) -> dict[str, np.ndarray]:
    """(runs,) of each: KS and Wasserstein over 128 bins, the others over tenths."""
    n, m = reference.sum(axis=1, keepdims=True), current.sum(axis=1, keepdims=True)
    gap = np.cumsum(current / m - reference / n, axis=1)
    a, b = (np.add.reduceat(counts, TENTHS, axis=1) for counts in (reference, current))
    p, q = np.maximum(a, 0.5) / n, np.maximum(b, 0.5) / m
    middle = (p + q) / 2
    return {
        "KS": np.abs(gap).max(axis=1),
        "Wasserstein": np.abs(gap[:, :-1]) @ np.diff(VALUES),
        "PSI": ((q - p) * np.log(q / p)).sum(axis=1),
        "JS": (p * np.log(p / middle) + q * np.log(q / middle)).sum(axis=1),
        "χ²": ((p - q) ** 2 / ((a + b) / (n + m))).sum(axis=1),
    }


class Contest:
    """Streams of one size of reference and window, and what each method makes of them."""

    def __init__(self, reference: int, rows: int, runs: int) -> None:
        self.rng, self.layout = np.random.default_rng(reference + rows), layout_of(runs)
        self.size, self.rows, self.runs = reference, rows, runs

    def begin(self) -> None:
        """Other references."""
        self.reference = independent(self.rng, self.runs, self.size, chances())
        profile = profile_of(self.layout, self.reference)
        self.abrupt = Abrupt.of(self.layout, profile)
        self.slow = {tolerance: Slow.of(self.layout, profile, tolerance=tolerance) for tolerance in (0.0, 0.05)}

    def window(self, shift: float = 0.0) -> tuple[Profile, np.ndarray, dict[str, np.ndarray]]:
        """One window of every stream: its profile, p-values of abrupt change, and the peers' statistics."""
        counts = independent(self.rng, self.runs, self.rows, chances(shift))
        profile = profile_of(self.layout, counts)
        return profile, self.abrupt.p_values(profile), peers(self.reference, counts)

    def slowly(
        self, state: SlowState, profile: Profile, *, alpha: float, tolerance: float = 0.0
    ) -> tuple[SlowState, np.ndarray]:  # fmt: skip
        """Whether the detector alarms at half of alpha; where it does it begins anew."""
        slow = self.slow[tolerance]
        state = slow.advance(state, profile)
        found = slow.evidence(state) >= 2 / alpha
        return slow.reset(state, found), found

    def tune(self, windows: int) -> tuple[dict[str, float], dict[float, float]]:
        """Thresholds of the peers at ALPHA, and false alarms per 1 000 windows of ours for each alpha tried."""
        self.begin()
        states, seen = dict.fromkeys(TRIED, SlowState.empty(self.layout)), dict.fromkeys(TRIED, 0)
        values: dict[str, list[np.ndarray]] = {}
        for _ in range(windows):
            profile, p_values, others = self.window()
            for name, value in others.items():
                values.setdefault(name, []).append(value)
            for alpha in TRIED:
                states[alpha], found = self.slowly(states[alpha], profile, alpha=alpha)
                seen[alpha] += int((found | (p_values <= alpha / 2)).sum())
        limits = {name: float(np.quantile(np.concatenate(value), 1 - ALPHA)) for name, value in values.items()}
        return limits, {alpha: 1000 * count / self.runs / windows for alpha, count in seen.items()}

    def delays(self, limits: dict[str, float], tuned: float, before: int) -> dict[str, float]:
        """Mean windows from the ramp's beginning to the first alarm, after so many windows without one."""
        self.begin()
        ours = {"budget": (ALPHA, 0.0), "tuned": (tuned, 0.0), "tolerance 0.05": (ALPHA, 0.05)}
        states = dict.fromkeys(ours, SlowState.empty(self.layout))
        first = {name: np.full(self.runs, 31.0) for name in (*limits, "abrupt alone", *ours)}
        for window in range(1 - before, 31):
            profile, p_values, others = self.window(0.02 * max(window, 0))
            alarms = {name: others[name] > limit for name, limit in limits.items()}
            alarms["abrupt alone"] = p_values <= ALPHA
            for name, (alpha, tolerance) in ours.items():
                states[name], found = self.slowly(states[name], profile, alpha=alpha, tolerance=tolerance)
                alarms[name] = found | (p_values <= alpha / 2)
            for name, alarm in alarms.items() if window > 0 else ():
                first[name] = np.where(alarm, np.minimum(first[name], window), first[name])
        return {name: float(value.mean()) for name, value in first.items()}


def ramps(runs: int = 1000, windows: int = 100) -> Iterator[str]:
    """Windows until ramps of 0.02 σ a window are found."""
    named = ("KS", "Wasserstein", "PSI", "JS", "χ²", "abrupt alone", "budget", "tuned", "tolerance 0.05")
    yield "| reference | window | windows before | " + " | ".join(named) + " | false per 1 000 at the budget |"
    yield "|---" * (len(named) + 4) + "|"
    for size in (10_000, 100_000):
        for rows in (500, 1_000, 5_000):
            contest = Contest(size, rows, runs)
            limits, rates = contest.tune(windows)
            false, tried = np.array(list(rates.values())), np.log(TRIED)
            tuned = float(np.exp(np.interp(0.0, np.log(np.maximum(false, 1e-3)), tried)))
            for before in (0, 50):
                found = contest.delays(limits, tuned, before)
                cells = " | ".join(f"{found[name]:.2f}" for name in named)
                yield f"| {size} | {rows} | {before} | {cells} | {rates[ALPHA]:.2f} |"


if __name__ == "__main__":
    for line in {"lengths": lengths, "years": years, "ramps": partial(ramps)}[sys.argv[1]]():
        print(line, flush=True)
