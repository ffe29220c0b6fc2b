"""Texts in which `${data.model}` stands for what an event says: the least that a body of one's own needs.

There are names and nothing else: no loops, no code, so that whoever writes one cannot do harm, and no value can break
out of its place. `$$` is a dollar sign. Where a value goes, it is written as that place asks for:

| place                        | text     | list of texts | missing | other         |
|------------------------------|----------|---------------|---------|---------------|
| JSON, outside of quotes      | "quoted" | ["a","b"]     | null    | as JSON       |
| JSON, between quotes         | escaped  | a, b          |         | JSON, escaped |
| a form                       | encoded  | a, b          |         | JSON, encoded |
| plain text                   | as it is | a, b          |         | JSON          |
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote_plus

import msgspec

from driftwatch.sinks.targets.example import EXAMPLE
from driftwatch.sinks.targets.said import Said
from driftwatch.spec import meant

_MARK = re.compile(r"\$(\$|\{[^{}]*\}?)")
_NAME = re.compile(r"\w+(\.\w+)*", re.ASCII)
_MISSING = object()


class Form(StrEnum):
    """What a text is to be when it is filled."""

    JSON = "json"
    ENCODED = "encoded"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value goes. quoted: between the quotes of a JSON text."""

    path: tuple[str, ...]
    quoted: bool = False


class Template:
    """A text with places for values."""

    def __init__(self, text: str, *, form: Form) -> None:
        """Read it. Raises ValueError, for a person, when a name is not known or no JSON would come of it."""
        self._form = form
        self._parts = tuple(_parts(text, form))
        if form is Form.JSON:
            # Once with everything there is, once with nothing: what is missing must not break it either.
            for example in (EXAMPLE, {}):
                _check_json(self._filled(example))

    def render(self, said: Said) -> str:
        """Fill it with what an event says."""
        return self._filled(names(said))

    def _filled(self, values: Mapping[str, Any]) -> str:
        return "".join(part if isinstance(part, str) else self._written(part, values) for part in self._parts)

    def _written(self, place: _Place, values: Mapping[str, Any]) -> str:
        value = _found(values, place.path)
        value = None if value is _MISSING else value
        if self._form is Form.JSON and not place.quoted:
            return _json(value)
        text = _text(value)
        if self._form is Form.JSON:
            return _json(text)[1:-1]
        return quote_plus(text) if self._form is Form.ENCODED else text


def names(said: Said) -> dict[str, Any]:
    """What a text may name: id, type, timestamp, data and its parts, and `event`, which is the last three together."""
    return {"id": said.id, **said.event, "event": said.event}


def _parts(text: str, form: Form) -> Iterator[str | _Place]:
    place, quoted = 0, False
    for mark in _MARK.finditer(text):
        literal = text[place : mark.start()]
        quoted = quoted is not _odd_quotes(literal)
        yield literal
        place = mark.end()
        if mark[1] == "$":
            yield "$"
            continue
        if form is Form.JSON and quoted and _ends_in_escape(literal):
            raise ValueError(f"a backslash stands before {mark[0]}; take it out")
        yield _Place(_path(mark[0]), quoted)
    yield text[place:]


def _odd_quotes(literal: str) -> bool:
    """Whether a piece of JSON begins or ends a text on the whole; quotes behind a backslash count for nothing."""
    return bool(re.sub(r"\\.", "", literal, flags=re.DOTALL).count('"') % 2)


def _ends_in_escape(literal: str) -> bool:
    return bool((len(literal) - len(literal.rstrip("\\"))) % 2)


def _path(mark: str) -> tuple[str, ...]:
    """The names in `${…}`, of which the event must know every one."""
    name = mark.removeprefix("${").removesuffix("}").strip()
    if not mark.endswith("}"):
        raise ValueError(f'"{mark[:40]}" has no end; write ${{data.model}}, or $$ for a dollar sign')
    if not _NAME.fullmatch(name):
        raise ValueError(f'"{mark[:40]}" is no name; write one such as ${{data.model}}, or $$ for a dollar sign')
    path = tuple(name.split("."))
    # The example's lists have one part, which stands for all.
    if _found(EXAMPLE, tuple("0" if each.isdecimal() else each for each in path)) is _MISSING:
        known = sorted(_known(EXAMPLE))
        words = meant(name, known) or "there are " + ", ".join(each for each in known if each.count(".") < 2)
        raise ValueError(f"events have no {name}; {words}")
    return path


def _found(values: Any, path: tuple[str, ...]) -> Any:
    """Follow names, and numbers into lists."""
    for name in path:
        if isinstance(values, Mapping):
            values = values.get(name, _MISSING)
        elif isinstance(values, list) and name.isdecimal() and int(name) < len(values):
            values = values[int(name)]
        else:
            return _MISSING
    return values


def _known(values: Any, before: str = "") -> Iterator[str]:
    """Every name that there is."""
    inner = dict(enumerate(values)) if isinstance(values, list) else values
    for key, value in inner.items() if isinstance(inner, Mapping) else ():
        yield f"{before}{key}"
        yield from _known(value, f"{before}{key}.")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _check_json(text: str) -> None:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ValueError(f"it makes no JSON: {str(error).removeprefix('JSON is malformed: ')}") from error
