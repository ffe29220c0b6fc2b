"""What the reference's own consecutive rows say of how much windows vary: blocks of 2, 4, 8 … rows (design D8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.kernels.block_curves import Curves, block_freedom
from driftwatch.kernels.block_moments import GROUPS, PAIRS, VALUE_GROUPS, merged, moments_of, packed
from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.kernels.variance_time import VarianceTime
from driftwatch.summaries.blocks import GROUPS as COARSE_GROUPS
from driftwatch.summaries.blocks import Blocks
from driftwatch.summaries.coarsening import category_groups, value_groups
from driftwatch.summaries.layout import Floats, Ints, Layout
from driftwatch.summaries.pyramid_season import SeasonPyramid


@dataclass(frozen=True)
class Pyramid:
    """Counts of coarse groups over all rows, and the sums of their products over blocks of each length.

    rows: of the reference. numeric: how many of the columns are; they come first. counts: (columns, GROUPS).
    lengths: (levels,) rows of a block, doubling. blocks: (levels,) how many were counted, overlapping by half.
    moments: (levels, columns, PAIRS) whole numbers, see `block_moments.packed`.
    apart: the same of what a season leaves; None where none was asked for.
    """

    rows: int
    numeric: int
    counts: Floats
    lengths: Ints
    blocks: Ints
    moments: Floats
    apart: SeasonPyramid | None = None

    def over(self, rows: int, reference_rows: int | None = None) -> Overdispersion:
        """By how much a window of so many rows varies more than one of independent rows, against this reference.

        reference_rows: of the part of the reference that it is compared with, as for a segment; all of them when left
        out. The rows of a segment that stand among others depend on each other no more than rows next to each other do,
        so what holds for all rows is enough, unless the segment's rows are more alike than others are.
        """
        return self._known.over(rows, reference_rows or self.rows)

    def over_season(self, rows: int, reference_rows: int) -> Overdispersion:
        """The same of a window and of so many rows of its slots of a season, beside what the season explains.

        Where nothing is known of that (an older reference, a season that came once), all that rows vary by counts.
        """
        if self.apart is None or not self.apart.used.any():
            return self.over(rows, reference_rows)
        return self.apart.over(rows, reference_rows, counts=self.counts)

    @cached_property
    def _known(self) -> VarianceTime:
        curves = Curves.of(self.counts, self.moments, blocks=(self.lengths, self.blocks), numeric=self.numeric)
        free = block_freedom(self.lengths, self.blocks)
        return VarianceTime.of(curves, rows=self.rows, numeric=self.numeric, lengths=self.lengths, block_freedom=free)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The pyramid as named arrays, for whoever stores it."""
        return {
            "pyramid": np.stack([self.lengths, self.blocks]), "pyramid_counts": self.counts.astype(np.int64),
            "pyramid_moments": self.moments, **({} if self.apart is None else self.apart.arrays()),
        }  # fmt: skip

    @classmethod
    def from_arrays(cls, layout: Layout, arrays: Mapping[str, NDArray[Any]], *, rows: int) -> Self:
        """Return the inverse of `arrays`; StateError when they do not fit the layout or each other."""
        levels, counts, moments = arrays["pyramid"], arrays["pyramid_counts"], arrays["pyramid_moments"]
        if moments.shape != (levels.shape[1], len(layout.names), PAIRS) or len(counts) != len(layout.names):
            raise StateError(f"the stored pyramid is not one of {len(layout.names)} columns")
        apart = SeasonPyramid.from_arrays(layout, arrays)
        return cls(rows, len(layout.numeric), counts.astype(np.float64), levels[0], levels[1], moments, apart)

    @classmethod
    def of_blocks(cls, blocks: Blocks, layout: Layout, *, rows: int) -> Self:
        """What the coarse counts of an older reference say: nothing of blocks that are shorter than theirs."""
        folded = _folded(blocks, layout)
        whole = folded[:, : rows // blocks.length]
        lengths, found, moments = [], [], []
        length, level = blocks.length, whole
        while level.shape[1] > 1:
            lengths.append(length)
            found.append(level.shape[1])
            moments.append(packed(moments_of(level)))
            level = merged(level) if length == blocks.length else merged(level[:, ::2])
            length *= 2
        shape = (len(lengths), len(layout.names), PAIRS)
        return cls(
            rows, len(layout.numeric), folded.sum(axis=1), np.array(lengths, dtype=np.int64),
            np.array(found, dtype=np.int64), np.array(moments, dtype=np.float64).reshape(shape),
        )  # fmt: skip


def _folded(blocks: Blocks, layout: Layout) -> Floats:
    """(columns, blocks, GROUPS) the blocks' coarse counts in the groups of a pyramid."""
    columns = len(layout.names)
    folded = np.zeros((columns, len(blocks.numeric), GROUPS))
    for column in range(len(layout.numeric)):
        table = blocks.numeric[:, column]
        np.add.at(folded[column].T, value_groups(table[:, :COARSE_GROUPS].sum(axis=0)), table[:, :COARSE_GROUPS].T)
        folded[column, :, VALUE_GROUPS:] = table[:, COARSE_GROUPS:]
    for place, (begin, end) in enumerate(pairwise(layout.offsets.tolist()), start=len(layout.numeric)):
        np.add.at(folded[place].T, category_groups(end - begin), blocks.categories[:, begin:end].T)
    return folded
