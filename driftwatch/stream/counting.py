"""How much a text holds, told before anything of it becomes an object: two bytes of JSON are a hundredfold in memory.

A comma or a line end stands between any two values, so a text without many of them holds few, and most need no second
look.
"""

from typing import Any

import msgspec
import numpy as np

from driftwatch.stream.reject import Reject
from driftwatch.stream.tolerant import parse

MAX_EVENTS = 100_000
"""Of one record. An event of two bytes, "{}", is refused with 310 (measured): bytes alone bound nothing."""
MAX_VALUES = 500_000
"""Commas of one event, be it a row or a columnar batch; those in its texts count too, or counting would be reading."""

SMALL_BYTES = 2 * MAX_EVENTS
"""A text that is no larger cannot hold too much of either."""

_STEP_BYTES = 1 << 18
_PLAIN = bytes(sorted(set(range(256)) - set(b"[]{},")))
_DEEPER = np.zeros(256, dtype=np.int8)
_DEEPER[list(b"[{")], _DEEPER[list(b"]}")] = 1, -1


class _Tall(msgspec.Struct, gc=False):
    columns: dict[str, msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


_tall = msgspec.json.Decoder(_Tall)


def may_hold_many(text: bytes) -> bool:
    """Whether a text may hold more than MAX_EVENTS, as far as its length and its commas and line ends tell."""
    return len(text) > SMALL_BYTES and text.count(b",") + text.count(b"\n") >= MAX_EVENTS


def has_too_many_values(text: bytes) -> bool:
    """Whether more than MAX_VALUES commas are in a text."""
    return len(text) > MAX_VALUES and text.count(b",") > MAX_VALUES


def count_elements(array: bytes, *, limit: int) -> int:
    """How many elements a complete JSON array has; counting ends soon after the limit."""
    count = depth = start = 0
    within = 0  # 1 inside a string
    while start < len(array) and count <= limit:
        piece = array[start : start + _STEP_BYTES]
        if (len(piece) - len(piece.rstrip(b"\\"))) % 2:  # an escape is not to be torn
            piece = piece[:-1]
        start += len(piece)
        texts = piece.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        marks = np.frombuffer(b" ".join(texts[within::2]).translate(None, _PLAIN), dtype=np.uint8)
        within = (within + len(texts) - 1) % 2
        depths = depth + np.cumsum(_DEEPER[marks], dtype=np.int64)
        count += int(np.count_nonzero((marks == ord(",")) & (depths == 1)))
        depth = int(depths[-1]) if len(depths) else depth
    return count + 1 if array[1:-1].strip() else 0


def count_rows(event: bytes) -> int:
    """How many events an event is: the rows of a columnar batch, those of its longest column; 1 for any other.

    Only of a text without too many values: what is no strict JSON is read whole.
    """
    try:
        columns = _tall.decode(event).columns
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = parse(event)
        return _longest({} if isinstance(document, Reject) else document.get("columns"))
    if not columns:
        return 1
    arrays = [text for text in map(bytes, columns.values()) if text[:1] == b"["]
    return max([1, *(count_elements(text, limit=MAX_EVENTS) for text in arrays)])


def _longest(columns: Any) -> int:
    values = columns.values() if isinstance(columns, dict) else ()
    return max([1, *(len(column) for column in values if isinstance(column, list))])
