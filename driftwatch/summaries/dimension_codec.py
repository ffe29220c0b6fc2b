"""Dimensions as JSON: what was chosen by name and number, so that they are made anew over the same layout."""

from collections.abc import Mapping
from typing import Any

from driftwatch.errors import StateError
from driftwatch.stream.conditions import ByCondition, Condition
from driftwatch.stream.dimensions import ByCategory, ByRange, Crossed, Dimension, Dimensions
from driftwatch.summaries.layout import Layout

_LISTS = ("segments", "protected", "slices")


def dimensions_to_json(dimensions: Dimensions, layout: Layout) -> dict[str, Any]:
    """Write all of a model's dimensions."""
    return {key: [_to_json(each, layout) for each in getattr(dimensions, key)] for key in _LISTS}


def dimensions_from_json(document: Mapping[str, Any], layout: Layout) -> Dimensions:
    """Return the inverse of `dimensions_to_json`; the layout is the one that they were written with."""
    segments, protected, slices = (tuple(_from_json(each, layout) for each in document[key]) for key in _LISTS)
    return Dimensions(segments, protected, slices)


def _to_json(dimension: Dimension, layout: Layout) -> dict[str, Any]:
    if isinstance(dimension, ByCategory):
        column = layout.categorical[dimension.column].name
        return {"kind": "category", "name": dimension.name, "column": column, "kept": list(dimension.kept)}
    if isinstance(dimension, ByRange):
        column = layout.numeric[dimension.column].name
        return {"kind": "range", "name": dimension.name, "column": column, "edges": list(dimension.edges)}
    if isinstance(dimension, Crossed):
        sides = [_to_json(side, layout) for side in (dimension.first, dimension.second)]
        return {"kind": "cross", "sides": sides, "kept": [list(pair) for pair in dimension.kept]}
    assert isinstance(dimension, ByCondition)
    return {
        "kind": "condition", "name": dimension.name, "where": dimension.condition.text, "contrary": dimension.contrary,
    }  # fmt: skip


def _from_json(document: Mapping[str, Any], layout: Layout) -> Dimension:
    kind = document["kind"]
    if kind == "category":
        names = [column.name for column in layout.categorical]
        place = names.index(document["column"])
        return ByCategory.of(document["name"], place, layout.categorical[place].vocabulary, kept=document["kept"])
    if kind == "range":
        names = [column.name for column in layout.numeric]
        return ByRange(document["name"], names.index(document["column"]), tuple(map(float, document["edges"])))
    if kind == "cross":
        first, second = (_from_json(side, layout) for side in document["sides"])
        return Crossed(first, second, tuple((int(one), int(two)) for one, two in document["kept"]))
    if kind == "condition":
        condition = Condition.of(document["where"], layout.numeric, layout.categorical)
        return ByCondition(document["name"], condition, document["contrary"])
    raise StateError(f'a way to divide rows called "{kind}" is not known: upgrade driftwatch')
