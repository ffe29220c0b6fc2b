"""Columns told in another unit are named as such, drift is not."""

import math

import numpy as np
import pytest

from tests.statistics.conditions import read_numbers

ROWS, WINDOW = 10_000, 2_000


def weights(seed: int, rows: int) -> np.ndarray:
    """Plausible measurements."""
    return np.random.default_rng(seed).gamma(30, 2.5, rows)


FACTORS = (10.0, 100.0, 1000.0, 0.1, 0.01, 0.001, 60.0, 1 / 60, 3600.0, 1 / 3600)


@pytest.mark.parametrize("factor", FACTORS)
def test_factors(factor: float) -> None:
    """A window multiplied by a factor between units is read as that factor."""
    read = read_numbers(weights(1, ROWS), weights(2, WINDOW) * factor)["unit_change"]
    assert (read.value, read.limit, read.beyond) == (pytest.approx(factor), 1.0, True)
    assert math.isnan(float(read.at))


@pytest.mark.parametrize("factor", [0.45359237, 1 / 0.45359237, 1.609344, 1 / 1.609344])
def test_pounds_and_miles(factor: float) -> None:
    """Close units are told only where everything agrees, as with even numbers in large windows."""
    even = np.random.default_rng(1).uniform(40, 120, ROWS)
    read = read_numbers(even, np.random.default_rng(2).uniform(40, 120, WINDOW) * factor)
    assert read["unit_change"].value == pytest.approx(factor)


def test_fahrenheit() -> None:
    """Degrees have an offset too, which is `at`."""
    celsius = np.random.default_rng(1).normal(12, 8, ROWS)
    window = np.random.default_rng(1).permutation(celsius)[:WINDOW]
    for reference, current, factor, offset in (
        (celsius, window * 1.8 + 32, 1.8, 32.0),
        (celsius * 1.8 + 32, window, 1 / 1.8, -32 / 1.8),
    ):
        read = read_numbers(reference, current).get("unit_change")
        if read is None:  # extremes that a window of a fifth misses make it unsure
            continue
        assert (read.value, read.at) == (pytest.approx(factor), pytest.approx(offset))


@pytest.mark.parametrize("month", range(6))
def test_in_another_season(month: int) -> None:
    """A factor of a hundred is told of a window that covers a part of the reference's range only."""
    year = np.sin(np.linspace(0, 2 * np.pi, 12, endpoint=False)).repeat(1_000) * 8
    values = 12 + year + np.random.default_rng(month).normal(0, 3, year.size)
    read = read_numbers(values, values[month * 1_000 : (month + 1) * 1_000] * 100)
    assert read["unit_change"].value == 100.0


@pytest.mark.parametrize(
    ("scale", "shift"),
    [(1.0, 0.0), (1.3, 0.0), (2.0, 0.0), (3.0, 0.0), (5.0, 0.0), (0.4, 0.0), (1.0, 90.0), (1.5, 30.0)],
)
def test_drift_is_no_unit(scale: float, shift: float) -> None:
    """Windows that are larger, wider or elsewhere, and have no factor between units, are left alone."""
    assert "unit_change" not in read_numbers(weights(1, ROWS), weights(2, WINDOW) * scale + shift)


def test_a_heavy_tail_that_stays_away() -> None:
    """Without its rare large values a column has a tenth of the spread, and the same unit."""
    rng = np.random.default_rng(7)
    gains = np.where(rng.random(ROWS) < 0.92, 0.0, rng.gamma(1, 4_000, ROWS))
    gains[rng.random(ROWS) < 0.005] = 99_999.0
    for start in range(0, ROWS, 200):
        assert "unit_change" not in read_numbers(gains, gains[start : start + 200])


def test_half_a_window() -> None:
    """Where only some rows are in another unit there is no one factor: other checks see those."""
    window = weights(2, WINDOW)
    window[::2] *= 100
    read = read_numbers(weights(1, ROWS), window)
    assert "unit_change" not in read
    assert read["out_of_range"].beyond
