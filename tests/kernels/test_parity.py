import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special

from driftwatch.kernels.interval import Z
from driftwatch.kernels.parity import difference_interval, ratio_interval
from driftwatch.statistics.fairness import share_rates
from tests.benchmarks.fairness import Case, coverage


def rates(hits, rows):
    return share_rates(np.array(hits, float), np.array(rows, float))


def test_far_end_of_two_is_newcombes():
    """The upper bound is the published one (1998, table II, example a, method 10)."""
    interval = difference_interval(rates((56, 48), (70, 80)))
    assert float(interval.upper) == pytest.approx(0.3339, abs=5e-5)


def test_near_end_of_two_is_the_score_bound():
    """Where rates are clearly apart the near bound is Miettinen and Nurminen's (without their N / (N - 1))."""
    hits, rows = (30, 90), (100, 100)

    def score(theta):
        def loss(low):
            shares = np.array([low, low + theta])
            return -float(np.sum(special.xlogy(hits, shares) + special.xlogy(np.subtract(rows, hits), 1 - shares)))

        low = optimize.minimize_scalar(loss, bounds=(1e-9, 1 - theta - 1e-9), method="bounded").x
        shares = np.array([low, low + theta])
        return (0.6 - theta) / np.sqrt((shares * (1 - shares) / rows).sum()) - Z

    expected = optimize.brentq(score, 0.01, 0.59)
    assert float(difference_interval(rates(hits, rows)).lower) == pytest.approx(expected, abs=1e-3)


def test_equal_rates_are_not_told_apart():
    """The near end is equality itself, of differences and of ratios."""
    same = rates((50, 50, 50), (200, 200, 200))
    assert [float(part) for part in (difference_interval(same).value, difference_interval(same).lower)] == [0.0, 0.0]
    assert float(ratio_interval(same).upper) == 1.0


def test_many_equal_groups_look_apart_and_are_not_said_to_be():
    """The plug-in of twenty equal groups is 0.08 and more; two of them alone would be told apart."""
    hits = np.linspace(80, 118, 20).round()
    interval = difference_interval(rates(hits, np.full(20, 500.0)))
    assert float(interval.value) > 0.07
    assert float(interval.lower) == 0.0
    assert float(difference_interval(rates((80, 118), (500, 500))).lower) > 0.02


def test_nobody_selected_is_no_ratio():
    """Nothing is said of a ratio of nothing; some of one group and none of another is a ratio of 0."""
    assert np.isnan([float(part) for part in (ratio_interval(rates((0, 0), (50, 50))).value,)]).all()
    none = ratio_interval(rates((0, 20), (50, 50)))
    assert (float(none.value), float(none.lower)) == (0.0, 0.0)
    assert 0.0 < float(none.upper) < 0.3


def test_the_wider_side_counts():
    """Of two sides the value is the greater difference; a side that is alike adds little to the far end."""
    wide, alike = rates((100, 200), (500, 500)), rates((900, 905), (5000, 5000))
    both = difference_interval(wide, alike)
    assert float(both.value) == pytest.approx(0.2)
    assert float(both.upper) == float(difference_interval(wide).upper)
    assert float(both.lower) == pytest.approx(float(difference_interval(wide).lower), abs=0.005)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(30, 20_000), st.floats(0, 1)), min_size=2, max_size=7),
    st.randoms(use_true_random=False),
)
def test_order_does_not_matter_and_the_value_is_inside(groups, random):
    """Any sizes and rates: bounds are ordered, inside of what is possible, and the same whichever group comes first."""
    hits, rows = [round(size * share) for size, share in groups], [size for size, _ in groups]
    places = list(range(len(rows)))
    random.shuffle(places)
    for measure, highest in ((difference_interval, 1.0), (ratio_interval, 1.0)):
        interval = measure(rates(hits, rows))
        if np.isnan(interval.value):
            assert not any(hits)
            continue
        assert 0.0 <= interval.lower <= interval.value <= interval.upper <= highest
        again = measure(rates([hits[place] for place in places], [rows[place] for place in places]))
        bounds = [float(interval.lower), float(interval.upper)]
        assert [float(again.lower), float(again.upper)] == pytest.approx(bounds, abs=1e-9)


@pytest.mark.parametrize(
    ("measure", "case"),
    [
        ("statistical_parity_difference", Case(0.2, 0.0, "two groups")),
        ("statistical_parity_difference", Case(0.05, 0.05, "two groups")),
        ("statistical_parity_difference", Case(0.2, 0.0, "one apart")),
        ("disparate_impact_ratio", Case(0.2, 0.05, "one apart")),
        ("equalized_odds_difference", Case(0.5, 0.1, "two groups")),
    ],
    ids=str,
)
def test_intervals_hold_the_truth(measure, case):
    """A guard: 500 simulations of groups of 500; the whole table is the benchmark."""
    assert 0.92 <= coverage(measure, case, 500, simulations=500) <= 0.985
