"""KS, Wasserstein and moments from bins against scipy on the values themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from driftwatch.kernels.cumulative import kolmogorov_smirnov
from driftwatch.kernels.histogram import Histogram, Moments
from driftwatch.kernels.moments import mean_shift, std_ratio
from driftwatch.kernels.transport import wasserstein
from tests import oracles

SHAPES = {
    "normal": lambda rng, rows: rng.normal(size=rows),
    "uniform": lambda rng, rows: rng.uniform(size=rows),
    "exponential": lambda rng, rows: rng.exponential(size=rows),
    "lognormal": lambda rng, rows: rng.lognormal(size=rows),
    "bimodal": lambda rng, rows: rng.normal(size=rows) + 5 * rng.integers(0, 2, rows),
    "rounded": lambda rng, rows: np.round(rng.normal(size=rows), 1),
    "counts": lambda rng, rows: rng.poisson(40, rows).astype(float),
    "many zeros": lambda rng, rows: rng.lognormal(size=rows) * (rng.uniform(size=rows) < 0.2),
}
DEVIATIONS = {shape: make(np.random.default_rng(1), 10_000).std() for shape, make in SHAPES.items()}
CHANGES = {"none": (0.0, 1.0), "shift": (0.3, 1.0), "stretch": (0.0, 1.5), "far": (20.0, 1.0), "mixed": (-0.1, 0.7)}
EVEN = (np.arange(50_000) + 0.5) / 50_000
NORMAL = stats.norm.ppf(EVEN)
IDEAL = {"normal": NORMAL, "uniform": EVEN, "bimodal": np.concatenate([NORMAL, NORMAL + 5])}


def binned(values, edges):
    """Counts (1, slots) and sums of values in the slots."""
    slots = np.searchsorted(edges, values, side="left")
    slots[values > edges[-1]] = len(edges)
    counts = np.bincount(slots, minlength=len(edges) + 1)
    return counts[None], np.bincount(slots, weights=values, minlength=len(edges) + 1)[None]


def summarised(values, edges):
    histogram = Histogram.of(*binned(values, edges), edges[None])
    extremes = {"least": np.array([values.min()]), "greatest": np.array([values.max()])}
    return histogram, Moments.of(histogram, np.array([(values**2).sum()]), **extremes)


def transported(reference, current):
    edges = oracles.quantile_edges(reference)
    (a, before), (b, after) = summarised(reference, edges), summarised(current, edges)
    return wasserstein(a, b, before=before, after=after)


def changed(rng, shape, rows, change):
    move, stretch = CHANGES[change]
    return SHAPES[shape](rng, rows) * stretch + move * DEVIATIONS[shape]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_wasserstein_of_values(shape, change):
    """Within 1 % of scipy's exact distance, or within 1.5e-3 deviations where long tails fill a single bin."""
    rng = np.random.default_rng(11)
    reference, current = SHAPES[shape](rng, 20_000), changed(rng, shape, 5_000, change)
    exact = stats.wasserstein_distance(reference, current) / reference.std(ddof=1)

    assert transported(reference, current).value[0] == pytest.approx(exact, rel=0.01, abs=1.5e-3)


@given(
    reference=st.lists(st.integers(0, 30), min_size=2, max_size=60).filter(lambda x: len(set(x)) > 1),
    current=st.lists(st.integers(0, 30), min_size=2, max_size=60),
)
def test_wasserstein_of_one_value_per_bin(reference, current):
    """With values that the reference has, scipy's weighted distance comes out exactly."""
    known = np.array(reference, dtype=float)
    seen = known[np.array(current) % known.size]
    exact = stats.wasserstein_distance(known, seen) / known.std(ddof=1)

    assert transported(known, seen).value[0] == pytest.approx(exact, rel=1e-12, abs=1e-12)


def test_wasserstein_beyond_the_reference():
    """Values far outside the reference are carried exactly: only their sums matter."""
    reference, current = np.linspace(0, 1, 1000), np.concatenate([np.full(500, 1e6), np.full(500, -1e6)])
    exact = stats.wasserstein_distance(reference, current) / reference.std(ddof=1)

    assert transported(reference, current).value[0] == pytest.approx(exact, rel=1e-12)


def test_wasserstein_sees_noise_inside_bins():
    """Two samples of one distribution: what bins hide of the noise is put back, on average to 1 %."""
    rng = np.random.default_rng(2)
    ratios = []
    for _ in range(40):
        reference, current = rng.normal(size=20_000), rng.normal(size=20_000)
        exact = stats.wasserstein_distance(reference, current) / reference.std(ddof=1)
        ratios.append(transported(reference, current).value[0] / exact)

    assert np.mean(ratios) == pytest.approx(1.0, abs=0.01)


@given(
    reference=st.lists(st.integers(0, 40), min_size=6, max_size=6).filter(any),
    current=st.lists(st.integers(0, 40), min_size=6, max_size=6).filter(any),
)
def test_ks_of_slots(reference, current):
    """The statistic is scipy's on the slots written out, and its p-value Kolmogorov's."""
    a, b = np.array([reference]), np.array([current])
    expected = oracles.ks(a[0], b[0])

    made = kolmogorov_smirnov(a, b, spread=np.zeros((1, 6), dtype=bool))
    assert made.value[0] == pytest.approx(expected, abs=1e-12)
    size = np.sqrt(a.sum() * b.sum() / (a.sum() + b.sum()))
    assert made.p_value[0] == pytest.approx(special.kolmogorov(size * expected), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_ks_error_bound(shape, change):
    """The exact statistic lies between the binned one and the binned one plus the documented bound."""
    rng = np.random.default_rng(12)
    reference, current = SHAPES[shape](rng, 20_000), changed(rng, shape, 5_000, change)
    edges = oracles.quantile_edges(reference)
    a, b = binned(reference, edges)[0], binned(current, edges)[0]
    exact = stats.ks_2samp(reference, current, method="asymp").statistic

    value = kolmogorov_smirnov(a, b, spread=np.ones(a.shape, dtype=bool)).value[0]
    bound = np.minimum(a / a.sum(), b / b.sum()).max()
    assert value - 1e-12 <= exact <= value + bound + 1e-12
    assert bound <= (a / a.sum()).max()


def test_atoms_are_recognised():
    """Bins that hold only their edge's value are atoms, whatever rounding does to sums; others are not."""
    edges = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    values = np.concatenate([np.full(1000, 0.1), np.full(1000, 0.2), [0.25, 0.3]])

    assert Histogram.of(*binned(values, edges), edges[None]).atoms.tolist() == [[True, True, False, True]]


@pytest.mark.parametrize("shape", SHAPES)
def test_moments(shape):
    """Mean and deviation are exact; skewness and kurtosis from bins come near."""
    values = SHAPES[shape](np.random.default_rng(4), 20_000)
    _, made = summarised(values, oracles.quantile_edges(values))

    assert made.mean[0] == pytest.approx(values.mean(), rel=1e-9, abs=1e-9)
    assert made.deviation[0] == pytest.approx(values.std(ddof=1), rel=1e-9)
    assert made.skewness[0] == pytest.approx(stats.skew(values), rel=0.4, abs=0.05)
    assert made.kurtosis[0] == pytest.approx(stats.kurtosis(values, fisher=False), rel=0.5)


def test_welch():
    """The p-value of mean_shift is Welch's with the normal in place of t."""
    rng = np.random.default_rng(8)
    reference, current = rng.normal(size=3000), rng.normal(0.05, 2, size=2000)
    edges = oracles.quantile_edges(reference)
    made = mean_shift(summarised(reference, edges)[1], summarised(current, edges)[1])

    assert made.value[0] == pytest.approx((current.mean() - reference.mean()) / reference.std(ddof=1), rel=1e-9)
    assert made.p_value[0] == pytest.approx(stats.ttest_ind(reference, current, equal_var=False).pvalue, rel=2e-2)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("shape", "least"), [("normal", 0.93), ("uniform", 0.93), ("bimodal", 0.85)])
@pytest.mark.parametrize(("n", "m"), [(5_000, 1_000), (2_000, 2_000)])
def test_coverage(n, m, shape, least, change):
    """The 95 % bounds hold the true value in about so many of 300 repetitions; two modes make Wasserstein's narrow."""
    rng, repeats = np.random.default_rng(9), 300
    edges = oracles.quantile_edges(SHAPES[shape](rng, n))
    all_edges = np.repeat(edges[None], repeats, axis=0)

    def side(rows, how):
        values = [changed(rng, shape, rows, how) for _ in range(repeats)]
        counts, sums = (np.concatenate(part) for part in zip(*(binned(v, edges) for v in values), strict=True))
        histogram = Histogram.of(counts, sums, all_edges)
        extremes = {"least": np.array([v.min() for v in values]), "greatest": np.array([v.max() for v in values])}
        return counts, histogram, Moments.of(histogram, np.array([(v**2).sum() for v in values]), **extremes)

    (a, reference, before), (b, current, after) = side(n, "none"), side(m, change)
    one = IDEAL[shape]
    other = one * CHANGES[change][1] + CHANGES[change][0] * DEVIATIONS[shape]
    spread = np.ones(a.shape, dtype=bool)
    cases = {
        "ks": (kolmogorov_smirnov(a, b, spread=spread), stats.ks_2samp(one, other, method="asymp").statistic),
        "wasserstein": (
            wasserstein(reference, current, before=before, after=after),
            stats.wasserstein_distance(one, other) / one.std(),
        ),
        "mean_shift": (mean_shift(before, after), (other.mean() - one.mean()) / one.std()),
        "std_ratio": (std_ratio(before, after), other.std() / one.std()),
    }
    for name, (made, true) in cases.items():
        covered = np.mean((made.lower <= true + 1e-4) & (made.upper >= true - 1e-4))
        assert covered >= least, name
