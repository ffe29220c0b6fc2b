"""A model's past, decoded once and held in memory, so that it can be replayed many times."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from driftwatch.backtest.chance import mixed
from driftwatch.daemon.label_files import LabelFiles
from driftwatch.daemon.replay import Summary, read_predictions
from driftwatch.daemon.watch import Watch
from driftwatch.errors import DataError
from driftwatch.sources import tables
from driftwatch.stream.batch import Batch, Ints, Labels
from driftwatch.stream.outputs import GROUPS, OutputForm, Records, blank
from driftwatch.stream.times import TIMELESS

MOST_BYTES = 512 << 20
"""What the rows of a history may take; of a longer one the newest are used."""

_PARTITION = "files/predictions"


@dataclass(frozen=True, slots=True)
class History:
    """Rows in the order of their times, and what became known of each.

    rows: every row has an id here. labels: those that belong to a row, None where there are none at all.
    label_of: (rows,) place of each row's label, -1 without. delays_ms: (labels,) from a row to its label; TIMELESS
    where the label has no time. left_out: older rows than could be held. rejected: rows that could not be read.
    """

    rows: Batch
    labels: Labels | None
    label_of: Ints
    delays_ms: Ints
    left_out: int = 0
    rejected: int = 0

    @property
    def size(self) -> int:
        """Number of rows."""
        return self.rows.rows

    def taken(
        self, places: Ints, *, times: Ints, again: Ints | None = None, form: OutputForm | None = None
    ) -> tuple[Batch, Labels | None]:
        """Rows from these places, as if they had come at these times, with their labels after the same delays.

        places, times: (taken,), times in rising order. again: (taken,) how often a row was taken before, by which it
        gets another id: without it a row that is taken twice is a duplicate. form: of the outputs, where the model that
        is to see them divides rows otherwise.
        """
        rows, ids = self.rows, self.rows.ids[places]
        if again is not None:
            ids = np.where(again > 0, mixed(ids, again), ids)
        batch = Batch(
            _PARTITION, times, ids, rows.versions[places], rows.version_names,
            np.ascontiguousarray(rows.numeric[:, places]), np.ascontiguousarray(rows.categorical[:, places]),
            _written(rows.outputs[places], form),
        )  # fmt: skip
        if self.labels is None:
            return batch, None
        which = self.label_of[places]
        found = which >= 0
        delays = self.delays_ms[which[found]]
        known = np.where(delays == TIMELESS, TIMELESS, times[found] + delays)
        return batch, replace(self.labels.taken(which[found]), times=known, ids=ids[found])


def read_history(
    watch: Watch, patterns: Sequence[str], *, labels: Sequence[str], now_ms: int, most_bytes: int = MOST_BYTES
) -> History:
    """Read files as `replay` does; rows are then put in order of time. DataError when a file cannot be read."""
    files, summary = tables.find(patterns), Summary()
    label_files = LabelFiles.find(watch, labels, now_ms=now_ms)
    newest, own = _Newest(_most_rows(watch, most_bytes)), list[Labels]()
    items = read_predictions(watch, files, summary, now_ms=now_ms, own=not labels, compare=lambda _: None)
    for batch, beside in items:
        newest.add(replace(batch, partition=_PARTITION))
        if beside is not None and beside.rows:
            own.append(beside)
    timed, timeless = label_files.read(lambda _, __: None, lambda _: None)
    parts = [*own, *timed, *([timeless] if timeless is not None else [])]
    rows = newest.rows()
    if rows is None:
        raise DataError(f"{files[0]}: no rows: none could be read as a prediction of model {watch.spec.name}")
    return _joined(rows, parts, left_out=newest.left_out, rejected=sum(summary.rejected.values()))


class _Newest:
    """Holds the newest rows, at most twice as many as it may keep."""

    def __init__(self, most: int) -> None:
        self._most, self._held, self._count = most, list[Batch](), 0
        self.left_out = 0

    def add(self, batch: Batch) -> None:
        if batch.rows:
            self._held.append(batch)
            self._count += batch.rows
        if self._count > 2 * self._most:
            self._cut()

    def rows(self) -> Batch | None:
        """All that are kept, in order of time."""
        if self._held:
            self._cut()
        return self._held[0] if self._held else None

    def _cut(self) -> None:
        whole = Batch.joined(self._held)
        order = np.argsort(whole.times, kind="stable")[-self._most :]
        self.left_out += whole.rows - order.size
        unsorted = whole.rows != order.size or bool((np.diff(order) != 1).any())
        self._held, self._count = [_at(whole, order) if unsorted else whole], order.size


def _at(batch: Batch, places: Ints) -> Batch:
    return Batch(
        batch.partition, batch.times[places], batch.ids[places], batch.versions[places], batch.version_names,
        batch.numeric[:, places], batch.categorical[:, places], batch.outputs[places],
    )  # fmt: skip


def _most_rows(watch: Watch, most_bytes: int) -> int:
    columns = 8 * len(watch.schema.numeric) + 4 * len(watch.schema.categorical)
    return max(1, most_bytes // (columns + watch.output_form.outputs.itemsize + 20))


def _joined(rows: Batch, parts: Sequence[Labels], *, left_out: int, rejected: int) -> History:
    """Give every row an id and find its label: the last that came for it."""
    nameless = rows.ids == 0
    if nameless.any():
        numbers = np.arange(rows.rows, dtype=np.int64)
        rows = replace(rows, ids=np.where(nameless, mixed(np.zeros(rows.rows, dtype=np.uint64), numbers + 1), rows.ids))
    none = np.full(rows.rows, -1, dtype=np.int64)
    parts = [part for part in parts if part.rows]
    if not parts:
        return History(rows, None, none, np.zeros(0, dtype=np.int64), left_out, rejected)
    labels = Labels.joined(parts)
    order = np.argsort(labels.ids, kind="stable")
    ids = labels.ids[order]
    at = np.maximum(np.searchsorted(ids, rows.ids, side="right") - 1, 0)
    found = (ids[at] == rows.ids) & ~nameless
    if not found.any():
        return History(rows, None, none, np.zeros(0, dtype=np.int64), left_out, rejected)
    mine = labels.taken(order[at[found]])
    delays = np.where(mine.times == TIMELESS, TIMELESS, np.maximum(mine.times - rows.times[found], 0))
    label_of = none.copy()
    label_of[found] = np.arange(mine.rows)
    return History(rows, mine, label_of, delays, left_out, rejected)


def _written(outputs: Records, form: OutputForm | None) -> Records:
    """The outputs in a form of other groups, which are told anew when they are fed."""
    if form is None or form.outputs == outputs.dtype:
        return outputs
    written = blank(form.outputs, outputs.size)
    for name in set(outputs.dtype.names or ()) - {GROUPS}:
        written[name] = outputs[name]
    return written
