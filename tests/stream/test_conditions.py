"""Conditions: what they mean, that they are SQL's, and that no text does harm."""

import json
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.errors import ConfigError
from driftwatch.stream.conditions import ByCondition, Condition
from driftwatch.stream.grammar import DEEPEST, columns_of, parse
from driftwatch.stream.tokens import LONGEST
from tests.stream.condition_rows import CATEGORICAL, CODES, NUMBERS, NUMERIC, outcome

HERE = Path(__file__).parent / "conditions"
GOOD = [line.split(" ", 1) for line in (HERE / "good.txt").read_text(encoding="utf-8").splitlines()]
HOSTILE = json.loads((HERE / "hostile.json").read_text(encoding="utf-8"))
LARGE = [
    "(" * 3000, ")" * 3000, "not " * 900 + "amount > 1", "(not " * 700, "[" * 3000, "a" * (LONGEST + 1), "x" * 3000,
    "amount > 1 or " * 285, "amount > 1 and (" * 200, '"' + "x" * 3999, "`" * 4000, '"' * 4000, "\\" * 4000,
    "=" * 4000, "-" * 4000, "9" * 4000, "." * 4000, "amount > " + "9" * 3900, "amount in [" + "1," * 1990,
    "amount in [" + "[" * 3000, 'amount in ["' + "a" * 3980 + '"]', "\u202e" * 4000, "\x00" * 4000,
    "amount > 1" * 1_000_000, "_" * 4000, "1e" * 2000, "a." * 2000, "é" * 4000, "in " * 1300, "amount is " * 400,
]  # fmt: skip


@pytest.mark.parametrize(("expected", "text"), GOOD, ids=range(len(GOOD)))
def test_outcome(expected, text):
    """Each row is met, not met, or unknown, as the table says."""
    assert outcome(text) == expected


@pytest.mark.parametrize(("text", "words"), HOSTILE, ids=range(len(HOSTILE)))
def test_refusal(text, words):
    """Whatever is no condition is refused in one line that says where and what to do."""
    with pytest.raises(ConfigError) as refused:
        outcome(text)
    assert str(refused.value) == words
    assert words.isprintable() or "\u0301" in words


@pytest.mark.parametrize("text", LARGE, ids=range(len(LARGE)))
def test_large_and_deep_texts_are_refused_at_once(text):
    """Time is linear in at most LONGEST characters, and no depth reaches the interpreter's own limit."""
    started = time.process_time()
    with pytest.raises(ConfigError) as refused:
        outcome(text)
    assert time.process_time() - started < 0.5
    assert len(str(refused.value)) < 200


def test_there_are_as_many_as_asked_for():
    """200 good and 100 hostile ones, each once."""
    assert len({text for _, text in GOOD}) >= 200
    assert len({text for text, _ in HOSTILE} | set(LARGE)) >= 200


def test_what_is_just_allowed():
    """The limits are where they are said to be."""
    outcome("(" * (DEEPEST - 1) + "amount > 1" + ")" * (DEEPEST - 1))
    outcome("amount > 1" + " " * (LONGEST - len("amount > 1")))
    long = "amount in [" + ",".join(["1"] * 1900) + "]"
    assert outcome(long) == outcome("amount == 1")


def said(text: str) -> str:
    """What is said against a text; nothing where it is a condition."""
    try:
        outcome(text)
    except ConfigError as error:
        return str(error)
    return ""


@given(st.text(max_size=200))
def test_any_text_is_a_condition_or_refused(text):
    """Nothing but ConfigError, in one line, comes of any text."""
    assert len(said(text).splitlines()) <= 1


WORDS = st.sampled_from([
    "amount", "country", "`odd name`", "member", "and", "or", "not", "in", "between", "is", "missing", "true", "(", ")",
    "[", "]", ",", "==", "!=", "<", ">", "<=", ">=", "1", "2.5", '"DE"', "'x'", "&&", "=", "`", '"',
])  # fmt: skip


@given(st.lists(WORDS, max_size=30))
def test_any_words_are_a_condition_or_refused(words):
    """As before, for texts that come nearer."""
    assert len(said(" ".join(words)).splitlines()) <= 1


def test_unknown_values_are_named_and_never_surely_met():
    """Each once, with its column."""
    condition = Condition.of('country in ["XX", "DE", "XX"] or zip == 5', NUMERIC, CATEGORICAL)
    assert condition.unmet == (("country", "XX"), ("zip", "5.0"))


def test_columns_of_a_condition():
    """In order, as often as they stand there."""
    tree = parse("a > 1 and not (`b c` is missing or a in [1])")
    assert list(columns_of(tree)) == ["a", "b c", "a"]


def test_a_condition_has_one_member_or_two():
    """With its contrary, rows of which it is unknown are in neither."""
    condition = Condition.of("amount > 1000", NUMERIC, CATEGORICAL)
    one, two = ByCondition("big", condition), ByCondition("big", condition, contrary=True)
    assert (one.members, two.members) == (("big",), ("big", "not big"))
    assert one.codes(NUMBERS, CODES).tolist() == [-1, -1, 0, -1, -1, -1, -1, 0]
    assert two.codes(NUMBERS, CODES).tolist() == [1, 1, 0, -1, -1, 1, 1, 0]
    assert one.codes(NUMBERS, CODES).dtype == np.int16


LEAVES = st.one_of(
    st.tuples(st.sampled_from(["amount", "age"]), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
              st.sampled_from(["0", "18", "20", "1000", "-2"])).map(" ".join),
    st.sampled_from(['country == "DE"', 'country != "DE"', 'country == "FR"', 'country != "FR"']),
    st.sampled_from(["amount in (18, 1000)", "age not in (18, 20)", "country in ('DE', 'FR')",
                     "age between 18 and 30", "amount not between 0 and 1000"]),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map("({0[0]} {0[1]} {0[2]})".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map("{0[0]} {0[1]} {0[2]}".format),
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def rows():
    """The table in a database, what is invalid as null too."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE rows (amount REAL, age REAL, country TEXT)")
    names = [*CATEGORICAL[0].vocabulary, "of no known country", None, None]
    for amount, age, code in zip(NUMBERS[0], NUMBERS[1], CODES[0], strict=True):
        numbers = [float(number) if np.isfinite(number) else None for number in (amount, age)]
        database.execute("INSERT INTO rows VALUES (?, ?, ?)", (*numbers, names[code]))
    yield database
    database.close()


@given(text=TREES)
def test_conditions_mean_what_they_mean_in_sql(rows, text):
    """Priority, negation, nulls: a database gives the same three answers."""
    sql = text.replace('"', "'")
    answers = [answer for (answer,) in rows.execute(f"SELECT {sql} FROM rows ORDER BY rowid")]
    assert outcome(text) == "".join("?" if answer is None else "T" if answer else "F" for answer in answers)
