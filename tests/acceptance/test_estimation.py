"""Binned estimates, recalibrated on line, beside NannyML's on the car loan data."""

import numpy as np
import pytest

from tests.benchmarks.estimation import METHODS, METRICS, car_loan, nannyml, online, realised, resampled

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def rows(shared):
    assert shared.is_dir()
    return car_loan()


def test_error_is_at_most_nannymls(rows):
    """Mean absolute error over the ten analysis chunks, for every metric that NannyML estimates."""
    real = realised(rows)
    ours, theirs = (np.abs(found - real).mean(axis=0) for found in (online(rows), nannyml()))
    for name, mine, other in zip(METRICS, ours, theirs, strict=True):
        assert mine <= other, name


def test_slices_are_closer_on_a_shifted_mix(rows):
    """Windows drawn by the car's value: estimates that know the groups are closer than plain ones."""
    errors = dict(zip(METHODS, resampled(rows, windows=10), strict=True))
    for k, name in enumerate(METRICS[:3]):
        assert errors["slices"][k] < errors["plain"][k], name
