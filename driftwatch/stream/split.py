"""From a record to its events: one object, a JSON array, or newline-delimited objects."""

import json
from collections.abc import Sequence

import msgspec

from driftwatch.stream.tolerant import parse_any

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BROKEN = b""
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_value = msgspec.json.Decoder(msgspec.Raw)


def split(record: bytes) -> Sequence[bytes | msgspec.Raw]:
    """The events of one record as bytes; a record that is none of the forms comes back whole, to be refused as one.

    A record of several lines is newline-delimited when its first line is complete JSON, or when it is no JSON as a
    whole and a line of it looks like an object; else it is one event that somebody indented. Blank lines are no
    events; a record of nothing else is one broken event. A byte order mark is passed over.
    """
    events = _events(record)
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


def _events(record: bytes) -> Sequence[bytes | msgspec.Raw]:
    if record[:1] == b"{" and b"\n" not in record:
        return (record,)
    text = record.removeprefix(_BYTE_ORDER_MARK).strip()
    if text[:1] == b"[":
        return _array(text)
    if b"\n" not in text or _complete(text):
        return (text,)
    lines = [line for line in map(bytes.strip, text.split(b"\n")) if line]
    if _complete(lines[0]):
        return lines
    whole = parse_any(text) is not None or not any(line[:1] == b"{" and line[-1:] == b"}" for line in lines)
    return (text,) if whole else lines


def _array(text: bytes) -> Sequence[bytes | msgspec.Raw]:
    if _complete(text):
        return _elements.decode(text)
    # NaN tokens make it no JSON to a strict reader; its elements are still to be judged one by one.
    document = parse_any(text)
    return [json.dumps(element).encode() for element in document] if isinstance(document, list) else (text,)


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
