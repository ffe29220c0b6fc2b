import numpy as np
import pytest
from scipy import special, stats

from driftwatch.kernels.range_law import chance_within


def within(centres, errors, slope, reach):
    return float(
        chance_within(np.array(centres, float), np.array(errors, float), slope=np.array(slope), reach=np.array(reach))
    )


@pytest.mark.parametrize("groups", [2, 3, 5, 10, 40])
@pytest.mark.parametrize("reach", [0.5, 2.0, 3.5, 5.0])
def test_range_of_equal_numbers_is_studentised(groups, reach):
    """The studentised range of scipy with a variance that is known is the oracle."""
    expected = stats.studentized_range.cdf(reach, groups, np.inf)
    assert within(np.zeros(groups), np.ones(groups), 1.0, reach) == pytest.approx(expected, abs=1.5e-3)


@pytest.mark.parametrize("errors", [(1.0, 1.0), (0.05, 1.0), (3.0, 0.1)])
def test_difference_of_two_is_normal(errors):
    """Two numbers' range is the absolute difference, whatever the errors are."""
    away, reach = 0.7, 1.1
    error = np.hypot(*errors)
    expected = special.ndtr((reach - away) / error) - special.ndtr((-reach - away) / error)
    assert within((0.2, 0.2 + away), errors, 1.0, reach) == pytest.approx(expected, abs=1.5e-3)


def test_a_number_that_cannot_matter_does_not():
    """One far inside of the others changes nothing."""
    two = within((0.0, 5.0), (0.3, 0.3), 1.0, 5.2)
    assert within((0.0, 2.5, 5.0), (0.3, 0.1, 0.3), 1.0, 5.2) == pytest.approx(two, abs=2e-3)


def test_law_of_a_ratio_is_that_of_simulations():
    """The chance that max X ≤ 2 min X, of three numbers with different errors."""
    centres, errors = np.array([1.0, 1.4, 1.9]), np.array([0.2, 0.05, 0.1])
    drawn = np.random.default_rng(3).normal(centres, errors, (200_000, 3))
    expected = float((drawn.max(axis=1) <= 2 * drawn.min(axis=1)).mean())
    assert within(centres, errors, 2.0, 0.0) == pytest.approx(expected, abs=4e-3)
    assert within(centres, errors, 1.0, -0.1) == 0.0
