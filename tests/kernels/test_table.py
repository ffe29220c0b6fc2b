import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.kernels import distances, homogeneity
from driftwatch.kernels.table import Table
from tests import oracles

SIZES = [1, 2, 5, 13]


@st.composite
def samples(draw):
    """Reference and current counts of four ragged columns; every column has rows on both sides, cells may be empty."""
    sides = []
    for size in SIZES:
        cells = st.lists(st.integers(0, 60), min_size=size, max_size=size).filter(any)
        sides.append((np.array(draw(cells)), np.array(draw(cells))))
    return sides


def table_of(columns):
    offsets = np.concatenate([[0], np.cumsum([len(reference) for reference, _ in columns])])
    return Table.of(np.concatenate([a for a, _ in columns]), np.concatenate([b for _, b in columns]), offsets)


@pytest.mark.parametrize(
    ("kernel", "oracle"),
    [
        (distances.psi, oracles.psi),
        (distances.kl, oracles.kl),
        (distances.js, oracles.js),
        (distances.hellinger, oracles.hellinger),
        (distances.tv, oracles.tv),
        (distances.linf, oracles.linf),
        (homogeneity.chi2, lambda a, b: oracles.chi2(a, b)[0]),
    ],
)
@given(columns=samples())
def test_value(kernel, oracle, columns):
    """Every column's value is what the slow formula or scipy says of its counts alone."""
    expected = [oracle(a, b) for a, b in columns]

    # Distances are roots of sums that cancel, so that 1e-12 is asked of their squares where they are small.
    actual = kernel(table_of(columns)).value
    assert np.all(
        np.isclose(actual, expected, rtol=1e-12, atol=1e-13)
        | np.isclose(actual**2, np.square(expected), rtol=0, atol=1e-14)
    )


@given(columns=samples())
def test_cramers_v(columns):
    """Cramér's V is scipy's, where scipy defines it: with two occupied cells or more."""
    table = table_of(columns)
    several = [i for i, (a, b) in enumerate(columns) if np.count_nonzero(a + b) > 1]

    expected = [oracles.cramers_v(*columns[i]) for i in several]
    assert homogeneity.cramers_v(table).value[several] == pytest.approx(expected, rel=1e-12, abs=1e-13)


@given(columns=samples())
def test_p_value(columns):
    """The p-value is that of scipy's contingency table; a single cell cannot differ."""
    expected = [oracles.chi2(a, b)[1] for a, b in columns]

    assert table_of(columns).p_value == pytest.approx(expected, rel=1e-10, abs=1e-15)


@given(columns=samples())
def test_bounds_are_in_order(columns):
    """Bounds lie around the adjusted value and inside the range."""
    for kernel, high in (
        (distances.psi, np.inf),
        (distances.kl, np.inf),
        (distances.js, 1.0),
        (distances.hellinger, 1.0),
        (distances.tv, 1.0),
        (distances.linf, 1.0),
        (homogeneity.chi2, np.inf),
    ):
        made = kernel(table_of(columns))

        assert np.all((made.lower >= 0) & (made.upper <= high))
        assert np.all((made.lower <= made.adjusted + 1e-12) & (made.adjusted <= made.upper + 1e-12)), kernel


def test_bergsma_by_hand():
    """The adjusted V follows Bergsma's formula on a table worked out by hand."""
    reference, current = np.array([30, 70]), np.array([50, 50])
    phi2 = oracles.chi2(reference, current)[0] / 200 - 1 / 199
    smaller = 2 - 1 / 199 - 1

    made = homogeneity.cramers_v(table_of([(reference, current)]))
    assert made.adjusted[0] == pytest.approx(np.sqrt(phi2 / smaller), rel=1e-12)


def test_no_columns():
    """No columns give no values."""
    empty = Table.of(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(1, np.int64))

    for kernel in (distances.psi, distances.js, distances.linf, distances.tv, homogeneity.cramers_v):
        assert kernel(empty).value.shape == (0,)


@pytest.mark.parametrize("change", [0.0, 0.05, 0.2, 0.6])
@pytest.mark.parametrize(("n", "m"), [(20_000, 1_000), (5_000, 5_000), (1_000, 300)])
def test_coverage(n, m, change):
    """The 95 % bounds hold the true distance in at least 93 % of 1 000 repetitions, whatever the size of the change."""
    rng = np.random.default_rng(7)
    p = rng.dirichlet(np.full(10, 4.0))
    q = (1 - change) * p + change * rng.dirichlet(np.full(10, 4.0))
    repeats, many = 1000, 10**10
    offsets = np.arange(repeats + 1) * 10
    table = Table.of(rng.multinomial(n, p, repeats).ravel(), rng.multinomial(m, q, repeats).ravel(), offsets)
    truth = Table.of(np.rint(p * many).astype(int), np.rint(q * many).astype(int), np.array([0, 10]))

    for kernel in (distances.psi, distances.kl, distances.js, distances.hellinger, distances.tv, distances.linf):
        made, true = kernel(table), kernel(truth).value[0]
        covered = np.mean((made.lower <= true + 1e-6) & (made.upper >= true - 1e-6))
        assert covered >= 0.93, kernel.__name__


def test_adjusted_is_nearly_unbiased_without_change():
    """Without change PSI's plug-in is (cells - 1)(1/n + 1/m) too high on average; the adjusted value is not."""
    rng = np.random.default_rng(3)
    p, repeats = np.full(10, 0.1), 4000
    table = Table.of(
        rng.multinomial(5000, p, repeats).ravel(),
        rng.multinomial(1000, p, repeats).ravel(),
        np.arange(repeats + 1) * 10,
    )

    made = distances.psi(table)
    assert np.mean(made.value) == pytest.approx(9 * (1 / 5000 + 1 / 1000), rel=0.05)
    assert np.median(made.adjusted) < 0.1 * np.mean(made.value)


def test_p_value_is_uniform_without_change():
    """Without change one p-value in twenty is below 0.05."""
    rng = np.random.default_rng(5)
    p, repeats = np.full(8, 0.125), 4000
    table = Table.of(
        rng.multinomial(2000, p, repeats).ravel(), rng.multinomial(500, p, repeats).ravel(), np.arange(repeats + 1) * 8
    )

    assert np.mean(table.p_value < 0.05) == pytest.approx(0.05, abs=0.012)
    assert np.mean(distances.linf(table).p_value < 0.05) < 0.06
