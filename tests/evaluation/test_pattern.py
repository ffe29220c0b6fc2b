"""Patterns that people write: what they match, what is refused, and that none takes long."""

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.evaluation.pattern import MAX_PATTERN, MAX_TEXT, Pattern

_ATOM = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\W", "[a-c1]", r"\."])
_COUNT = st.sampled_from(["", "*", "+", "?", "{2}", "{1,}", "{0,2}", "*?"])
_PIECE = st.builds("{}{}".format, _ATOM, _COUNT)
_FLAT = st.lists(_PIECE, max_size=3).map("".join)
_GROUP = st.builds("({}|{}){}".format, _FLAT, _FLAT, _COUNT)
_PATTERN = st.lists(_PIECE | _GROUP, max_size=4).map("".join)


@given(_PATTERN, st.text("ab1. ", max_size=8))
def test_it_matches_what_the_standard_library_matches(pattern: str, text: str) -> None:
    """Python's own expressions are the oracle, wherever both know the pattern."""
    assert Pattern(pattern).fits(text) == bool(re.fullmatch(pattern, text))


@pytest.mark.parametrize(
    ("pattern", "fits", "not_"),
    [
        ("amount|age", "age", "ages"),
        ("^v[0-9]+(\\.[0-9]+)*$", "v1.20.3", "v1."),
        ("channel=(web|shop)", "channel=web", "channel=webs"),
        ("[]a-]+", "-]a", "b"),
        ("", "", "x"),
        ("(a(b)?)+", "aba", "abb"),
        ("größe.*", "größe_1", "grosse"),
    ],
)
def test_it_is_anchored(pattern: str, fits: str, not_: str) -> None:
    """A pattern describes the whole text."""
    assert Pattern(pattern).fits(fits)
    assert not Pattern(pattern).fits(not_)


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "a)", "[a", "[z-a]", "*a", "a**", "a*+", "a{1", "a{2,1}", "a{101}", "{1}", r"(a)\1", "(?=a)", "a^b",
     "a$b", "\\", r"\q", "((a*)b)*c" + "(" * 21, "((ab)*c)*", "x" * (MAX_PATTERN + 1)],
)  # fmt: skip
def test_what_is_not_supported_is_refused_in_words(pattern: str) -> None:
    """Never another exception, never a guess."""
    with pytest.raises(ValueError, match=r"[a-z]"):
        Pattern(pattern)


@given(st.text("ab(){}[]|*+?.^$\\1,-", max_size=30))
def test_any_text_is_read_or_refused(pattern: str) -> None:
    """Whatever is sent over the API."""
    with suppress(ValueError):
        assert Pattern(pattern).fits("ab1") in {True, False}


@pytest.mark.parametrize(
    "pattern",
    ["(a|a|aa)*b", "(x(.*.*.*.*.*z)?)*y", ".*.*.*.*.*.*.*.*z", "(.{0,100}.{0,100})*z", "(a{0,100}b?){0,100}c"],
)
def test_no_pattern_explodes(pattern: str) -> None:
    """What backtracking would not finish in the age of the world takes no time."""
    began = time.process_time()
    assert not Pattern(pattern).fits("a" * MAX_TEXT)
    assert time.process_time() - began < 1


def test_a_text_that_is_too_long_fits_nothing() -> None:
    """It is no name of anything."""
    assert not Pattern(".*").fits("a" * (MAX_TEXT + 1))
