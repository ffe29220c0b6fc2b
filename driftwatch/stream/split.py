"""From a record to its events: one object, a JSON array, or newline-delimited objects."""

import json
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec

from driftwatch.stream.counting import MAX_EVENTS, count_elements, count_rows, has_too_many_values, may_hold_many
from driftwatch.stream.reject import Reject
from driftwatch.stream.tolerant import parse_any

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BROKEN = b""
_LINE = re.compile(rb"\S[^\n]*")
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_value = msgspec.json.Decoder(msgspec.Raw)


Texts = Sequence[bytes | msgspec.Raw]


def split(record: bytes) -> Texts | Reject:
    """The events of one record as bytes; a record that is none of the forms comes back whole, to be refused as one.

    TOO_MANY_EVENTS when it holds more than MAX_EVENTS, told before they are objects; a columnar batch counts its rows.

    A record of several lines is newline-delimited when its first line is complete JSON, or when it is no JSON as a
    whole and a line of it looks like an object; else it is one event that somebody indented. Blank lines are no
    events; a record of nothing else is one broken event. A byte order mark is passed over.
    """
    events = _events(record)
    if isinstance(events, Reject) or _too_many(record, events):
        return Reject.TOO_MANY_EVENTS
    if record.isascii() or _is_utf8(record):
        return events
    # The typed decoder does not look into parts that it skips; what it skips depends on what it has learnt.
    return [event if _is_utf8(bytes(event)) else _BROKEN for event in events]


def are_plain(records: Sequence[bytes]) -> bool:
    """Whether each record is surely one event as it stands: one line of UTF-8 that begins an object.

    One look at all of them together costs a twentieth of looking at each: where every record begins with "{", they
    are UTF-8 one by one exactly when they are UTF-8 joined.
    """
    together = b"".join(records)
    one_line_each = b"\n" not in together and all(record[:1] == b"{" for record in records)
    return one_line_each and (together.isascii() or _is_utf8(together))


def _too_many(record: bytes, events: Texts) -> bool:
    if len(events) > MAX_EVENTS or not may_hold_many(record):
        return len(events) > MAX_EVENTS
    rows = 0
    for text in map(bytes, events):
        rows += 1 if has_too_many_values(text) else count_rows(text)
    return rows > MAX_EVENTS


def _events(record: bytes) -> Texts | Reject:
    """The events, of lines no more than it takes to see that they are too many."""
    if record[:1] == b"{" and b"\n" not in record:
        return (record,)
    text = record.removeprefix(_BYTE_ORDER_MARK).strip()
    if text[:1] == b"[":
        return _array(text)
    if b"\n" not in text or _complete(text):
        return (text,)
    # One look at a time: a split would make an object of every line end.
    lines = [match[0].rstrip() for match in islice(_LINE.finditer(text), MAX_EVENTS + 1)]
    if _complete(lines[0]):
        return lines
    whole = _read(text) is not None or not any(line[:1] == b"{" and line[-1:] == b"}" for line in lines)
    return (text,) if whole else lines


def _array(text: bytes) -> Texts | Reject:
    if _complete(text):
        if may_hold_many(text) and count_elements(text, limit=MAX_EVENTS) > MAX_EVENTS:
            return Reject.TOO_MANY_EVENTS
        return _elements.decode(text)
    # NaN tokens make it no JSON to a strict reader; its elements are still to be judged one by one.
    document = _read(text)
    if not isinstance(document, list):
        return (text,)
    return Reject.TOO_MANY_EVENTS if len(document) > MAX_EVENTS else [json.dumps(each).encode() for each in document]


def _read(text: bytes) -> Any:
    """The value that a text is to a tolerant reader; None also where that would be dear."""
    return None if has_too_many_values(text) else parse_any(text)


def _complete(text: bytes) -> bool:
    try:
        _value.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _is_utf8(text: bytes) -> bool:
    try:
        str(text, "utf-8")
    except UnicodeDecodeError:
        return False
    return True
