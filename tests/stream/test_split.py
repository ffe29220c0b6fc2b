"""Which events a record holds."""

import json

import pytest

from driftwatch.stream.split import split

BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("record", "events"),
    [
        (b'{"a": 1}', [b'{"a": 1}']),
        (b' {"a": 1} \n', [b'{"a": 1}']),
        (b'[{"a": 1}, 2]', [b'{"a": 1}', b"2"]),
        (b" [ ] ", []),
        (b'{"a": 1}\n{"b": 2}\n', [b'{"a": 1}', b'{"b": 2}']),
        (b'{"a": 1}\r\n\n{"b": 2}', [b'{"a": 1}', b'{"b": 2}']),
        (b'{"a": 1}\n{"b": \n{"c": 3}', [b'{"a": 1}', b'{"b":', b'{"c": 3}']),
        (b'{"a"\n{"b": 2}', [b'{"a"', b'{"b": 2}']),
        (b'{"a": NaN}\n{"b": NaN}', [b'{"a": NaN}', b'{"b": NaN}']),
        (b'{\n"a": {"b": 1}\n}', [b'{\n"a": {"b": 1}\n}']),
        (b'{\n"a":\n{"b": NaN}\n}', [b'{\n"a":\n{"b": NaN}\n}']),
        (b'{\n"a": 1,\n', [b'{\n"a": 1,']),
        (b"", [b""]),
        (b"\n \n", [b""]),
        (b"[1, 2", [b"[1, 2"]),
        (b"nonsense", [b"nonsense"]),
        (BOM + b'{"a": 1}\n{"b": 2}', [b'{"a": 1}', b'{"b": 2}']),
        (BOM + b"[1]", [b"1"]),
        ('["é", 1]'.encode(), ['"é"'.encode(), b"1"]),
        (b'["\xff", 1]', [b"", b"1"]),
        (b'{"a": "\xff"}\n{"b": 2}', [b"", b'{"b": 2}']),
    ],
)
def test_split(record: bytes, events: list[bytes]) -> None:
    """Objects, arrays, lines, and what somebody indented."""
    assert list(map(bytes, split(record))) == events


def test_array_that_only_python_writes() -> None:
    """NaN and Infinity tokens and huge numbers do not hide the other elements of an array."""
    events = split(b'[{"x": NaN, "y": -Infinity}, {"z": "\\ud800", "n": 1e400}, {"a": 1}]')
    assert json.loads(bytes(events[2])) == {"a": 1}
    assert [sorted(json.loads(bytes(event))) for event in events] == [["x", "y"], ["n", "z"], ["a"]]
