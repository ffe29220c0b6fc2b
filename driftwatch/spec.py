"""What a person writes in TOML: the base of every Spec, types that turn words into numbers, the environment over it.

A `Spec` is frozen and refuses unknown keys; it lives in the file that it configures. `config.py` only assembles them.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from driftwatch.errors import ConfigError

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_RATE = re.compile(r"(\d+(?:\.\d+)?) per (?:(\d+) windows?|(.+))")
_PREFIX = "DRIFTWATCH_"
_LONGEST_MS = 36_525 * _UNITS_MS["d"]


class Spec(BaseModel):
    """Base of everything configurable: immutable, unknown keys are errors that say what was probably meant.

    later: keys that are announced and that this release does not have.
    hints: what to do instead of writing some other key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    later: ClassVar[tuple[str, ...]] = ()
    hints: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _knows_the_keys(cls, table: Any) -> Any:
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in table if isinstance(table, dict) else ():
            if key in cls.hints:
                raise mistake(key, cls.hints[key])
            if key in cls.later:
                raise mistake(key, "this release does not have it, a later one will; leave it out")
            if key not in known:
                raise mistake(
                    key, f"there is no such key; {meant(key, known) or 'it may be one of ' + ', '.join(known)}"
                )
        return table


def mistake(key: str, words: str) -> PydanticCustomError:
    """Make the error that says what is wrong with a key of the table under validation."""
    return PydanticCustomError("mistake", words, {"key": key})


def announced(*words: str, instead: str) -> BeforeValidator:
    """Refuse words that the contract has and this release does not, and say so and what to do instead."""

    def check(value: Any) -> Any:
        if value in words:
            raise ValueError(f'this release does not have "{value}", a later one will; {instead}')
        return value

    return BeforeValidator(check)


def meant(text: str, known: list[str]) -> str:
    """Ask `did you mean "…"?` where a known word is close, else nothing."""
    close = get_close_matches(text.lower(), known, n=1, cutoff=0.65)
    return f'did you mean "{close[0]}"?' if close else ""


def duration_ms(text: Any) -> int:
    """Turn "90s", "1h30m" or "2d" into milliseconds; units: ms s m h d w; at most 100 years.

    Raises ValueError on anything else, a bare number included: its unit would be a guess.
    """
    if not isinstance(text, str):
        raise ValueError('write a duration as text with a unit, such as "90s", "1h30m" or "7d"')  # noqa: TRY004 - pydantic words ValueErrors
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(
            f'"{text}" is no duration: write a number and a unit (ms, s, m, h, d, w), such as "90s" or "1h30m"'
        )
    milliseconds = sum(float(number) * _UNITS_MS[unit] for number, unit in parts)
    if milliseconds > _LONGEST_MS:
        raise ValueError(f'"{text}" is longer than 100 years')
    return round(milliseconds)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in a time, or in so many windows; the other of the two is None."""

    count: float
    per_ms: int | None = None
    per_windows: int | None = None


def rate(text: Any) -> Rate:
    """Turn "1 per 30d", "2 per 7d" or "1 per 1000 windows" into a rate; ValueError on anything else."""
    found = _RATE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(
            'write a number and a time or a number of windows, such as "1 per 30d" or "1 per 1000 windows"'
        )
    count, windows, time = found.groups()
    if not float(count):
        raise ValueError("must be more than zero")
    if windows:
        return Rate(float(count), per_windows=_positive(int(windows)))
    return Rate(float(count), per_ms=_positive(duration_ms(time)))


def _positive(milliseconds: int) -> int:
    if milliseconds <= 0:
        raise ValueError("must be longer than zero")
    return milliseconds


def _located(text: str, info: ValidationInfo) -> str:
    if not text or not info.context:
        return text
    try:
        return str(info.context["directory"] / Path(text).expanduser())
    except RuntimeError as error:
        raise ValueError(f'the home directory in "{text}" is not known; write the whole path') from error


DurationMs = Annotated[int, BeforeValidator(duration_ms)]
"""A duration in milliseconds, zero allowed; written as "5m"."""

PositiveDurationMs = Annotated[int, BeforeValidator(lambda text: _positive(duration_ms(text)))]
"""A duration in milliseconds, longer than zero; written as "5m"."""

LocatedPath = Annotated[str, AfterValidator(_located)]
"""A path, or a glob; a relative one starts in the validation context's `directory`, where the file stands."""


def override(
    document: Mapping[str, Any], environment: Mapping[str, str]
) -> tuple[dict[str, Any], dict[tuple[str, ...], str]]:
    """Put DRIFTWATCH_SERVER__LISTEN=… and the like over the document; also say which keys which variable wrote.

    Numbers name the place in a list: DRIFTWATCH_MODELS__0__NAME. A value that is TOML is read as TOML, else as text.
    """
    result: dict[str, Any] = _copied(document)
    variables: dict[tuple[str, ...], str] = {}
    for variable, text in sorted(environment.items()):
        if not variable.startswith(_PREFIX) or "__" not in variable:
            continue
        keys = tuple(variable.removeprefix(_PREFIX).lower().split("__"))
        node: Any = result
        for key in keys[:-1]:
            place = _place(node, key, variable)
            node = node.setdefault(place, {}) if isinstance(node, dict) else node[place]
        node[_place(node, keys[-1], variable)] = _value(text)
        variables[keys] = variable
    return result, variables


def _copied(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _copied(value) for key, value in node.items()}
    return [_copied(value) for value in node] if isinstance(node, list) else node


def _place(node: Any, key: str, variable: str) -> Any:
    """Find the key of a table whatever its case, or the place in a list."""
    if isinstance(node, dict) and key:
        return next((known for known in node if known.lower() == key), key)
    if isinstance(node, list) and key.isdecimal() and int(key) < len(node):
        return int(key)
    raise ConfigError(f'{variable}: the file has no "{key}" there to override; write TABLE__KEY or TABLE__0__KEY')


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text


def explain(detail: Any) -> tuple[tuple[int | str, ...], str]:
    """Say where one of pydantic's error details is in the file, and what is wrong there and what to do."""
    location, kind, context = detail["loc"], detail["type"], detail.get("ctx", {})
    if kind == "mistake":
        location = (*location, context["key"])
    elif kind in {"union_tag_invalid", "union_tag_not_found"}:
        location = (*location, "type")
    return location, _words(detail, kind, context)


def _words(detail: Any, kind: str, context: dict[str, Any]) -> str:
    if kind == "union_tag_invalid":
        return _choice(context["tag"], context["expected_tags"])
    if kind in {"enum", "literal_error"}:
        return _choice(detail["input"], context["expected"])
    if kind in _WANTED:
        return _shape(_WANTED[kind], detail["input"], detail["loc"])
    words = str(_WORDS.get(kind, detail["msg"].removeprefix("Value error, ")))
    return words.format(**context) if kind in _WORDS else words


_WORDS = {
    "missing": "this key is missing",
    "union_tag_not_found": "this key is missing",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
}
_TABLE, _LIST = "a table, in { } or below a [header]", 'a list, such as ["…"]'
_WANTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
}
_GIVEN = {bool: "true or false", str: "text", int: "a number", float: "a fraction", list: "a list", dict: "a table"}


def _shape(wanted: str, given: Any, location: tuple[int | str, ...]) -> str:
    # What was given is not shown: it may be a secret at the wrong place.
    header = ".".join(part for part in location if isinstance(part, str))
    if wanted is _LIST and isinstance(given, dict):
        return f"there may be several of them: write the header with two pairs of brackets, [[{header}]]"
    if wanted is _TABLE and isinstance(given, list):
        return f"there is only one: write the header with one pair of brackets, [{header}]"
    return f"write {wanted}, not {_GIVEN.get(type(given), 'a date or time')}"


def _choice(given: Any, expected: str) -> str:
    words = re.findall(r"'([^']*)'", expected)
    choices = f"write {'one of ' if words[1:] else ''}" + ", ".join(f'"{word}"' for word in words)
    if not isinstance(given, str):
        return choices
    return f'"{given}" is not known; {meant(given, words) or choices}'
