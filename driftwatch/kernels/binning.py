"""In which bin does each value fall, and what do the bins hold: counts and sums for many columns and cells at once.

Two ways lead to the same counts. A cell with many rows is sorted column by column and the *edges* are searched in the
sorted values: about 5 ns a value. Rows of small cells are searched among the edges together, whatever their number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]

Z_LIMIT = 1e150
"""|z| is cut here, so that sums of z² stay finite for 1e8 rows of any float64; it changes no count."""

_CHUNK_ROWS = 8192
_SORTED_ROWS = 256
"""From so many rows on, sorting a cell's own rows is cheaper than searching them among the edges."""


@dataclass(frozen=True, slots=True)
class Binned:
    """What the bins of every cell and column hold; E edges make E + 1 finite slots.

    counts: (cells, columns, E + 3) slot 0 holds x ≤ edges[0], slot j holds edges[j-1] < x ≤ edges[j], slot E holds
        x > edges[-1]; then missing (NaN) and invalid (+inf).
    sums: (cells, columns, E + 1) sum of z = (x - centre) / scale, cut to ±Z_LIMIT, in each finite slot.
    squares: (cells, columns) sum of z².
    minima, maxima: (cells, columns) of the finite values; +inf and -inf where there are none.
    """

    counts: Ints
    sums: Floats
    squares: Floats
    minima: Floats
    maxima: Floats


def bin_counts(values: Floats, cells: Ints, *, count: int, edges: Floats, centre: Floats, scale: Floats) -> Binned:
    """Count every column of `values` into its bins, for `count` cells at once.

    values: (columns, rows), NaN for missing and +inf for invalid; -inf must not occur.
    cells: (rows,) the cell of each row, 0…count-1, or -1 for a row that is not counted.
    edges: (columns, E) non-decreasing. centre, scale: (columns,), finite, scale > 0.
    """
    columns, slots = values.shape[0], edges.shape[1] + 3
    out = Binned(
        counts=np.zeros((count, columns, slots), dtype=np.int64),
        sums=np.zeros((count, columns, slots - 2)),
        squares=np.zeros((count, columns)),
        minima=np.full((count, columns), np.inf),
        maxima=np.full((count, columns), -np.inf),
    )
    ends = np.broadcast_to([np.finfo(np.float64).max, np.inf], (columns, 2))
    grid = _Grid(edges, np.concatenate([edges, ends], axis=1), centre, scale)
    with np.errstate(over="ignore"):
        for block, owners, cell in _blocks(values, cells, count=count):
            if cell >= 0:
                _count_sorted(block, cell, out=out, grid=grid)
            else:
                _count_searched(block, owners, out=out, grid=grid)
    return out


def category_counts(codes: Codes, cells: Ints, *, count: int, offsets: Ints) -> Ints:
    """Count the slot codes of every categorical column, for `count` cells at once: (count, offsets[-1]).

    codes: (columns, rows) 0…width-1 of the column. cells: (rows,) as in `bin_counts`.
    offsets: (columns + 1,) where each column's slots begin in the result.
    """
    out = np.zeros((count, int(offsets[-1])), dtype=np.int64)
    if cells.size and int(cells.min()) < 0:
        kept = cells >= 0
        codes, cells = codes[:, kept], cells[kept]
    for column, (begin, end) in enumerate(pairwise(offsets)):
        width = int(end - begin)
        flat = codes[column] if count == 1 else cells * width + codes[column]
        out[:, begin:end] = np.bincount(flat, minlength=count * width).reshape(count, width)
    return out


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where the bins are; marks: (columns, E + 2) the edges, then the upper ends of "over" and of invalid."""

    edges: Floats
    marks: Floats
    centre: Floats
    scale: Floats


def _blocks(values: Floats, cells: Ints, *, count: int) -> Iterator[tuple[Floats, Ints, int]]:
    """Cut rows into blocks of one large cell each (its number), and blocks of small cells (-1), grouped by cell."""
    if not cells.size or not values.shape[0]:
        return
    first = int(cells[0])
    if first >= 0 and cells.size >= _SORTED_ROWS and bool((cells == first).all()):
        for start in range(0, cells.size, _CHUNK_ROWS):
            yield values[:, start : start + _CHUNK_ROWS], cells, first
        return
    # Narrow integers are sorted by radix, in linear time.
    narrow = cells.astype(np.int16) if count < np.iinfo(np.int16).max else cells
    order = np.argsort(narrow, kind="stable")
    sizes = np.bincount(cells + 1, minlength=count + 1)
    ends = np.cumsum(sizes)
    large = np.flatnonzero(sizes[1:] >= _SORTED_ROWS)
    for cell in large:
        for start in range(int(ends[cell]), int(ends[cell + 1]), _CHUNK_ROWS):
            yield values[:, order[start : min(start + _CHUNK_ROWS, int(ends[cell + 1]))]], cells, int(cell)
    small = sizes < _SORTED_ROWS
    small[0] = False
    rows = order[small[cells[order] + 1]] if large.size or sizes[0] else order
    for start in range(0, rows.size, _CHUNK_ROWS):
        chosen = rows[start : start + _CHUNK_ROWS]
        yield values[:, chosen], cells[chosen], -1


def _count_sorted(block: Floats, cell: int, *, out: Binned, grid: _Grid) -> None:
    """Add a block whose rows all belong to one cell."""
    columns, rows = block.shape
    ordered = np.sort(block, axis=1)  # +inf, then NaN, come to stand at the end
    bounds = np.zeros((columns, grid.marks.shape[1] + 2), dtype=np.int64)
    bounds[:, -1] = rows
    for column in range(columns):
        bounds[column, 1:-1] = ordered[column].searchsorted(grid.marks[column], side="right")
    here = np.diff(bounds, axis=1)
    out.counts[cell, :, :-2] += here[:, :-2]
    out.counts[cell, :, -2:] += here[:, :-3:-1]
    finite = bounds[:, -3]
    some = np.flatnonzero(finite)
    out.minima[cell, some] = np.minimum(out.minima[cell, some], ordered[some, 0])
    out.maxima[cell, some] = np.maximum(out.maxima[cell, some], ordered[some, finite[some] - 1])
    z = ordered
    z -= grid.centre[:, None]
    z /= grid.scale[:, None]
    if (z[some, 0] < -Z_LIMIT).any() or (z[some, finite[some] - 1] > Z_LIMIT).any():
        np.clip(z, -Z_LIMIT, Z_LIMIT, out=z)
    # An empty slot would repeat its successor's first value: only slots that hold something are summed.
    filled = here > 0
    sums = np.zeros(here.shape)
    starts = bounds[:, :-1] + rows * np.arange(columns)[:, None]
    sums[filled] = np.add.reduceat(z.ravel(), starts[filled])
    out.sums[cell] += sums[:, :-2]
    out.squares[cell] += [line[:end] @ line[:end] for line, end in zip(z, finite, strict=True)]


def _count_searched(block: Floats, owners: Ints, *, out: Binned, grid: _Grid) -> None:
    """Add a block of rows grouped by cell; `owners` names the cell of each."""
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    present = owners[starts]
    columns, slots = out.counts.shape[1:]
    finite = np.isfinite(block)
    slot = np.where(np.isnan(block), slots - 2, slots - 1)
    for column, (line, known) in enumerate(zip(block, finite, strict=True)):
        slot[column, known] = np.searchsorted(grid.edges[column], line[known])
    # Cells are renumbered within the block, so that the cost follows its rows and not the number of cells.
    local = np.repeat(np.arange(present.size), np.diff(starts, append=owners.size))
    flat = ((local * columns + np.arange(columns)[:, None]) * slots + slot).ravel()
    shape = (present.size, columns, slots)
    out.counts[present] += np.bincount(flat, minlength=present.size * columns * slots).reshape(shape)
    z = (np.where(finite, block, grid.centre[:, None]) - grid.centre[:, None]) / grid.scale[:, None]
    np.clip(z, -Z_LIMIT, Z_LIMIT, out=z)
    sums = np.bincount(flat, weights=z.ravel(), minlength=present.size * columns * slots).reshape(shape)
    out.sums[present] += sums[:, :, :-2]
    out.squares[present] += np.add.reduceat(z * z, starts, axis=1).T
    least = np.minimum.reduceat(np.where(finite, block, np.inf), starts, axis=1).T
    greatest = np.maximum.reduceat(np.where(finite, block, -np.inf), starts, axis=1).T
    out.minima[present] = np.minimum(out.minima[present], least)
    out.maxima[present] = np.maximum(out.maxima[present], greatest)
