"""How the levels of the loss move on with new rows: bets, alarms, and the next level after each alarm.

Law: the rows of one batch may be cut anywhere and the cells in it mixed in any way; states and alarms are the same to
the last bit, since all that is done between two rows depends on the rows before and never on the end of a batch.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.evidence import LEAST_PRODUCT, Floats, Ints, Paths, bet, mean_bounds
from driftwatch.statistics.concept import Alarm, Terms, direction_of
from driftwatch.summaries.evidence_state import CELL, FIRST_ROWS, LossLevels, raw

Records = NDArray[Any]
Flags = NDArray[np.bool_]

SLICE_ROWS = 4096
"""Rows of a cell that are looked at at once, so that memory is bounded."""

_OF_LEVEL = (
    "level_rows",
    "level_total",
    "reference_rows",
    "reference_total",
    "bounds",
    "next_bounds",
    "low",
    "high",
    "products",
    "starts",
    "lowest",
    "lowest_rows",
    "lowest_total",
)
"""What is forgotten when a level is left."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of some cells: losses (cells, rows), NaN behind the last; times_ms (cells, rows); counts (cells,)."""

    losses: Floats
    times_ms: Ints
    counts: Ints


def begin(rows: Ints, totals: Floats, *, terms: Terms) -> LossLevels:
    """Cells whose first level is that of the labelled reference; rows, totals: (cells,) count and sum of its losses.

    Where `rows` is 0 the level is learnt from the first rows that come.
    """
    cells = LossLevels.empty(rows.size).cells
    cells["reference_rows"], cells["reference_total"] = rows, totals
    known = np.flatnonzero(rows)
    doublings = np.ceil(np.log2(np.maximum(rows[known] / FIRST_ROWS, 1)))
    cells["next_bounds"][known] = FIRST_ROWS * 2 ** doublings.astype(np.int64)
    if known.size:
        cells[known] = _bounded(cells[known], terms)
    return LossLevels(cells)


def advance(
    levels: LossLevels, places: Ints, *, losses: Floats, times_ms: Ints, terms: Terms
) -> tuple[LossLevels, tuple[Alarm, ...]]:
    """Show the monitors more rows, in the order in which their labels matured; the alarms are in that order too.

    places: (rows,) the cell of each. losses: (rows,) in [0, 1]. times_ms: (rows,). Raises ValueError for other losses,
    since nothing could be promised of them.
    """
    if not places.size:
        return levels, ()
    if not (losses.min() >= 0 and losses.max() <= 1):
        raise ValueError(f"losses must be in [0, 1], not from {losses.min()} to {losses.max()}")
    order, used, begins, counts = _by_cell(places)
    if used.size > 1:
        losses, times_ms = losses[order], times_ms[order]
    records = levels.taken(used).cells
    found: list[tuple[int, Alarm]] = []
    done = np.zeros_like(counts)
    while (active := np.flatnonzero(done < counts)).size:
        room = np.minimum(records["next_bounds"] - records["level_rows"], SLICE_ROWS)
        steps = np.minimum(counts - done, room)[active]
        for part in _alike(steps):
            some = active[part]
            first = begins[some] + done[some]
            rows = _rows(losses, times_ms, first=first, counts=steps[part])
            moved, taken, crossed = _stepped(raw(records)[some].view(CELL), rows, terms)
            last = order[first + taken - 1]
            found.extend((int(last[i]), _alarm(moved[i], int(used[some[i]]))) for i in np.flatnonzero(crossed))
            raw(records)[some] = raw(moved)
            done[some] += taken
    return levels.replaced(used, records), tuple(alarm for _, alarm in sorted(found, key=lambda pair: pair[0]))


def _by_cell(places: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Order the rows by cell; give also which cells there are, where their rows begin and how many they have."""
    if (places == places[0]).all():
        return np.arange(places.size), places[:1], np.zeros(1, dtype=np.int64), np.array([places.size])
    order = np.argsort(places, kind="stable")
    used, begins, counts = np.unique(places[order], return_index=True, return_counts=True)
    return order, used, begins, counts


def _alike(steps: Ints) -> list[Ints]:
    """Group the cells whose numbers of rows differ by less than a factor of two, so that little is filled up."""
    if steps.size == 1:
        return [np.zeros(1, dtype=np.int64)]
    size = np.frexp(steps)[1]
    return [np.flatnonzero(size == one) for one in np.unique(size)]


def _rows(losses: Floats, times_ms: Ints, *, first: Ints, counts: Ints) -> _Rows:
    width = int(counts.max())
    if counts.size == 1:
        only = slice(int(first[0]), int(first[0]) + width)
        return _Rows(losses[None, only], times_ms[None, only], counts)
    column = np.arange(width)
    at = np.minimum(first[:, None] + column, losses.size - 1)
    return _Rows(np.where(column < counts[:, None], losses[at], np.nan), times_ms[at], counts)


def _stepped(records: Records, rows: _Rows, terms: Terms) -> tuple[Records, Ints, Flags]:
    """Move cells on to where something has to be done; give also the rows taken and who is alarmed."""
    paths = bet(
        rows.losses,
        low=np.maximum(records["low"] - terms.fall_tolerance, 0.0),
        high=records["high"],
        products=records["products"],
        starts=records["starts"],
    )
    taken, crossed = _until(paths, rows.counts, threshold=terms.threshold)
    moved = _moved(records, rows, paths=paths, taken=taken)
    for i in np.flatnonzero(crossed):
        last = taken[i]
        _leave_level(moved[i : i + 1], evidence=paths.evidence[:, last, i], ms=rows.times_ms[i, last - 1])
    due = moved["level_rows"] == moved["next_bounds"]
    if due.any():
        moved[due] = _bounded(moved[due], terms)
    return moved, taken, crossed


def _until(paths: Paths, counts: Ints, *, threshold: float) -> tuple[Ints, Flags]:
    """How many rows may be taken: up to an alarm, up to a product that has become too small, or else all."""
    alarms = paths.evidence >= threshold
    if not (alarms.any() or paths.products.min() < LEAST_PRODUCT):
        return counts, np.zeros(counts.size, dtype=np.bool_)
    line = np.arange(alarms.shape[1])[:, None]
    either: Flags = np.logical_or.reduce(alarms, axis=0)
    # Row 0 is the state before, which may be beyond a threshold that has just been lowered.
    stops = (either | (paths.products < LEAST_PRODUCT).any(axis=(0, 1))) & (line > 0) & (line <= counts)
    taken = np.where(stops.any(axis=0), stops.argmax(axis=0), counts)
    # What lies behind must not be the least product either.
    np.copyto(paths.products, np.inf, where=line > taken)
    return taken, either[taken, np.arange(counts.size)]


def _moved(records: Records, rows: _Rows, *, paths: Paths, taken: Ints) -> Records:
    moved = raw(records).copy().view(CELL)
    cell = np.arange(taken.size)
    unseen = records["rows"] == 0
    if unseen.any():
        moved["lowest_ms"][unseen] = rows.times_ms[unseen, 0][:, None, None]
    totals = np.empty((taken.size, rows.losses.shape[1] + 1))
    totals[:, 0], totals[:, 1:] = records["level_total"], rows.losses
    np.add.accumulate(totals, axis=1, out=totals)
    _note_lowest(moved, paths.products, totals=totals, times_ms=rows.times_ms)
    moved["rows"] += taken
    moved["level_rows"] += taken
    moved["level_total"] = totals[cell, taken]
    products, starts = paths.products[:, :, taken, cell], paths.starts[:, :, taken, cell]
    settle = (products < LEAST_PRODUCT).any(axis=(0, 1))
    if settle.any():
        # The same bets on a new scale.
        scale = np.where(settle, products, 1.0)
        products, starts = products / scale, starts * scale
        moved["lowest"] /= scale.transpose(2, 0, 1)
    moved["products"], moved["starts"] = products.transpose(2, 0, 1), starts.transpose(2, 0, 1)
    return moved


def _note_lowest(moved: Records, products: Floats, *, totals: Floats, times_ms: Ints) -> None:
    """Remember where each bet would best have begun."""
    least = products.min(axis=2).transpose(2, 0, 1)
    lower = least < moved["lowest"]
    if not lower.any():
        return
    place = products.argmin(axis=2).transpose(2, 0, 1)
    cell = np.arange(place.shape[0])[:, None, None]
    np.copyto(moved["lowest"], least, where=lower)
    np.copyto(moved["lowest_rows"], moved["level_rows"][:, None, None] + place, where=lower)
    np.copyto(moved["lowest_total"], totals[cell, place], where=lower)
    np.copyto(moved["lowest_ms"], times_ms[cell, np.maximum(place - 1, 0)], where=lower)


def _bounded(records: Records, terms: Terms) -> Records:
    """Draw the bounds of the level closer: the intersection of all so far holds with probability 1 - risk."""
    rows = records["reference_rows"] + records["level_rows"]
    mean = np.clip((records["reference_total"] + records["level_total"]) / rows, 0.0, 1.0)
    turn = records["bounds"]
    # 1/2 + 1/6 + 1/12 + … = 1: so is the risk shared out among all bounds to come, half of it for either side.
    low, high = mean_bounds(mean, rows, risk=terms.risk / 2 / ((turn + 1) * (turn + 2)))
    low, high = np.maximum(low, records["low"]), np.minimum(high, records["high"])
    bounded = records.copy()
    # Bounds that exclude each other speak of a change, which the bets will find; the older ones stand.
    bounded["low"] = np.where(low < high, low, records["low"])
    bounded["high"] = np.where(low < high, high, records["high"])
    bounded["level_mean"] = mean
    bounded["bounds"] += 1
    bounded["next_bounds"] *= np.where(records["level_rows"] > 0, 2, 1)
    return bounded


def _leave_level(one: Records, *, evidence: Floats, ms: int) -> None:
    """Note the alarm in a record, (1,), and begin a new level; evidence: (2,) at its last row."""
    cell = one[0].copy()
    side = int(evidence.argmax())
    best = (side, int((cell["products"][side] / cell["lowest"][side]).argmax()))
    start, total = cell["lowest_rows"][best], cell["lowest_total"][best]
    rows_before = cell["reference_rows"] + start
    # So few rows before the change say less than all of the level's together.
    before = cell["level_mean"] if rows_before < FIRST_ROWS else (cell["reference_total"] + total) / rows_before
    if not cell["changes"]:
        one["accepted_low"], one["accepted_mean"], one["accepted_high"] = cell["low"], before, cell["high"]
    after = (cell["level_total"] - total) / (cell["level_rows"] - start)
    fresh = LossLevels.empty(1).cells
    for name in _OF_LEVEL:
        one[name] = fresh[name]
    one["changes"] += 1
    one["direction"] = 1 - 2 * side
    one["alarm_row"], one["alarm_ms"] = cell["rows"] - 1, ms
    one["changed_row"], one["changed_ms"] = cell["rows"] - cell["level_rows"] + start, cell["lowest_ms"][best]
    one["before"], one["after"], one["level_mean"], one["lowest_ms"] = before, after, after, ms


def _alarm(record: Any, cell: int) -> Alarm:
    return Alarm(
        cell=cell,
        direction=direction_of(int(record["direction"])),
        row=int(record["alarm_row"]),
        ms=int(record["alarm_ms"]),
        changed_row=int(record["changed_row"]),
        changed_ms=int(record["changed_ms"]),
        before=float(record["before"]),
        after=float(record["after"]),
    )
