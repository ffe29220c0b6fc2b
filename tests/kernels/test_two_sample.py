"""One p-value per column: what must hold whatever the counts, its level, and its power beside each single test."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats

from driftwatch.kernels.combination import Components
from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.kernels.two_sample import numeric_components
from driftwatch.kernels.two_sample_categories import categorical_components

CELLS = 20
COUNTS = arrays(np.int64, (4, CELLS), elements=st.one_of(st.integers(0, 3), st.integers(0, 100_000), st.just(0)))
ORDERED, WORDS = "ordered", "words"


def components_of(kind: str, reference: np.ndarray, current: np.ndarray) -> Components:
    """Columns (columns, cells) as numbers or as words."""
    columns, cells = reference.shape
    factors = Overdispersion.none(columns)
    if kind == ORDERED:
        return numeric_components(reference, current, factors)
    offsets = np.arange(columns + 1) * cells
    return categorical_components(reference.ravel(), current.ravel(), offsets, factors=factors)


def p_values(kind: str, reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    return components_of(kind, reference, current).combined()


@pytest.mark.parametrize("kind", [ORDERED, WORDS])
@given(reference=COUNTS, current=COUNTS)
@settings(max_examples=60, deadline=None)
def test_always_a_chance_and_symmetric(kind: str, reference: np.ndarray, current: np.ndarray) -> None:
    """Whatever was counted, and whichever of the two is called the reference."""
    told = p_values(kind, reference, current)
    assert ((told >= 0) & (told <= 1)).all()
    other = p_values(kind, current, reference)
    assert np.log(np.maximum(other, 1e-250)) == pytest.approx(np.log(np.maximum(told, 1e-250)), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("kind", [ORDERED, WORDS])
@given(reference=COUNTS, current=COUNTS)
@settings(max_examples=40, deadline=None)
def test_columns_do_not_know_of_each_other(kind: str, reference: np.ndarray, current: np.ndarray) -> None:
    """A column's p-value is the same alone as beside others, however odd those are."""
    together = p_values(kind, reference, current)
    alone = [p_values(kind, reference[[c]], current[[c]])[0] for c in range(len(reference))]
    assert together == pytest.approx(alone, rel=1e-3, abs=1e-300)


@pytest.mark.parametrize("kind", [ORDERED, WORDS])
@given(counts=COUNTS, times=st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_equal_shares_are_no_evidence(kind: str, counts: np.ndarray, times: int) -> None:
    """A window with exactly the reference's shares is as little evidence as there is."""
    assert (p_values(kind, counts, times * counts) > 0.3).all()


@given(reference=COUNTS, current=COUNTS)
@settings(max_examples=40, deadline=None)
def test_numbers_read_backwards_are_the_same(reference: np.ndarray, current: np.ndarray) -> None:
    """Falling is as notable as rising; cells at the edge of a group may fall on its other side."""
    back = [*range(CELLS - 3, -1, -1), CELLS - 2, CELLS - 1]
    told = p_values(ORDERED, reference, current)
    mirrored = p_values(ORDERED, reference[:, back], current[:, back])
    sure = (told < 1e-12) | (mirrored < 1e-12)
    assert (np.maximum(told, mirrored)[sure] < 1e-6).all()


@given(reference=COUNTS, current=COUNTS, order=st.permutations(range(CELLS - 2)))
@settings(max_examples=40, deadline=None)
def test_words_have_no_order(reference: np.ndarray, current: np.ndarray, order: list[int]) -> None:
    """Where a category stands in the vocabulary says nothing."""
    cells = [*order, CELLS - 2, CELLS - 1]
    told = p_values(WORDS, reference, current)
    shuffled = p_values(WORDS, reference[:, cells], current[:, cells])
    assert np.log(np.maximum(shuffled, 1e-250)) == pytest.approx(np.log(np.maximum(told, 1e-250)), rel=1e-6, abs=0.7)


def test_no_columns_no_answers() -> None:
    """A model may have no numbers, or no words."""
    none = np.zeros((0, CELLS), dtype=np.int64)
    assert p_values(ORDERED, none, none).shape == p_values(WORDS, none, none).shape == (0,)


SHAPES = {
    "even": np.ones(128) / 128,
    "skewed": np.exp(-0.7 * np.arange(12)) / np.exp(-0.7 * np.arange(12)).sum(),
    "one bin": np.append(0.95, np.full(20, 0.05 / 20)),
    "two": np.array([0.9, 0.1]),
    "three": np.array([0.3, 0.5, 0.2]),
    "Zipf": 1 / np.arange(1, 51) / (1 / np.arange(1, 51)).sum(),
}


@pytest.mark.parametrize("kind", [ORDERED, WORDS])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("n", "m"), [(1_000, 100), (10_000, 1_000), (1_000, 5_000)])
def test_level(kind: str, shape: str, n: int, m: int) -> None:
    """Where nothing has changed, no more than told is called changed, beyond what chance explains."""
    dice = np.random.default_rng([n, m, *shape.encode()])
    shares = np.concatenate([0.99 * SHAPES[shape], [0.01, 0]])
    columns = 15_000
    told = p_values(kind, dice.multinomial(n, shares, columns), dice.multinomial(m, shares, columns))
    for level in (0.01, 0.001):
        assert (told <= level).sum() <= stats.binom.ppf(0.999, columns, level)


def binned(cdf: np.ndarray, *, missing: float = 0.01) -> np.ndarray:
    """Shares of 128 bins, missing and invalid."""
    return np.concatenate([np.diff(cdf, prepend=0.0, append=1.0) * (1 - missing), [missing, 0.0]])


EDGES = special.ndtri(np.arange(1, 128) / 128)
NORMAL = special.ndtr(EDGES)
CHANGES = {
    "location": binned(special.ndtr(EDGES - 0.2)),
    "shape": binned((special.ndtr((EDGES - 0.8) / 0.6) + special.ndtr((EDGES + 0.8) / 0.6)) / 2),
    "groups": binned(NORMAL + 0.04 * np.sin(5 * 2 * np.pi * NORMAL) / 2),
    "cell": binned(0.96 * NORMAL + 0.04 * (EDGES >= 0.31)),
    "missing": binned(NORMAL, missing=0.05),
}


@pytest.mark.parametrize("change", CHANGES)
def test_power_is_near_that_of_the_best_single_test(change: str) -> None:
    """Whatever moved, at most a sixth of the windows that the test made for it finds are lost."""
    dice = np.random.default_rng(9)
    reference = dice.multinomial(10_000, binned(NORMAL), 1_000)
    components = components_of(ORDERED, reference, dice.multinomial(800, CHANGES[change], 1_000))
    found = {name: (chance <= 0.001).mean() for name, chance in components.p_values.items()}

    assert found[change] > 0.3
    assert (components.combined() <= 0.001).mean() >= max(found.values()) - 0.17


def test_five_points_of_nulls_are_found() -> None:
    """Missing values are part of what can change, of numbers and of words."""
    before, after = binned(NORMAL, missing=0.02), binned(NORMAL, missing=0.07)
    dice = np.random.default_rng(10)
    for kind in (ORDERED, WORDS):
        told = p_values(kind, dice.multinomial(10_000, before, 500), dice.multinomial(500, after, 500))
        assert (told <= 0.001).mean() > 0.7


@pytest.mark.parametrize("kind", [ORDERED, WORDS])
def test_a_window_without_values_has_lost_them(kind: str) -> None:
    """All missing is as sure as anything, though no value is left to compare."""
    reference = np.zeros((1, CELLS), dtype=np.int64)
    reference[0, :10] = 100
    current = np.zeros_like(reference)
    current[0, -2] = 500
    assert p_values(kind, reference, current)[0] < 1e-100


def test_rows_that_hang_together_are_less_evidence() -> None:
    """Factors divide the evidence, and factors that are but estimated divide it further."""
    dice = np.random.default_rng(11)
    reference, current = dice.multinomial(10_000, binned(NORMAL), 1), dice.multinomial(800, CHANGES["location"], 1)
    four = np.full(1, 4.0)

    def told(factors: Overdispersion) -> float:
        return float(numeric_components(reference, current, factors).combined()[0])

    known = told(Overdispersion(four, four, four, four, np.array([np.inf])))
    estimated = told(Overdispersion(four, four, four, four, np.array([8.0])))
    assert told(Overdispersion.none(1)) < 1e-3 * known < known < estimated
