"""What a model's data looked like when it was well: the profile that every window is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.stream.dimensions import UNDIVIDED, Dimensions
from driftwatch.stream.schema import Column, Kind, Task
from driftwatch.summaries.blocks import Blocks, dispersion
from driftwatch.summaries.codec import pack, unpack
from driftwatch.summaries.dimension_codec import dimensions_from_json, dimensions_to_json
from driftwatch.summaries.dividing import NO_DIVISION, Division
from driftwatch.summaries.known_outcomes import KnownOutcomes
from driftwatch.summaries.layout import Floats, Layout
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.pyramid import Pyramid
from driftwatch.summaries.rhythm import Rhythm
from driftwatch.summaries.season_profiles import SeasonProfiles
from driftwatch.summaries.segment_profiles import segment_arrays, segments_from_arrays

KIND, VERSION = "reference", 4


@dataclass(frozen=True)
class Reference:
    """A model's reference.

    profile: the counts of all rows over `layout`. blocks: coarse counts of its consecutive rows.
    dispersion: (columns,) numeric first; see `blocks.dispersion`.
    first_ms, last_ms: the time range of the rows, None when the table had no times.
    source_hash: hex SHA-256 of the files. left_out: columns of the table that are neither numbers nor categories.
    written_by: the version of driftwatch. outcomes: what its labels say; None when the table had no labels, as in
    format version 1. division: by what rows should be divided, and dimensions: by what they are; segments: the counts
    of the rows of each of `dimensions.segment_names`, in this order; protected_rows: of each member of each protected
    dimension. importance: (columns,) numeric first, see `importance.ImportanceCounter`; None where there is no answer.
    rhythm: rows by the hour of the week; None when the table had no times. Versions before 3 know nothing of these.
    season: the rows by slot of a season; None where none was asked for.
    pyramid: how rows that follow each other vary; of versions before 4, what their blocks say of it; None where nothing
    was counted row by row.
    """

    model: str
    task: Task
    layout: Layout
    profile: Profile
    blocks: Blocks
    dispersion: Floats
    first_ms: int | None
    last_ms: int | None
    source_hash: str
    created_ms: int
    written_by: str
    left_out: tuple[str, ...] = ()
    outcomes: KnownOutcomes | None = None
    dimensions: Dimensions = UNDIVIDED
    segments: tuple[Profile, ...] = ()
    division: Division = NO_DIVISION
    protected_rows: tuple[int, ...] = ()
    importance: Floats | None = None
    rhythm: Rhythm | None = None
    season: SeasonProfiles | None = None
    pyramid: Pyramid | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.profile.rows

    def to_bytes(self) -> bytes:
        """Write the reference in format version 4."""
        meta = {
            "kind": KIND,
            "version": VERSION,
            "model": self.model,
            "task": self.task.value,
            "numeric": [_column_to_json(column) for column in self.layout.numeric],
            "categorical": [_column_to_json(column) for column in self.layout.categorical],
            "fingerprint": self.layout.fingerprint,
            "block_rows": self.blocks.length,
            "first_ms": self.first_ms,
            "last_ms": self.last_ms,
            "source_hash": self.source_hash,
            "created_ms": self.created_ms,
            "written_by": self.written_by,
            "left_out": list(self.left_out),
            "outcomes": None if self.outcomes is None else self.outcomes.meta(),
            "division": self.division.to_json(),
            "dimensions": dimensions_to_json(self.dimensions, self.layout),
            "protected_rows": list(self.protected_rows),
        }
        labels = {} if self.outcomes is None else self.outcomes.arrays()
        grid = {"edges": self.layout.edges, "centre": self.layout.centre, "scale": self.layout.scale}
        weights = {} if self.importance is None else {"importance": self.importance}
        hours = {} if self.rhythm is None else self.rhythm.arrays()
        divided = segment_arrays(self.segments) | ({} if self.season is None else self.season.arrays())
        rows = self.profile.arrays() | self.blocks.arrays() | ({} if self.pyramid is None else self.pyramid.arrays())
        return pack(meta, {**grid, **rows, **labels, **weights, **hours, **divided})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the inverse of `to_bytes`; StateError when the bytes are damaged, newer, or hold something else."""
        meta, arrays = unpack(data)
        if meta.get("kind") != KIND:
            raise StateError(f"holds a {meta.get('kind')}, not a reference")
        if meta["version"] > VERSION:
            raise StateError(f"reference version {meta['version']} is newer than {VERSION}: upgrade driftwatch")
        layout = _layout(meta, arrays)
        if layout.fingerprint != meta["fingerprint"]:
            raise StateError(f"the layout's fingerprint is {layout.fingerprint}, not {meta['fingerprint']} as written")
        blocks = Blocks.from_arrays(meta["block_rows"], arrays)
        outcomes = meta.get("outcomes")
        profile = Profile.from_arrays(layout, arrays)
        dimensions = dimensions_from_json(meta["dimensions"], layout) if "dimensions" in meta else UNDIVIDED
        return cls(
            model=meta["model"],
            task=Task(meta["task"]),
            layout=layout,
            profile=profile,
            blocks=blocks,
            dispersion=dispersion(blocks, layout),
            first_ms=meta["first_ms"],
            last_ms=meta["last_ms"],
            source_hash=meta["source_hash"],
            created_ms=meta["created_ms"],
            written_by=meta["written_by"],
            left_out=tuple(meta["left_out"]),
            outcomes=None if outcomes is None else KnownOutcomes.from_parts(outcomes, arrays),
            dimensions=dimensions,
            segments=segments_from_arrays(layout, len(dimensions.segment_names), arrays),
            division=Division.from_json(meta["division"]) if "division" in meta else NO_DIVISION,
            protected_rows=tuple(meta.get("protected_rows", ())),
            importance=_importance(layout, arrays),
            rhythm=Rhythm.from_arrays(arrays),
            season=SeasonProfiles.from_arrays(layout, arrays),
            pyramid=Pyramid.from_arrays(layout, arrays, rows=profile.rows)
            if "pyramid" in arrays
            else Pyramid.of_blocks(blocks, layout, rows=profile.rows),
        )


def _importance(layout: Layout, arrays: Mapping[str, NDArray[Any]]) -> Floats | None:
    found = arrays.get("importance")
    if found is not None and found.shape != (len(layout.names),):
        raise StateError(f"the importance of {found.size} columns is stored, there are {len(layout.names)}")
    return found


def _layout(meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Layout:
    return Layout(
        numeric=tuple(map(_column_from_json, meta["numeric"])),
        categorical=tuple(map(_column_from_json, meta["categorical"])),
        edges=arrays["edges"],
        centre=arrays["centre"],
        scale=arrays["scale"],
    )


def _column_to_json(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "kind": column.kind.value,
        "vocabulary": list(column.vocabulary),
        "coerce": column.coerce,
        "minimum": column.minimum if np.isfinite(column.minimum) else None,
        "maximum": column.maximum if np.isfinite(column.maximum) else None,
    }


def _column_from_json(document: Mapping[str, Any]) -> Column:
    return Column(
        name=document["name"],
        kind=Kind(document["kind"]),
        vocabulary=tuple(document["vocabulary"]),
        coerce=document["coerce"],
        minimum=-np.inf if document["minimum"] is None else document["minimum"],
        maximum=np.inf if document["maximum"] is None else document["maximum"],
    )
