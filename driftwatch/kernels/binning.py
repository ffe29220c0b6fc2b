"""In which bin does each value fall, and what do the bins hold: counts and sums for many columns and cells at once.

A column's range is cut into narrow cells of equal width, and a table says in which bin a cell lies and which edge it
holds, if any: one multiplication, one look-up and one comparison place a value exactly, whatever the number of bins.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.tallying import Block, Division, Places, Tally, add_numbers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]

Z_LIMIT = 1e150
"""|z| is cut here, so that sums of z² stay finite for 1e8 rows of any float64; it changes no count."""

_BLOCK_VALUES = 65_536
"""Values worked on together: their intermediate arrays stay in the processor's cache."""
_WIDTH = 4096
"""Cells of a column's table; many more than edges, so that hardly any cell holds two."""
_TRIMS = (0, 1, 2, 4, 8, 16, 32)
"""How many outer edges of a side the table may leave to the search, so that outliers do not stretch its cells."""


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


@dataclass(frozen=True, slots=True)
class Scales:
    """How columns are binned: edges: (columns, E) non-decreasing; centre, scale: (columns,), finite, scale > 0."""

    edges: Floats
    centre: Floats
    scale: Floats


def bin_counts(
    values: Floats, cells: Ints, *, count: int, scales: Scales, division: Division | None = None
) -> Binned:  # fmt: skip
    """Count every column of `values` into its bins, for `count` cells at once: about 10 ns a value, however many.

    values: (columns, rows), NaN for missing and +inf for invalid; -inf must not occur.
    cells: (rows,) the cell of each row, 0…count-1, or -1 for a row that is not counted.
    division: further cells that the same rows are added to, for about 8 ns a value and way of dividing them.
    """
    columns, slots = values.shape[0], scales.edges.shape[1] + 3
    out = Binned(
        counts=np.zeros((count, columns, slots), dtype=np.int64),
        sums=np.zeros((count, columns, slots - 2)),
        squares=np.zeros((count, columns)),
        minima=np.full((count, columns), np.inf),
        maxima=np.full((count, columns), -np.inf),
    )
    table = _table(np.ascontiguousarray(scales.edges, dtype=np.float64).tobytes(), columns)
    with np.errstate(over="ignore", invalid="ignore"):  # infinities stand for invalid values here
        for values_of, rows in _blocks(values, cells, count=count):
            block, owners = _looked_at(values_of, table.slots_of(values_of), scales), cells[rows]
            if division is not None:
                _divide(block, owners, division.members[:, rows], division.into)
            _add(block, owners, out=out)
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
class _Table:
    """Where values lie among the edges; cells of all columns in one row, _WIDTH each.

    edges: (columns, E). low, inverse: (columns, 1) a value's cell is (x - low) · inverse, cut to the table.
    offsets: (columns, 1) a column's first cell. slots: the slot of values up to the cell's edge, or -1 for a cell
    that holds several. bounds: the cell's edge; no value of a cell without one is greater than what stands here.
    """

    edges: Floats
    low: Floats
    inverse: Floats
    offsets: Ints
    slots: Ints
    bounds: Floats

    def slots_of(self, block: Floats) -> Ints:
        """(columns, rows) the slot of each value."""
        place = block - self.low
        place *= self.inverse
        # Unlike clip, fmax and fmin turn NaN into a number.
        np.fmax(place, 0, out=place)
        np.fmin(place, _WIDTH - 1, out=place)
        cell = place.astype(np.intp)
        cell += self.offsets
        slot: Ints = self.slots.take(cell)
        unclear = slot < 0
        slot += block > self.bounds.take(cell)
        marks = self.edges.shape[1]
        # The hits below are few: places are cheaper than masks.
        flat, values = slot.reshape(-1), block.reshape(-1)
        flat[np.flatnonzero(block <= self.edges[:, :1])] = 0
        flat[np.flatnonzero(block > self.edges[:, -1:])] = marks
        special = np.flatnonzero(~np.isfinite(block))
        flat[special] = np.where(np.isnan(values[special]), marks + 1, marks + 2)
        for column in np.flatnonzero(unclear.any(axis=1)):
            rows = np.flatnonzero(unclear[column] & (slot[column] <= marks))
            slot[column, rows] = self.edges[column].searchsorted(block[column, rows])
        return slot


@lru_cache(maxsize=64)
def _table(edges: bytes, columns: int) -> _Table:
    """Make the table of one set of edges; the same ones come with every batch."""
    grid = np.frombuffer(edges).reshape(columns, -1) if columns else np.zeros((0, 1))
    low, inverse = np.zeros((columns, 1)), np.zeros((columns, 1))
    slots, bounds = np.zeros((columns, _WIDTH), dtype=np.int64), np.zeros((columns, _WIDTH))
    for column, line in enumerate(grid):
        # The first edge stands close to the second, and the last is repeated: "under" and "over" are looked for apart.
        line = line[1:]  # noqa: PLW2901
        low[column], inverse[column] = _widths(line)
        cell = _cells(line, float(low[column, 0]), float(inverse[column, 0]))
        # Cells grow with values, so that an edge of an earlier cell is less than any value of a later one.
        first, after = (cell.searchsorted(np.arange(_WIDTH), side=side) for side in ("left", "right"))
        held = after - first
        alone = (held == 1) | ((held > 1) & (line[np.minimum(first, line.size - 1)] == line[-1]))
        slots[column] = np.where((held == 0) | alone, first + 1, -1)
        bounds[column] = np.where(alone, line[np.minimum(first, line.size - 1)], np.inf)
    offsets = np.arange(columns)[:, None] * _WIDTH
    return _Table(grid, low, inverse, offsets, slots.ravel(), bounds.ravel())


def _widths(edges: Floats) -> tuple[float, float]:
    """The least value and the cells per unit of the table that leaves the fewest edges to the search."""
    distinct = np.unique(edges)
    best = (distinct.size + 1, 0.0, 0.0)
    for left, right in product(_TRIMS, _TRIMS):
        if left + right >= distinct.size:
            continue
        low, high = float(distinct[left]), float(distinct[-1 - right])
        with np.errstate(over="ignore"):
            inverse = float(np.clip(_WIDTH / np.float64(max(high - low, 1e-300)), 0, 1e300))
            held = np.bincount(_cells(distinct, low, inverse), minlength=_WIDTH)
        best = min(best, (int(held[held > 1].sum()), low, inverse))
    return best[1:]


def _cells(values: Floats, low: float, inverse: float) -> Ints:
    with np.errstate(over="ignore", invalid="ignore"):
        place = (values - low) * inverse
    return np.fmin(np.fmax(place, 0), _WIDTH - 1).astype(np.int64)


def _blocks(values: Floats, cells: Ints, *, count: int) -> Iterator[tuple[Floats, Ints | slice]]:
    """Cut the rows that are counted into blocks, grouped by cell; with each block the places of its rows."""
    columns = values.shape[0]
    if not cells.size or not columns:
        return
    rows = max(256, _BLOCK_VALUES // columns)
    if int(cells.min()) == int(cells.max()) >= 0:
        for start in range(0, cells.size, rows):
            some = slice(start, start + rows)
            yield np.ascontiguousarray(values[:, some]), some
        return
    # Narrow integers are sorted by radix, in linear time.
    narrow = cells.astype(np.int16) if count < np.iinfo(np.int16).max else cells
    order = np.argsort(narrow, kind="stable")[np.count_nonzero(cells < 0) :]
    for start in range(0, order.size, rows):
        chosen = order[start : start + rows]
        yield values.take(chosen, axis=1), chosen


def _looked_at(values: Floats, slot: Ints, scales: Scales) -> Block:
    special = np.flatnonzero(~np.isfinite(values))
    low = high = values
    if special.size:
        low, high = values.copy(), values.copy()
        low.reshape(-1)[special], high.reshape(-1)[special] = np.inf, -np.inf
    z = values - scales.centre[:, None]
    z /= scales.scale[:, None]
    z.reshape(-1)[special] = 0
    np.clip(z, -Z_LIMIT, Z_LIMIT, out=z)
    slot += np.arange(len(values))[:, None] * (scales.edges.shape[1] + 3)
    return Block(slot, low, high, z, z * z)


def _add(block: Block, owners: Ints, *, out: Binned) -> None:
    """Add a block of rows grouped by cell; `owners` names the cell of each."""
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    present = owners[starts]
    columns, slots = out.counts.shape[1:]
    slot = block.slot
    if present.size > 1:
        # Cells are renumbered within the block, so that the cost follows its rows and not the number of cells.
        slot += np.repeat(np.arange(present.size) * (columns * slots), np.diff(starts, append=owners.size))
    shape = (present.size, columns, slots)
    out.counts[present] += np.bincount(slot.ravel(), minlength=present.size * columns * slots).reshape(shape)
    out.minima[present] = np.minimum(out.minima[present], np.minimum.reduceat(block.low, starts, axis=1).T)
    out.maxima[present] = np.maximum(out.maxima[present], np.maximum.reduceat(block.high, starts, axis=1).T)
    sums = np.bincount(slot.ravel(), weights=block.z.ravel(), minlength=present.size * columns * slots).reshape(shape)
    out.sums[present] += sums[:, :, :-2]
    out.squares[present] += np.add.reduceat(block.squares, starts, axis=1).T


def _divide(block: Block, owners: Ints, members: Places, into: Sequence[Tally | None]) -> None:
    """Add a block of rows grouped by cell to the tallies of their cells."""
    starts = np.flatnonzero(np.diff(owners, prepend=-1)).tolist()
    for start, stop in zip(starts, [*starts[1:], owners.size], strict=True):
        tally = into[owners[start]]
        if tally is not None:
            rows = slice(start, stop)
            add_numbers(tally, members[:, rows], block if len(starts) == 1 else block.of(rows))
