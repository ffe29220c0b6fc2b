"""What `[models.columns]` declares, put upon the columns of a reference; ConfigError where the two do not fit."""

from collections.abc import Iterable, Mapping

import numpy as np

from driftwatch.errors import ConfigError
from driftwatch.stream.schema import Column, ColumnSpec
from driftwatch.summaries.reference import Reference

_NAMED = 10
"""So many values are named in one line."""


def configured(columns: Iterable[Column], specs: Mapping[str, ColumnSpec], where: str) -> tuple[Column, ...]:
    """The columns of a reference as a model's configuration describes them."""
    result = []
    for column in columns:
        spec = specs.get(column.name)
        if spec is not None and spec.kind is not None and spec.kind is not column.kind:
            raise ConfigError(
                f"{where}.columns.{column.name}.kind: is {spec.kind}, but the reference holds it as {column.kind}; "
                "rebuild the reference"
            )
        result.append(column if spec is None else described(column, spec, where))
    return tuple(result)


def described(column: Column, spec: ColumnSpec, where: str) -> Column:
    """One column as its table describes it."""
    try:
        return spec.describe(column)
    except ConfigError as error:
        raise ConfigError(f"{where}.columns.{column.name}.{error}") from error


def check_declared(reference: Reference, columns: Iterable[Column], where: str) -> None:
    """The reference must not hold sentinels as values, and must know the categories of which shares are expected."""
    for column in columns:
        path = f"{where}.columns.{column.name}"
        held = [value for value in column.sentinels if _holds(reference, column, value)]
        if held:
            raise ConfigError(
                f"{path}.sentinels: the reference was built with {held[0]} as a value like any other; rebuild it"
            )
        for category, _, _ in column.shares:
            if category not in column.vocabulary:
                known = ", ".join(f'"{word}"' for word in column.vocabulary[:_NAMED])
                raise ConfigError(f'{path}.share: the reference knows no value "{category}"; it knows {known}')


def _holds(reference: Reference, column: Column, value: str | float) -> bool:
    """Whether rows of the reference stand at a value; of a number within its range only where it has its own bin."""
    layout, profile = reference.layout, reference.profile
    names = list(layout.names)
    place = names.index(column.name)
    if isinstance(value, str):
        start = int(layout.offsets[place - len(layout.numeric)])
        words = column.vocabulary
        return value in words and bool(profile.categories[start + words.index(value)])
    numeric, edges = profile.numeric, layout.edges[place]
    if value in {numeric.minima[place], numeric.maxima[place]}:
        return True
    slot = int(np.searchsorted(edges, value, side="left"))
    count = numeric.counts[place, slot] if 0 < slot < edges.size else 0
    if not count:
        return False
    mean = layout.centre[place] + layout.scale[place] * numeric.sums[place, slot] / count
    return bool(abs(mean - value) <= 1e-9 * max(1.0, abs(value)))
