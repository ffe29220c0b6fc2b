"""The typed form of one model's events: a struct type generated once from the schema.

The field mapping is a tree of JSON keys; each inner node becomes a struct, each leaf a typed field. Keys that are known
to stand in events without being columns (ignored ones, and unknown ones once met) are leaves too, read as raw bytes, so
that they are counted exactly and cost next to nothing.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from driftwatch.errors import ConfigError
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.raw import Stream
from driftwatch.stream.schema import PREDICTION, SCORE, Column, Kind, Schema, Task

Path = tuple[str, ...]

_FIELD = re.compile(r'[^\x00-\x1f"\\\ud800-\udfff]*')

SEGMENT = "segment"
"""The object of an event that may hold what rows are divided by."""
CONTROL = "control"
"""The key that keeps an event out of the windows, wherever it is free."""

ABSENT = msgspec.Raw(b"")
"""Default of the fields that are only counted."""


class Role(StrEnum):
    """What a leaf is for; decides its type and how a wrong value is treated."""

    MODEL = "model"
    ID = "id"
    TIME = "time"
    VERSION = "version"
    LABEL = "label"
    AMOUNT = "amount"
    """A label that is a number."""
    RELEVANCE = "relevance"
    VALUE = "value"
    CONTROL = "control"
    """The golden set that an event belongs to."""
    SCORE = "score"
    """A binary model's score, where the reference has no such column; so are the next two."""
    CLASS = "class"
    ESTIMATE = "estimate"
    PROBABILITY = "probability"
    """A class's part of a multiclass model's scores."""
    INTERVAL = "interval"
    ITEMS = "items"
    COLUMNS = "columns"
    NUMBER = "number"
    CATEGORY = "category"
    KEY = "key"
    """A value that may not come twice, of which nothing else is counted."""
    ANSWER = "answer"
    """A label beside a prediction: known of golden sets, else only counted."""
    EXTRA = "extra"


LABEL_ROLES = frozenset({Role.LABEL, Role.AMOUNT, Role.RELEVANCE})
"""Of a label event one leaf has one of these; null says something there, and being absent something else."""

_Text = str | int | float | bool | None
_TYPES: dict[Role, Any] = {
    Role.MODEL: str | None,
    Role.ID: str | int | None,
    Role.TIME: Annotated[datetime, msgspec.Meta(tz=True)] | int | float | None,
    Role.VERSION: str | int | float | None,
    Role.LABEL: _Text,
    Role.AMOUNT: float | None,
    Role.RELEVANCE: dict[str, float] | None,
    Role.VALUE: float | None,
    Role.CONTROL: str | int | None,
    Role.SCORE: float | None,
    Role.CLASS: _Text,
    Role.ESTIMATE: float | None,
    Role.PROBABILITY: float | None,
    Role.INTERVAL: tuple[float | None, float | None] | None,
    Role.ITEMS: list[str | int] | None,
    Role.COLUMNS: msgspec.Raw,
    Role.NUMBER: float | None,
    Role.CATEGORY: _Text,
    Role.KEY: _Text,
    Role.ANSWER: msgspec.Raw,
    Role.EXTRA: msgspec.Raw,
}
COUNTED_ROLES = frozenset({Role.EXTRA, Role.COLUMNS, Role.ANSWER})
"""Leaves that are read as raw bytes, and are ABSENT where there are none."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field of the event: where it stands, what it is for, and the column it fills, if any.

    further: fills the column only in events whose first field for it is null.
    """

    path: Path
    role: Role
    column: Column | None = None
    further: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """One JSON object of the event: its struct type, and for each key in order a leaf or a further group."""

    type: Any
    members: tuple[tuple[str, "Leaf | Group"], ...]
    empty: Any


def leaves_of(schema: Schema, stream: Stream, form: OutputForm) -> tuple[Leaf, ...]:
    """The fields of one stream's events, in the order in which `flatten` gives them back."""
    fields = schema.fields
    shared = [
        Leaf(("model",), Role.MODEL),
        Leaf(("columns",), Role.COLUMNS),
        Leaf(_split(fields.id), Role.ID),
        Leaf(_split(fields.time), Role.TIME),
        Leaf(_split(fields.version), Role.VERSION),
        Leaf(_split(fields.value), Role.VALUE),
    ]
    if stream is Stream.LABELS:
        named_label = (*shared, Leaf(_split(fields.label), label_role(schema.task)))
        return (*named_label, *_control_leaf({leaf.path for leaf in named_label}))
    columns = [
        Leaf(column_path(schema, column), _role(column), column) for column in (*schema.numeric, *schema.categorical)
    ]
    keys = [Column(name, Kind.CATEGORICAL) for name in schema.keys]
    columns += [Leaf(column_path(schema, key), Role.KEY, key) for key in keys]
    known = {leaf.path for leaf in (*shared, *columns)}
    said = [leaf for leaf in _output_leaves(schema, form) if leaf.path not in known]
    known |= {leaf.path for leaf in said}
    further = [leaf for leaf in _segment_leaves(schema) if _apart(leaf.path, known)]
    known |= {leaf.path for leaf in further}
    control = _control_leaf(known)
    known |= {leaf.path for leaf in control}
    prefix = _split(fields.features)
    ignored = [Leaf((*prefix, name), Role.EXTRA) for name in schema.ignore if is_field((name,))]
    # These stand in prediction events of the contract whether or not they mean something to such a model.
    named = [
        _split(path) for path in (SEGMENT, CONTROL, "scores", "interval", fields.score, fields.prediction, fields.label)
    ]
    extras = [
        *(leaf.path for leaf in ignored if leaf.path not in known),
        *(path for path in named if _apart(path, known)),
    ]
    answer = _split(fields.label) if control and schema.task is not Task.NONE else None
    counted = (Leaf(path, Role.ANSWER if path == answer else Role.EXTRA) for path in dict.fromkeys(extras))
    return (*shared, *columns, *said, *further, *control, *counted)


def label_role(task: Task) -> Role:
    """What a label of such a model is."""
    return {Task.RANKING: Role.RELEVANCE, Task.REGRESSION: Role.AMOUNT}.get(task, Role.LABEL)


def _control_leaf(known: Iterable[Path]) -> list[Leaf]:
    return [Leaf((CONTROL,), Role.CONTROL)] if _apart((CONTROL,), known) else []


def _segment_leaves(schema: Schema) -> list[Leaf]:
    """Where the columns that rows are divided by may stand too; it fills them where the features are silent."""
    columns = [column for column in (*schema.numeric, *schema.categorical) if column.name not in {SCORE, PREDICTION}]
    return [
        Leaf((SEGMENT, each.name), _role(each), each, further=True) for each in columns if each.name in schema.segments
    ]


def _output_leaves(schema: Schema, form: OutputForm) -> list[Leaf]:
    """Where the model's outputs stand, whether or not they are columns too."""
    score, prediction = output_path(schema, SCORE), output_path(schema, PREDICTION)
    features = {column_path(schema, column) for column in (*schema.numeric, *schema.categorical)}
    optional = {
        Task.MULTICLASS: [Leaf(("scores", name), Role.PROBABILITY) for name in form.classes if is_field((name,))],
        Task.REGRESSION: [Leaf(("interval",), Role.INTERVAL)],
    }.get(form.task, [])
    needed = {
        Task.BINARY: [Leaf(score, Role.SCORE), Leaf(prediction, Role.CLASS)],
        Task.MULTICLASS: [Leaf(prediction, Role.CLASS)],
        Task.REGRESSION: [Leaf(prediction, Role.ESTIMATE)],
        Task.RANKING: [Leaf(prediction, Role.ITEMS)],
    }.get(form.task, [])
    taken = features | {leaf.path for leaf in needed}
    return [*needed, *(leaf for leaf in optional if _apart(leaf.path, taken))]


def _apart(path: Path, others: Iterable[Path]) -> bool:
    """Whether a field is none of the others, stands in none of them and holds none."""
    return all(path[: len(other)] != other[: len(path)] for other in others)


def output_path(schema: Schema, name: str) -> Path:
    """The keys that lead to the model's own `score` or `prediction`."""
    return _split(schema.fields.score if name == SCORE else schema.fields.prediction)


def column_path(schema: Schema, column: Column) -> Path:
    """The keys that lead to a column's value in an event."""
    if column.name in {SCORE, PREDICTION}:
        return output_path(schema, column.name)
    return (*_split(schema.fields.features), column.name)


def build(leaves: Iterable[Leaf], *, strict: bool) -> Group:
    """Generate the struct types; `strict` forms refuse unknown keys, so that they can be learnt.

    ConfigError when one field stands inside another, or has a name that no form can read.
    """
    tree: dict[str, Any] = {}
    for leaf in leaves:
        if not is_field(leaf.path):
            name = json.dumps(".".join(leaf.path))
            raise ConfigError(
                f"field {name} cannot be read: no quote, backslash or control character; rename or ignore it"
            )
        node = tree
        for key in leaf.path[:-1]:
            node = node.setdefault(key, {})
            if isinstance(node, Leaf):
                inner, outer = ".".join(leaf.path), ".".join(node.path)
                raise ConfigError(f'field "{inner}" stands inside field "{outer}": map them apart in [models.fields]')
        if leaf.path[-1] in node:
            raise ConfigError(f'two fields are read from "{".".join(leaf.path)}": map them apart in [models.fields]')
        node[leaf.path[-1]] = leaf
    return _group(tree, strict=strict)


def is_field(path: Path) -> bool:
    """Whether a typed form can read these keys: the decoder takes no quotes, backslashes and control characters."""
    return all(_FIELD.fullmatch(key) for key in path)


def _group(tree: dict[str, Any], *, strict: bool) -> Group:
    members = tuple(
        (key, node if isinstance(node, Leaf) else _group(node, strict=strict)) for key, node in tree.items()
    )
    fields: list[tuple[str, Any, Any]] = []
    for position, (_, member) in enumerate(members):
        name = f"f{position}"
        if isinstance(member, Group):
            fields.append((name, member.type | None, member.empty))
        elif member.role in COUNTED_ROLES:
            fields.append((name, _TYPES[member.role], ABSENT))
        elif member.role in LABEL_ROLES:
            fields.append((name, _TYPES[member.role] | msgspec.UnsetType, msgspec.UNSET))
        elif member.column is not None and member.column.coerce and member.role is Role.NUMBER:
            fields.append((name, str | float | None, None))
        else:
            fields.append((name, _TYPES[member.role], None))
    names = {f"f{position}": key for position, (key, _) in enumerate(members)}
    made = msgspec.defstruct("Event", fields, rename=names, frozen=True, gc=False, forbid_unknown_fields=strict)
    return Group(made, members, made())


def flatten(group: Group, events: Sequence[Any]) -> dict[Path, tuple[Any, ...]]:
    """Turn structs into one tuple of values per leaf, all of the events' length."""
    columns = zip(*map(msgspec.structs.astuple, events), strict=True)
    found: dict[Path, tuple[Any, ...]] = {}
    for (_, member), values in zip(group.members, columns, strict=True):
        if isinstance(member, Leaf):
            found[member.path] = values
        else:
            inner = [member.empty if value is None else value for value in values] if None in values else values
            found |= flatten(member, inner)
    return found


def _role(column: Column) -> Role:
    return Role.NUMBER if column.kind is Kind.NUMERIC else Role.CATEGORY


def _split(dotted: str) -> Path:
    return tuple(dotted.split(".")) if dotted else ()
