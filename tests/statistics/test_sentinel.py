"""Values that stand for none: found whether the reference has them or not, and not where numbers only look odd."""

import numpy as np
import pytest

from driftwatch.statistics.condition import Condition
from driftwatch.stream.batch import MISSING
from tests import oracles
from tests.statistics.conditions import by_check, read_numbers

ROWS, WINDOW = 10_000, 2_000


def column(seed: int, rows: int, kind: str) -> np.ndarray:
    """Numbers of several kinds."""
    rng = np.random.default_rng(seed)
    return {
        "temperature": lambda: rng.normal(18, 9, rows),
        "sensor": lambda: rng.gamma(6, 150, rows) + 300,
        "age": lambda: rng.integers(17, 91, rows).astype(float),
        "amount": lambda: np.exp(rng.normal(4, 1.5, rows)),
        "days": lambda: rng.integers(0, 500, rows).astype(float),
        "zeros": lambda: np.where(rng.random(rows) < 0.9, 0.0, rng.gamma(2, 900, rows) + 100),
        "standard": lambda: rng.normal(size=rows),
        "degrees": lambda: rng.integers(-1, 30, rows).astype(float),
        "flag": lambda: (rng.random(rows) < 0.3).astype(float),
        "grade": lambda: rng.integers(1, 6, rows).astype(float),
        "uniform": lambda: rng.random(rows),
    }[kind]()


def dirty(values: np.ndarray, code: float, share: float) -> np.ndarray:
    """Every so many rows are the code."""
    values = values.copy()
    values[:: round(1 / share)] = code
    return values


CODED = [
    ("temperature", -200.0), ("temperature", 999.0), ("sensor", -200.0), ("sensor", -1.0), ("sensor", 99_999.0),
    ("age", 999.0), ("age", -1.0), ("amount", -1.0), ("amount", -999.0), ("days", -1.0), ("days", 9_999.0),
    ("standard", 999.9), ("standard", -9_999.0), ("uniform", -1.0), ("uniform", 1e20), ("zeros", -1.0),
]  # fmt: skip


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(("kind", "code"), CODED)
def test_codes(kind: str, code: float, *, known: bool) -> None:
    """A code at the end of a column is found, its share is right, and `at` is it; known: the reference has it too."""
    reference, current = column(1, ROWS, kind), column(2, WINDOW, kind)
    read = read_numbers(dirty(reference, code, 0.04) if known else reference, dirty(current, code, 0.05))
    assert "sentinel" in read
    assert read["sentinel"].at == code
    assert read["sentinel"].value == pytest.approx(0.05, abs=0.006)
    assert read["sentinel"].beyond


@pytest.mark.parametrize("kind", ["temperature", "sensor", "age", "amount", "days", "zeros", "standard", "degrees",
                                  "flag", "grade", "uniform"])  # fmt: skip
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (1.3, 0.0), (1.0, 5.0), (0.5, -3.0), (4.0, 20.0)])
def test_numbers_are_no_codes(kind: str, scale: float, shift: float) -> None:
    """Windows that drift, however far, hold no sentinel, and neither do zeros and flags."""
    for seed in range(3):
        read = read_numbers(column(seed, ROWS, kind), column(seed + 50, WINDOW, kind) * scale + shift)
        assert "sentinel" not in read, read["sentinel"]


def test_a_rare_code_is_shown_and_tells_nobody() -> None:
    """One row in two hundred is below the limit."""
    read = read_numbers(column(1, ROWS, "age"), dirty(column(2, WINDOW, "age"), 999.0, 0.005))["sentinel"]
    assert (read.at, read.value, read.limit, read.beyond) == (999.0, pytest.approx(0.005), 0.01, False)


def test_a_code_in_the_midst() -> None:
    """A spike at a code within the range is found where the reference has none."""
    rng = np.random.default_rng(3)
    reference, current = rng.normal(0, 2_000, ROWS), rng.normal(0, 2_000, WINDOW)
    read = read_numbers(reference, dirty(current, -999.0, 0.05))["sentinel"]
    assert (read.at, read.value) == (-999.0, pytest.approx(0.05, abs=0.01))


def test_a_column_of_nothing_else() -> None:
    """A column that is all code, in window and reference, is found by the company of others that have the same one."""
    rng = np.random.default_rng(4)
    reference = [*(dirty(rng.normal(20, 5, ROWS), -200.0, 0.05) for _ in range(2)), np.full(ROWS, -200.0)]
    layout = oracles.layout_of(reference)
    condition = Condition.of(layout, oracles.profile_of(layout, reference))
    found = [each for each in condition.readings(oracles.profile_of(layout, reference)) if each.statistic == "sentinel"]
    assert [(each.column, each.at) for each in found] == [("n0", -200.0), ("n1", -200.0), ("n2", -200.0)]
    assert found[2].value == 1.0
    alone = read_numbers(reference[2], reference[2])
    assert "sentinel" not in alone


def test_beside_values_that_are_out_of_range_too() -> None:
    """A code among values that have drifted beyond the range is found, and counted nearly right."""
    reference = column(1, ROWS, "temperature")
    current = dirty(column(2, WINDOW, "temperature") - 15, -200.0, 0.1)
    read = read_numbers(reference, current)["sentinel"]
    assert (read.at, read.value) == (-200.0, pytest.approx(0.1, abs=0.01))


def test_hostile_numbers() -> None:
    """Columns of the largest numbers, of one value, or of none spoil nothing."""
    for reference, current in (
        (np.array([1e308, -1e308, 0.0] * 50), np.array([1e308, -1e308, 5e-324] * 50)),
        (np.full(50, MISSING), np.arange(50.0)),
        (np.arange(50.0), np.full(50, MISSING)),
        (np.full(50, 7.0), np.full(50, -1e300)),
    ):
        read = read_numbers(reference, current)
        assert all(0 <= read[check].value <= 1 for check in by_check(list(read.values())) if check != "unit_change")
