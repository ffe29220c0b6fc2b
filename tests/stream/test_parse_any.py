"""Both readers of JSON say the same, so that it does not matter which of them could read an event."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stream.tolerant import parse_any

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Equal, and of equal types throughout: 1 is not 1.0, nor -0.0 0.0."""
    return repr(one) == repr(other)


@given(value=VALUES, escaped=st.booleans(), indent=st.sampled_from([None, 1]))
def test_what_json_writes(value: Any, *, escaped: bool, indent: int | None) -> None:
    """Any value, escaped or not, on one line or several."""
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        return
    assert same(parse_any(encoded), json.loads(text))


@given(st.text(alphabet='0123456789+-.eE[]{},:" \\tfnul\n', max_size=12))
def test_what_is_hardly_json(text: str) -> None:
    """Where the fast reader takes something the other one reads the same."""
    try:
        fast = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return
    assert same(fast, json.loads(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"18446744073709551616", 2**64),
        (b"[1e400]", [float("inf")]),
        (b'"\\ud800"', "\ud800"),
        (b'{"a":1,"a":2}', {"a": 2}),
    ],
)
def test_the_edges(text: bytes, value: Any) -> None:
    """Integers beyond 64 bits, numbers beyond floats, lone surrogates, keys that come twice."""
    assert same(parse_any(text), value)


@pytest.mark.parametrize(
    "text", [b'{"\xff": 1}', b'"\xff"', b'{"a": "\xc3"}', b'[{"\xed\xa0\x80": 1}]', b'{"\xff": 1}\n{}']
)
def test_what_is_no_utf8_is_no_json(text: bytes) -> None:
    """Whatever a producer sends, nothing is raised."""
    assert parse_any(text) is None
