"""The columnar event form: one object that holds whole columns, `{"model": …, "columns": {"id": […], …}}`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from driftwatch.stream.assemble import Columns
from driftwatch.stream.form import Leaf, Path, Role
from driftwatch.stream.reject import Reject
from driftwatch.stream.tolerant import clean

_TYPED: dict[Role, Any] = dict.fromkeys(
    (Role.NUMBER, Role.VALUE, Role.AMOUNT, Role.SCORE, Role.ESTIMATE, Role.PROBABILITY), list[float | None]
)
_PLAIN = {
    Role.CATEGORY: {str, int, bool, type(None)},
    Role.KEY: {str, int, bool, type(None)},
    Role.CLASS: {str, int, bool, type(None)},
    Role.LABEL: {str, int, bool, type(None)},
    Role.ID: {str, int, type(None)},
    Role.VERSION: {str, int, type(None)},
}
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of one columnar event, values clean, all of `rows` length; unknown: names that no field reads."""

    columns: Columns
    rows: int
    unknown: tuple[str, ...]


def read_columnar(document: dict[str, Any], leaves: Sequence[Leaf]) -> Table | Reject:
    """The event's columns by path; BAD_COLUMNS when they are no lists of one length."""
    columns = document.get("columns")
    if not isinstance(columns, dict) or not all(isinstance(values, list) for values in columns.values()):
        return Reject.BAD_COLUMNS
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        return Reject.BAD_COLUMNS
    rows = lengths.pop()
    found: dict[Path, Sequence[Any]] = {}
    known = {".".join(leaf.path): leaf for leaf in leaves}
    for leaf in leaves:  # a version, or a golden set, said once holds for every row
        if leaf.role in {Role.VERSION, Role.CONTROL} and ".".join(leaf.path) not in columns:
            found[leaf.path] = (clean(leaf, _at(document, leaf.path)),) * rows
    unknown = []
    counted = tuple(name + "." for name, leaf in known.items() if leaf.role in {Role.EXTRA, Role.ANSWER})
    for name, values in columns.items():
        inner = _inside(name, leaves)
        if inner:
            found |= {leaf.path: _cleaned(leaf, [_inner(value, leaf.path) for value in values]) for leaf in inner}
        elif name not in known:
            unknown += [] if name.startswith(counted) else [name]
        elif known[name].role not in {Role.EXTRA, Role.MODEL, Role.COLUMNS}:
            found[known[name].path] = _cleaned(known[name], values)
    return Table(found, rows, tuple(unknown))


def _inside(name: str, leaves: Sequence[Leaf]) -> list[Leaf]:
    """The leaves inside a column of objects: all of a model's scores, or all of its segments."""
    held = [leaf for leaf in leaves if leaf.role is Role.PROBABILITY or leaf.further]
    return [leaf for leaf in held if ".".join(leaf.path[:-1]) == name]


def _inner(value: Any, path: Path) -> Any:
    return value.get(path[-1]) if isinstance(value, dict) else None


def _printable(values: list[Any]) -> bool:
    return not _SURROGATE.search("".join(value for value in values if isinstance(value, str)))


def _at(document: Any, path: Path) -> Any:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _cleaned(leaf: Leaf, values: list[Any]) -> Sequence[Any]:
    coerce = leaf.column is not None and leaf.column.coerce
    if leaf.role in _TYPED and not coerce:
        try:
            return msgspec.convert(values, _TYPED[leaf.role])  # type: ignore[no-any-return]
        except (msgspec.ValidationError, UnicodeEncodeError):  # the latter where a lone surrogate would be quoted
            return [clean(leaf, value) for value in values]
    kinds = set(map(type, values))
    if leaf.role is Role.TIME and kinds <= {int}:
        return values
    if kinds <= _PLAIN.get(leaf.role, set()) and (leaf.role not in {Role.ID, Role.VERSION} or _printable(values)):
        return values
    return [clean(leaf, value) for value in values]
