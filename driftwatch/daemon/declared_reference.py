"""The reference of a model that has no reference file: no rows, and a grid made of what its columns declare.

Its windows are counted as any other's; whatever has to be compared with the past says nothing.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

import driftwatch
from driftwatch.config import ModelSpec
from driftwatch.daemon.declaring import described
from driftwatch.daemon.dividing import division_of
from driftwatch.errors import ConfigError
from driftwatch.stream.conditions import Condition
from driftwatch.stream.dimensions import Dimensions
from driftwatch.stream.division import SegmentSpec, named_columns
from driftwatch.stream.schema import PREDICTION, SCORE, Column, ColumnSpec, Kind, Task
from driftwatch.summaries.blocks import BLOCK_ROWS, COARSE, Blocks
from driftwatch.summaries.declared_layout import declared_layout
from driftwatch.summaries.dividing import Divider
from driftwatch.summaries.layout import Floats, Layout
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.reference import Reference


def declared_reference(spec: ModelSpec, *, where: str) -> Reference:
    """Make it of `[models.columns]`: the same declarations give the same fingerprint.

    ConfigError, which begins with `where`, when nothing is declared, or too little to watch the model by.
    """
    columns = [_column(name, each, spec, where=where) for name, each in spec.columns.items() if not each.only_unique]
    if not spec.columns:
        raise ConfigError(
            f"{where}.reference: this key is missing; make the file with "
            f"`driftwatch reference build DATA… --config FILE --model {spec.name} -o OUT` and name it, "
            "or watch the model without one by what [models.columns] declares, such as "
            'age = { kind = "numeric", min = 0 }'
        )
    prediction = {word for column in columns if column.name == PREDICTION for word in column.vocabulary}
    if spec.task is Task.MULTICLASS and not spec.classes and not prediction:
        raise ConfigError(f"{where}.classes: this key is missing; without a reference nothing else says it")
    layout = _layout(spec, columns, where=where)
    dimensions = _dimensions(spec, layout, where=where)
    categories = np.zeros((0, int(layout.offsets[-1])), dtype=np.int64)
    empty = Profile.empty(layout)
    return Reference(
        model=spec.name,
        task=spec.task,
        layout=layout,
        profile=empty,
        blocks=Blocks(BLOCK_ROWS, np.zeros((0, len(layout.numeric), COARSE), dtype=np.int64), categories),
        dispersion=np.full(len(layout.names), np.nan),
        first_ms=None,
        last_ms=None,
        source_hash="",
        created_ms=0,
        written_by=driftwatch.__version__,
        dimensions=dimensions,
        segments=(empty,) * len(dimensions.segment_names),
        division=division_of(spec),
        protected_rows=(0,) * sum(len(dimension.members) for dimension in dimensions.protected),
    )


def _column(name: str, declared: ColumnSpec, spec: ModelSpec, *, where: str) -> Column:
    own = next((column for column in output_columns(spec) if column.name == name), None)
    kind = declared.kind or (own.kind if own else None)
    if kind is None:
        raise ConfigError(
            f"{where}.columns.{name}.kind: this key is missing, and without a reference nothing else says it; "
            'write "numeric", "categorical" or "boolean"'
        )
    if own is not None and own.kind is not kind:
        raise ConfigError(f'{where}.columns.{name}.kind: of a {spec.task} model it is "{own.kind}"; write that')
    column = described(own or Column(name, kind), declared, where)
    if column.kind is Kind.NUMERIC:
        # A score that declares no bounds of its own lies where scores may lie.
        return replace(
            column, least=max(column.least, column.minimum), greatest=min(column.greatest, column.maximum)
        )  # fmt: skip
    return replace(column, vocabulary=_vocabulary(column, spec))


def _vocabulary(column: Column, spec: ModelSpec) -> tuple[str, ...]:
    """The categories that are declared: those allowed, and those of which a share is expected."""
    if column.kind is Kind.BOOLEAN:
        return ("false", "true")
    classes = spec.classes if column.name == PREDICTION else ()
    known = (*column.allowed, *classes, *(category for category, _, _ in column.shares))
    return tuple(dict.fromkeys(map(str, known)))


def _layout(spec: ModelSpec, columns: Iterable[Column], *, where: str) -> Layout:
    """The grid; categories that a condition compares with are known, too."""
    numeric = tuple(column for column in columns if column.kind is Kind.NUMERIC)
    words = {column.name: column for column in columns if column.kind is not Kind.NUMERIC}
    for key, specs in (("segments", spec.segments), ("protected", spec.protected)):
        for place, each in enumerate(specs):
            _check(each, (*numeric, *words.values()), where=f"{where}.{key}[{place}]")
            for name, value in _unknown(each, numeric, tuple(words.values()), where=f"{where}.{key}[{place}]"):
                # A boolean is told as Python writes it.
                also = (value, value.lower()) if value in {"True", "False"} else (value,)
                known = dict.fromkeys((*words[name].vocabulary, *also))
                words[name] = replace(words[name], vocabulary=tuple(known))
    return declared_layout(numeric, tuple(words.values()))


def _check(spec: SegmentSpec, columns: tuple[Column, ...], *, where: str) -> None:
    """ConfigError where rows are to be divided by what only data can tell."""
    known = {column.name: column for column in columns}
    for name in named_columns([spec]):
        if name not in known:
            raise ConfigError(f'{where}: [models.columns] declares no column "{name}"; this model has no other columns')
    if len(spec.sides) > 1:
        raise ConfigError(
            f"{where}.cross: pairs are chosen by their rows in a reference, and this model has none; "
            "write conditions with `and`"
        )
    for side in spec.sides:
        if known[side.column].kind is Kind.NUMERIC:
            raise ConfigError(
                f'{where}: "{side.column}" is a number, which a reference cuts at quantiles, and this model has none; '
                f'write conditions, such as {{ name = "big", where = "{side.column} > 1000" }}'
            )
        if not known[side.column].vocabulary:
            raise ConfigError(
                f'{where}: the values of "{side.column}" are not known without a reference; declare them as `allowed`'
            )


def _unknown(
    spec: SegmentSpec, numeric: tuple[Column, ...], categorical: tuple[Column, ...], *, where: str
) -> tuple[tuple[str, str], ...]:
    if spec.where is None:
        return ()
    try:
        return Condition.of(spec.where, numeric, categorical).unmet
    except ConfigError as error:
        raise ConfigError(f"{where}.where: {error}") from error


def _dimensions(spec: ModelSpec, layout: Layout, *, where: str) -> Dimensions:
    def cuts(place: int, ranges: int) -> Floats:
        raise AssertionError(f"column {place} is not cut into {ranges}: that was refused")

    try:
        return Divider(division_of(spec), layout, cuts).dimensions()
    except ConfigError as error:
        raise ConfigError(f"{where}.{error}") from error


def output_columns(spec: ModelSpec) -> list[Column]:
    """List the model's own outputs, as columns."""
    coerce = {name: column.coerce for name, column in spec.columns.items()}
    least, greatest = (0.0, 1.0) if spec.task is Task.BINARY else (-float("inf"), float("inf"))
    outputs = [Column(SCORE, Kind.NUMERIC, coerce=coerce.get(SCORE, False), minimum=least, maximum=greatest)]
    if spec.task in {Task.BINARY, Task.MULTICLASS}:
        outputs.append(Column(PREDICTION, Kind.CATEGORICAL))
    elif spec.task is Task.REGRESSION:
        outputs.append(Column(PREDICTION, Kind.NUMERIC, coerce=coerce.get(PREDICTION, False)))
    return outputs
