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
from driftwatch.summaries.known_outcomes import KnownOutcomes
from driftwatch.summaries.layout import Floats, Layout
from driftwatch.summaries.profile import Profile

KIND, VERSION = "reference", 2


@dataclass(frozen=True)
class Reference:
    """A model's reference.

    profile: the counts of all rows over `layout`. blocks: coarse counts of its consecutive rows.
    dispersion: (columns,) numeric first; see `blocks.dispersion`.
    first_ms, last_ms: the time range of the rows, None when the table had no times.
    source_hash: hex SHA-256 of the files. left_out: columns of the table that are neither numbers nor categories.
    written_by: the version of driftwatch. outcomes: what its labels say; None when the table had no labels, as in
    format version 1. dimensions: by what rows are divided. segments: the counts of the rows of each of
    `dimensions.segment_names`, in this order.
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

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.profile.rows

    def to_bytes(self) -> bytes:
        """Write the reference in format version 2."""
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
        }
        labels = {} if self.outcomes is None else self.outcomes.arrays()
        grid = {"edges": self.layout.edges, "centre": self.layout.centre, "scale": self.layout.scale}
        return pack(meta, {**grid, **self.profile.arrays(), **self.blocks.arrays(), **labels})

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
        return cls(
            model=meta["model"],
            task=Task(meta["task"]),
            layout=layout,
            profile=Profile.from_arrays(layout, arrays),
            blocks=blocks,
            dispersion=dispersion(blocks, layout),
            first_ms=meta["first_ms"],
            last_ms=meta["last_ms"],
            source_hash=meta["source_hash"],
            created_ms=meta["created_ms"],
            written_by=meta["written_by"],
            left_out=tuple(meta["left_out"]),
            outcomes=None if outcomes is None else KnownOutcomes.from_parts(outcomes, arrays),
        )


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
