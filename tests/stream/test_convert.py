"""Values to numbers and codes: what is missing, invalid, other, and known."""

import numpy as np
import pytest

from driftwatch.stream.batch import INVALID, MISSING
from driftwatch.stream.convert import WRONG, Lookup, codes, numbers
from driftwatch.stream.schema import Column, Kind


def lookup(*vocabulary: str) -> Lookup:
    return Lookup(Column("c", Kind.CATEGORICAL, vocabulary))


def code_of(value, found: Lookup) -> int:
    return int(codes([value], found)[0])


@pytest.mark.parametrize(
    ("vocabulary", "value", "category"),
    [
        (("1", "2"), 2, "2"),
        (("1", "2"), 2.0, "2"),
        (("1", "2"), "2", "2"),
        (("1", "2"), "2.0", None),
        (("2.0",), 2, "2.0"),
        (("2.5",), 2.5, "2.5"),
        (("2.50",), 2.5, None),
        (("01",), 1, None),
        (("-3",), -3, "-3"),
        (("1e3",), 1000, None),
        (("inf", "nan"), "nan", "nan"),
        (("9007199254740993",), 9007199254740993, "9007199254740993"),
        (("9007199254740993",), 9007199254740992, None),
        (("9" * 400,), int("9" * 400), "9" * 400),
        (("true", "false"), True, "true"),
        (("true", "false"), False, "false"),
        (("0", "1"), True, "1"),
        (("True",), True, None),
        (("é",), "é", "é"),
        (("é",), "e\u0301", None),
    ],
)
def test_category_meets_value(vocabulary: tuple[str, ...], value: object, category: str | None) -> None:
    """A category from a table is met by the JSON value that means it, and by no other."""
    expected = len(vocabulary) if category is None else vocabulary.index(category)
    assert code_of(value, lookup(*vocabulary)) == expected


def test_slots_after_the_vocabulary() -> None:
    """Other, missing and invalid follow the known categories in this order."""
    found = lookup("a", "b")
    assert codes(["b", "c", None, WRONG, "a"], found).tolist() == [1, 2, 3, 4, 0]
    assert codes([], found).shape == (0,)


@pytest.mark.parametrize("coerce", [False, True])
def test_boolean(coerce: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A boolean takes true, false, 1 and 0; with coerce their texts as well; nothing is other."""
    found = Lookup(Column("b", Kind.BOOLEAN, ("false", "true"), coerce=coerce))
    assert codes([False, True, 0, 1, 1.0, None, 2, "yes", WRONG], found).tolist() == [0, 1, 0, 1, 1, 3, 4, 4, 4]
    assert codes(["false", "true", "0", "1"], found).tolist() == ([0, 1, 0, 1] if coerce else [4, 4, 4, 4])


def test_remap_agrees_with_codes() -> None:
    """A table's dictionary is coded as its values would be one by one."""
    found = lookup("1", "x", "2.5")
    texts = ["x", "1", "y", "2.5", ""]
    assert found.remap(texts).tolist() == codes(texts, found).tolist()
    boolean = Lookup(Column("b", Kind.BOOLEAN, ("false", "true"), coerce=True))
    assert boolean.remap(["true", "0", "no"]).tolist() == codes(["true", "0", "no"], boolean).tolist()


def test_numbers() -> None:
    """None is missing; infinities, and a score beyond its range, are invalid; all else is itself."""
    plain, score = Column("x", Kind.NUMERIC), Column("score", Kind.NUMERIC, minimum=0.0, maximum=1.0)
    np.testing.assert_array_equal(numbers([1, 2.5, None, -np.inf], plain), [1.0, 2.5, MISSING, INVALID])
    np.testing.assert_array_equal(numbers([0, 1, 1.01, -0.01, None], score), [0.0, 1.0, INVALID, INVALID, MISSING])


def test_coerced_numbers() -> None:
    """With coerce, text that is a number is one; text that says "nan" is invalid, not missing."""
    column = Column("x", Kind.NUMERIC, coerce=True)
    values = ["1.5", " 2 ", "1e3", "nan", "inf", "1_000", "", "x", None, 4]
    expected = [1.5, 2.0, 1000.0, *[INVALID] * 5, MISSING, 4.0]
    np.testing.assert_array_equal(numbers(values, column), expected)
