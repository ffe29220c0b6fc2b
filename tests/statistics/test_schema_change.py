"""A column that vanishes or changes its type is told of as that, and not as so many nulls."""

import numpy as np
import pytest

from driftwatch.statistics.schema_change import RETYPED, VANISHED, schema_change
from driftwatch.stream.batch import INVALID, MISSING
from tests.statistics.conditions import read_codes, read_numbers

RNG = np.random.default_rng(9)
USUAL = np.where(RNG.random(5_000) < 0.3, MISSING, RNG.normal(size=5_000))


def test_a_column_vanishes() -> None:
    """One alarm: the nulls that come of it are shown and fail no check of their own."""
    read = read_numbers(USUAL, np.full(500, MISSING))
    assert (read["schema"].value, read["schema"].at, read["schema"].beyond) == (1, VANISHED, True)
    assert (read["missing"].value, read["missing"].beyond) == (1, False)


def test_a_column_changes_its_type() -> None:
    """Words where numbers stood; a few of them can still be read, and nulls say nothing of the type."""
    words = np.full(500, INVALID)
    words[:2], words[2:100] = 7.0, MISSING
    read = read_numbers(USUAL, words)
    assert (read["schema"].at, read["schema"].beyond) == (RETYPED, True)
    assert not read["invalid"].beyond


def test_categories_vanish() -> None:
    """Texts as well as numbers; K + 1 is the code of what is missing."""
    codes = np.arange(900, dtype=np.int32) % 3
    read = read_codes(("a", "b", "c"), codes, np.full(200, 4, dtype=np.int32))
    assert (read["schema"].at, read["unseen"].value) == (VANISHED, 0)


def test_many_nulls_are_no_vanished_column() -> None:
    """While one row in a hundred has a value, the column is there."""
    values = np.full(500, MISSING)
    values[:5] = 0.5
    read = read_numbers(USUAL, values)
    assert "schema" not in read
    assert read["missing"].beyond


@pytest.mark.parametrize(
    ("usual", "rows", "changed"), [(0.3, 8, False), (0.3, 9, True), (0.99, 1000, False), (1, 9, False)]
)
def test_what_may_be_chance_is_not_told(usual: float, rows: int, changed: bool) -> None:  # noqa: FBT001
    """Eight rows in a row lack what three in ten lack once in 15 000 times, nine once in 50 000."""
    found = schema_change(
        np.array([rows]), np.array([0]), rows, usual_missing=np.array([usual]), usual_invalid=np.array([0.0])
    )
    assert bool(found.beyond[0]) is changed


def test_an_empty_window_says_nothing() -> None:
    """All of no rows lack the column."""
    nothing = np.array([0])
    found = schema_change(nothing, nothing, 0, usual_missing=np.array([0.1]), usual_invalid=np.array([0.0]))
    assert not found.beyond[0]
