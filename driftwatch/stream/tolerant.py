"""The slow road for an event that the typed decoder refused: every value is judged by itself, the row stays.

Only rows that need it come here: wrong types, NaN tokens, numbers beyond float64, unknown keys, broken JSON.
"""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import UNSET

from driftwatch.stream.batch import INVALID
from driftwatch.stream.convert import WRONG, finite
from driftwatch.stream.form import ABSENT, COUNTED_ROLES, LABEL_ROLES, Group, Leaf, Path, Role
from driftwatch.stream.reject import Reject
from driftwatch.stream.times import parse_time

_LONGEST_INT = 4300  # digits; int() refuses more, and so does the typed decoder

UNREADABLE = "\x00unreadable"
"""Stands for an id or version of the wrong type until its row is rejected."""


def parse(line: bytes) -> dict[str, Any] | Reject:
    """A JSON object, NaN and Infinity tokens allowed; the reason when it is none."""
    document = parse_any(line)
    if isinstance(document, dict):
        return document
    return Reject.NOT_JSON if document is None and line.strip() != b"null" else Reject.NOT_OBJECT


def parse_any(text: bytes) -> Any:
    """A JSON value, NaN and Infinity tokens read as INVALID; None when it is no JSON in UTF-8."""
    try:
        # Where both can read it they say the same, and this one does not call back for every number.
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(str(text, "utf-8"), parse_constant=_constant, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def extra_paths(group: Group, document: dict[str, Any], prefix: Path = ()) -> Iterator[Path]:
    """Keys of the document that the form does not know."""
    members = dict(group.members)
    for key, value in document.items():
        member = members.get(key)
        if member is None:
            yield (*prefix, key)
        elif isinstance(member, Group) and isinstance(value, dict):
            yield from extra_paths(member, value, (*prefix, key))


def restore(group: Group, document: Any) -> Any:
    """The event's struct with each wrong value replaced by what stands for it."""
    present = isinstance(document, dict)
    nothing = None if document is None else WRONG
    values = []
    for key, member in group.members:
        # An object's place taken by something else makes all that should stand in it invalid.
        value = document.get(key) if present else nothing
        if isinstance(member, Group):
            values.append(restore(member, value))
        elif member.role in LABEL_ROLES and (key not in document if present else document is None):
            values.append(UNSET)
        elif member.role in COUNTED_ROLES:
            values.append(_counted(member, value) if present and key in document else ABSENT)
        else:
            values.append(clean(member, value))
    return group.type(*values)


def _counted(leaf: Leaf, value: Any) -> Any:
    return type(ABSENT)(json.dumps(value).encode() if leaf.role is Role.ANSWER else b"0")


def clean(leaf: Leaf, value: Any) -> Any:
    """One value as its field may hold it: a wrong one becomes what stands for it, None stays None."""
    return None if value is None else _CLEANERS.get(leaf.role, _text)(leaf, value)


def _number(leaf: Leaf, value: Any) -> Any:
    if isinstance(value, str) and leaf.column is not None and leaf.column.coerce:
        return value
    return finite(value)


def _category(_: Leaf, value: Any) -> Any:
    plain = isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
    return value if plain else WRONG


def _relevance(leaf: Leaf, value: Any) -> Any:
    plain = (
        isinstance(value, dict)
        and all(_number(leaf, grade) != INVALID for grade in value.values())
        and all(map(_printable, value))
    )
    return value if plain else WRONG


def _items(_: Leaf, value: Any) -> Any:
    plain = isinstance(value, list) and all(
        isinstance(item, str | int) and not isinstance(item, bool) and _printable(item) for item in value
    )
    return value if plain else None


def _interval(_: Leaf, value: Any) -> Any:
    if not isinstance(value, list) or len(value) != len(("low", "high")):
        return None
    return tuple(None if end is None else finite(end) for end in value)


def _moment(_: Leaf, value: Any) -> Any:
    return parse_time(value)


def _name(leaf: Leaf, value: Any) -> Any:
    allowed = str | int if leaf.role is Role.ID else str | int | float
    if isinstance(value, bool) or not isinstance(value, allowed) or value in {INVALID, -INVALID}:
        return UNREADABLE
    return value if _printable(value) else UNREADABLE


def _control(leaf: Leaf, value: Any) -> Any:
    # Of something that is no name it is known at least that the event is not for the windows.
    return None if value is False else _name(leaf, value)


def _printable(value: str | float) -> bool:
    try:
        str(value).encode()
    except ValueError:  # a lone surrogate
        return False
    return True


def _text(_: Leaf, value: Any) -> Any:
    return value if isinstance(value, str) else None


_CLEANERS: dict[Role, Callable[[Leaf, Any], Any]] = {
    Role.NUMBER: _number,
    Role.VALUE: _number,
    Role.AMOUNT: _number,
    Role.SCORE: _number,
    Role.ESTIMATE: _number,
    Role.PROBABILITY: _number,
    Role.CLASS: _category,
    Role.INTERVAL: _interval,
    Role.ITEMS: _items,
    Role.CATEGORY: _category,
    Role.KEY: _category,
    Role.LABEL: _category,
    Role.RELEVANCE: _relevance,
    Role.TIME: _moment,
    Role.ID: _name,
    Role.VERSION: _name,
    Role.CONTROL: _control,
    Role.ANSWER: lambda _, value: value,
}


def _constant(_: str) -> float:
    return INVALID  # NaN would be read as a value that is missing


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INT else INVALID
