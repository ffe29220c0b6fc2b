"""What a pattern stands for, and that no pattern and no text takes long."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stream.patterns import LONGEST, matcher


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("AA-9999", ["DE-1234", "ab-0000"], ["D-1234", "DE-123", "DE-12345", "1E-1234", "DE1234", " DE-1234", ""]),
        ("X9", ["a1", "Z9", "55"], ["ä1", "aa", "a"]),
        ("order *", ["order ", "order 17", "order \n17"], ["order", "Order 17"]),
        ("*@example.com", ["a@example.com", "@example.com"], ["a@exampleXcom", "a@example.com "]),
        (r"\A9", ["A1"], ["B1", "11"]),
        (r"a\\", ["a\\"], ["a", "a\\\\"]),
        (r"\*", ["*"], ["", "x"]),
        ("[a-z]+(.)", ["[a-z]+(.)"], ["a", "b"]),
        ("digits", ["0", "0123456789"], ["", "-1", "1.5", "٣"]),
        ("date", ["2026-01-31", "1999-12-01"], ["2026-13-01", "2026-1-1", "31.01.2026", "2026-01-32", "2026-01-31\n"]),
        ("uuid", ["123e4567-e89b-12d3-a456-426614174000"], ["123e4567e89b12d3a456426614174000", "x"]),
        ("email", ["a.b+c@mail.example.org"], ["a@b", "@example.org", "a b@example.org", "a@-x.org", "a..b@x.org"]),
    ],
)
def test_patterns(pattern: str, fits: list[str], does_not: list[str]) -> None:
    """Whole texts are compared."""
    fit = matcher(pattern)
    assert [text for text in fits if not fit(text)] == []
    assert [text for text in does_not if fit(text)] == []


@pytest.mark.parametrize(("pattern", "words"), [("", "empty"), ("*A*", 'more than one "\\*"'), ("A\\", "backslash")])
def test_no_pattern(pattern: str, words: str) -> None:
    """It is said what is wrong with it."""
    with pytest.raises(ValueError, match=words):
        matcher(pattern)


@given(st.text(alphabet="A9X*\\.+()[]{}^$|?ab", min_size=1, max_size=12), st.text(max_size=20))
def test_whatever_is_written(pattern: str, text: str) -> None:
    """It is a pattern, or said not to be one; a pattern of plain characters is met by itself."""
    try:
        fit = matcher(pattern)
    except ValueError:
        return
    assert fit(text) in {True, False}
    if not set(pattern) & set("A9X*\\"):
        assert fit(pattern)


def test_long_texts_take_no_time() -> None:
    """A text beyond any length that a person writes matches nothing, at once."""
    begun = time.perf_counter()
    for pattern in ("email", "uuid", "digits", "*9", "AAAA*9999"):
        fit = matcher(pattern)
        assert not fit("a" * 1_000_000)
        assert not fit("a." * (LONGEST // 2 - 1) + "@")
    assert time.perf_counter() - begun < 1.0
