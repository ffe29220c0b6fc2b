"""What columns declare is applied as values are read: what stands for none, what is allowed, what is of a pattern."""

import numpy as np
import pytest

from driftwatch.errors import ConfigError
from driftwatch.stream.batch import INVALID, MISSING
from driftwatch.stream.convert import WRONG, Lookup, codes, numbers
from driftwatch.stream.schema import Column, ColumnSpec, Kind


def described(kind: Kind, written: dict, vocabulary: tuple[str, ...] = ()) -> Column:
    return ColumnSpec.model_validate(written).describe(Column("x", kind, vocabulary))


def read(column: Column, values: list[object]) -> list[str]:
    """Categories by name, and other, missing, invalid; both roads must agree on texts."""
    lookup = Lookup(column)
    names = [*column.vocabulary, "other", "missing", "invalid"]
    found = codes(values, lookup).tolist()
    texts = [value for value in values if isinstance(value, str) and value != WRONG]
    assert codes(texts, lookup).tolist() == lookup.remap(texts).tolist()
    return [names[code] for code in found]


def test_numbers() -> None:
    """Sentinels are missing; what is not allowed is invalid; bounds leave values as they are."""
    column = described(Kind.NUMERIC, {"sentinels": [-200, 999], "min": 0})
    np.testing.assert_array_equal(numbers([1.0, -200, 999.0, None, -5.0], column), [1, MISSING, MISSING, MISSING, -5])
    column = described(Kind.NUMERIC, {"allowed": [1, 2.5], "sentinels": [-1]})
    np.testing.assert_array_equal(numbers([1, 2.5, 3.0, -1, None], column), [1, 2.5, INVALID, MISSING, MISSING])
    column = described(Kind.NUMERIC, {"sentinels": [-1], "coerce": True})
    np.testing.assert_array_equal(numbers(["-1", "7"], column), [MISSING, 7])


def test_sentinels_among_words() -> None:
    """Whether the reference knew them as categories or not."""
    column = described(Kind.CATEGORICAL, {"sentinels": ["N/A", -1]}, ("DE", "N/A"))
    assert read(column, ["DE", "N/A", "-1", -1, -1.0, "FR", None]) == [
        "DE", "missing", "missing", "missing", "missing", "other", "missing",
    ]  # fmt: skip


def test_allowed_words() -> None:
    """All else is invalid; an allowed one that the reference does not know is other."""
    column = described(Kind.CATEGORICAL, {"allowed": ["DE", "FR", 7, True]}, ("DE", "US"))
    assert read(column, ["DE", "US", "FR", "XX", 7, True, "true", None, WRONG[0]]) == [
        "DE", "invalid", "other", "invalid", "other", "other", "other", "missing", "invalid",
    ]  # fmt: skip


def test_words_of_a_pattern() -> None:
    """What is not of it is invalid, known or not."""
    column = described(Kind.CATEGORICAL, {"pattern": "AA"}, ("DE", "FR1"))
    assert read(column, ["DE", "FR1", "US", "US1", 12, None]) == [
        "DE", "invalid", "other", "invalid", "invalid", "missing",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "written", "key"),
    [
        (Kind.NUMERIC, {"pattern": "999"}, "pattern"),
        (Kind.NUMERIC, {"sentinels": ["none"]}, "sentinels"),
        (Kind.CATEGORICAL, {"max": 3}, "max"),
        (Kind.BOOLEAN, {"allowed": [True]}, "allowed"),
        (Kind.BOOLEAN, {"sentinels": ["none"]}, "sentinels"),
    ],
)
def test_what_a_column_cannot_be(kind: Kind, written: dict, key: str) -> None:
    """The key is named."""
    with pytest.raises(ConfigError, match=rf"^{key}: "):
        described(kind, written)
