"""Whether the segments that a configuration asks for are those that the reference was built with."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TypeVar

from driftwatch.config import ModelSpec
from driftwatch.errors import ConfigError
from driftwatch.stream.conditions import ByCondition
from driftwatch.stream.dimensions import Dimension, Dimensions
from driftwatch.stream.division import SegmentSpec
from driftwatch.summaries.dividing import Division
from driftwatch.summaries.reference import Reference

_T = TypeVar("_T")


def division_of(spec: ModelSpec) -> Division:
    """What a configuration asks for."""
    return Division(tuple(spec.segments), tuple(spec.protected), spec.max_segments)


def divided(spec: ModelSpec, reference: Reference, *, where: str) -> Reference:
    """Narrow the reference to the dimensions that the configuration names, in its order, and their profiles.

    A configuration without any fits every reference. ConfigError, which begins with `where`, when it names one that
    the reference was not built with, or was built with otherwise.
    """
    wanted, built = division_of(spec), reference.division
    if (wanted.segments or wanted.protected) and wanted.most != built.most and (built.segments or built.protected):
        raise ConfigError(
            f"{where}.max_segments: is {wanted.most}, but the reference was built with {built.most}; "
            "build the reference again or change it back"
        )
    segments = _places(wanted.segments, built.segments, where=f"{where}.segments")
    protected = _places(wanted.protected, built.protected, where=f"{where}.protected")
    if (len(segments), len(protected)) == (len(built.segments), len(built.protected)) and wanted == built:
        return reference
    dimensions = reference.dimensions
    return replace(
        reference,
        division=wanted,
        dimensions=Dimensions(
            tuple(dimensions.segments[place] for place in segments),
            tuple(dimensions.protected[place] for place in protected),
            dimensions.slices,
        ),
        segments=_parts(reference.segments, dimensions.segments, segments),
        protected_rows=_parts(reference.protected_rows, dimensions.protected, protected),
    )


def unmet_values(reference: Reference) -> tuple[str, ...]:
    """What its conditions compare with and the reference does not know, each as a line for a person."""
    return tuple(
        f'"{dimension.name}": {column} is never "{value}" in the reference, so no row surely meets that'
        for dimension in reference.dimensions.all
        if isinstance(dimension, ByCondition)
        for column, value in dimension.condition.unmet
    )


def _places(wanted: Sequence[SegmentSpec], built: Sequence[SegmentSpec], *, where: str) -> list[int]:
    """Where each wanted one stands among those that were built."""
    titles = {spec.title: place for place, spec in enumerate(built)}
    found = []
    for position, spec in enumerate(wanted):
        place = titles.get(spec.title)
        if place is None or built[place] != spec:
            how = "without" if place is None else "with another"
            raise ConfigError(
                f'{where}[{position}]: the reference was built {how} "{spec.title}"; '
                "build the reference again with `driftwatch reference build`, or leave it out"
            )
        found.append(place)
    return found


def _parts(parts: Sequence[_T], dimensions: Sequence[Dimension], places: Sequence[int]) -> tuple[_T, ...]:
    """Of parts that stand one for each member, those of the dimensions at these places."""
    sizes = [len(dimension.members) for dimension in dimensions]
    starts = list(accumulate(sizes, initial=0))
    return tuple(part for place in places for part in parts[starts[place] : starts[place] + sizes[place]])
