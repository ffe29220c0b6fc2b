"""From a record to its events: one object, a JSON array, or newline-delimited objects."""

from collections.abc import Sequence

import msgspec

_elements = msgspec.json.Decoder(list[msgspec.Raw])
_value = msgspec.json.Decoder(msgspec.Raw)


def split(record: bytes) -> Sequence[bytes | msgspec.Raw]:
    """The events of one record as bytes; a record that is none of the forms comes back whole, to be refused as one.

    A record of several lines is newline-delimited when its first line is complete JSON, and one object that somebody
    indented when not. Blank lines are no events; a record of nothing else is one broken event.
    """
    if record[:1] == b"{" and b"\n" not in record:
        return (record,)
    text = record.strip()
    if text[:1] == b"[" and _complete(text):
        return _elements.decode(text)
    if b"\n" not in text or _complete(text):
        return (text,)
    lines = [line for line in map(bytes.strip, text.split(b"\n")) if line]
    return lines if _complete(lines[0]) or len(lines[0]) == 0 else _lines_or_whole(text, lines)


def _lines_or_whole(text: bytes, lines: Sequence[bytes]) -> Sequence[bytes]:
    # Neither the whole nor the first line is JSON: one bad line before good ones, or an object broken in the middle.
    return (
        lines
        if any(map(_complete, lines)) and any(line[:1] == b"{" and line[-1:] == b"}" for line in lines)
        else (text,)
    )


def _complete(text: bytes) -> bool:
    try:
        _value.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
