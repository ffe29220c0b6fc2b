"""Whatever stands in a file, it is accepted or refused in one line: nothing else ever comes of it."""

import copy
import datetime as dt
import tomllib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.config import parse
from driftwatch.errors import ConfigError
from tests.config.test_example import EXAMPLE

DOCUMENT = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
WORDS = st.sampled_from(["", "psi", "1h", "kafka", "~x/y", "a..b", "[::1]:1", "http://a", "\0", "é", "0s", "x" * 300])
LEAVES = (
    st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | WORDS
    | st.text(st.characters(exclude_categories=("C",)), max_size=8)
    | st.datetimes()
    | st.just(dt.time(1))
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)


def places(node, path=()):
    """Every place of a document."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, inner in pairs:
        yield (*path, key)
        yield from places(inner, (*path, key))


PLACES = list(places(DOCUMENT))


def changed(document, path, change, value):
    """A copy in which one place holds something else, is gone, or has another name."""
    result = copy.deepcopy(document)
    node = result
    for key in path[:-1]:
        node = node[key]
    if change == "replace":
        node[path[-1]] = value
    elif isinstance(node, dict) and change == "rename":
        node[str(path[-1])[1:] + "x"] = node.pop(path[-1])
    else:
        del node[path[-1]]
    return result


def refusal(document) -> str:
    """What is said of a document, "" when it is accepted."""
    try:
        parse(document, where="here", directory=Path("/somewhere"))
    except ConfigError as error:
        return str(error)
    return ""


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(["replace", "replace", "rename", "remove"]), VALUES)
def test_one_change(path, change, value):
    """One place of the example changed: a Config, or one line that is ours and not pydantic's."""
    text = refusal(changed(DOCUMENT, path, change, value))
    assert not text or text.startswith("here: ")
    assert "\n" not in text
    assert "Input should" not in text
    assert "Value error" not in text


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([*DOCUMENT, "x"]), VALUES, max_size=5))
def test_anything(document):
    """Any document at all: a Config, or one line."""
    assert "\n" not in refusal(document)
