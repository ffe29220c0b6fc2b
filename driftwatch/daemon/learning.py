"""A model that has no reference yet and learns it: which of its events are learnt from, and when it has enough.

Law: what is learnt is decided row by row, by the same watermark that closes windows, so that the same stream cut into
batches anywhere, or gone through again after a crash, gives the same rows.
"""

from collections.abc import Collection, Sequence
from copy import deepcopy

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from driftwatch.config import ModelSpec
from driftwatch.errors import StateError
from driftwatch.evaluation.alerts import Alerts
from driftwatch.evaluation.outcome import Outcome
from driftwatch.store.spool import BUFFER_BYTES, Entry, Spool
from driftwatch.stream.batch import Ints
from driftwatch.stream.decode import Decoded
from driftwatch.stream.division import named_columns
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.raw import Raw
from driftwatch.stream.reader import Intake
from driftwatch.stream.reference_spec import ReferenceSpec
from driftwatch.stream.schema import Schema, Task
from driftwatch.stream.seen import Seen, event_hashes
from driftwatch.stream.windows import NEVER, Windows, WindowSpec

_COUNTED_PANE_MS = 3_600_000
"""The step of the watermark where windows are counted in rows."""
_BUCKETS = 512
"""Rows are counted by time in so many parts of the period."""

_log = structlog.get_logger()


class Bucket(msgspec.Struct, array_like=True):
    """How many rows came of a stretch of time, and when the first of them was."""

    rows: int
    first_ms: int


class End(msgspec.Struct):
    """Where learning ended. length: of the spool. before_ms: what is later is not learnt from; None: all of it is.

    rows: that are learnt from. full: whether there was no room for more.
    """

    length: int
    rows: int
    before_ms: int | None = None
    full: bool = False


class Lesson(msgspec.Struct):
    """How far a model has come with learning: all that must survive, beside the spool and the watermark.

    size_bytes, label_bytes: of the predictions and the labels that were kept. buckets: by their start in ms.
    """

    rows: int = 0
    length: int = 0
    size_bytes: int = 0
    label_bytes: int = 0
    buckets: dict[int, Bucket] = msgspec.field(default_factory=dict)
    end: End | None = None

    def add(self, times: Ints, bucket_ms: int) -> None:
        """Count rows by time."""
        for start in np.unique(times // bucket_ms * bucket_ms).tolist():
            inside = times[(times >= start) & (times < start + bucket_ms)]
            known = self.buckets.setdefault(start, Bucket(0, int(inside.min())))
            self.buckets[start] = Bucket(known.rows + inside.size, min(known.first_ms, int(inside.min())))

    def start_ms(self, gap_ms: int, least_rows: int) -> int:
        """When the period begins: fewer strays, longer before the others than `gap_ms`, do not begin it."""
        ordered = [self.buckets[key] for key in sorted(self.buckets)]
        first = last = ordered[0].first_ms
        rows = 0
        for bucket in ordered:
            if rows < least_rows and bucket.first_ms - last > gap_ms:
                first = bucket.first_ms
            rows, last = rows + bucket.rows, bucket.first_ms
        return first

    def rows_before(self, time_ms: int) -> int:
        """Rows of the buckets that begin before."""
        return sum(each.rows for start, each in self.buckets.items() if start < time_ms)


class Taken(msgspec.Struct):
    """What became of a batch of predictions. rows: all those that came before learning ended."""

    accepted: int = 0
    late: int = 0
    duplicate: int = 0
    rows: int = 0


class Learner:
    """Stands where the model's monitor will stand, and hears what it would hear.

    alerts: that stand from a time when the model was watched already.
    """

    def __init__(self, spec: ModelSpec, spool: Spool, lesson: Lesson | None = None) -> None:
        assert spec.reference is not None
        self.model, self.spec, self.spool = spec.name, spec, spool
        self.lesson = lesson or Lesson()
        self.failure = ""
        self.told = set[str]()
        self.alerts = Alerts()
        self.windows = Windows(_timed(spec.window))
        self.seen = Seen(spec.remember_ids)
        self._learns: ReferenceSpec = spec.reference
        pane = self.windows.spec.pane_ms
        self._bucket_ms = max(1, (spec.reference.first or 0) // _BUCKETS // pane) * pane

    @property
    def intake(self) -> Intake:
        """The model as decode sees it as long as its columns are not known."""
        return blank_intake(self.spec)

    def take(self, raw: Raw, decoded: Decoded, *, received_ms: int) -> Taken:
        """Keep the predictions of a batch; those behind the row at which learning ends are the monitor's to judge."""
        batch, places, taken = decoded.batches[self.model], decoded.places[self.model], Taken()
        hashes, learnt = event_hashes(batch), 0
        if self.lesson.end is None:
            before = deepcopy(self.seen) if self._may_end(batch.times, sum(map(len, decoded.lines))) else self.seen
            new = self.seen.new(hashes)
            learnt = self._learn(raw, decoded, new, taken, received_ms=received_ms)
            taken.rows = learnt
            taken.duplicate = int(np.count_nonzero(~new[:learnt]))
            if self.lesson.end is not None:
                self.seen = before
                self.seen.new(hashes[:learnt])
        if self._overflows:  # it says why it cannot be watched; what comes cannot be kept for ever
            taken.late += batch.rows - learnt
        else:
            self._append(raw, list(decoded.sent(places[learnt:].tolist())), batch.times[learnt:])
        return taken

    @property
    def _overflows(self) -> bool:
        end = self.lesson.end
        return bool(self.failure) and end is not None and self.spool.length - end.length > self._learns.max_bytes

    def take_labels(self, raw: Raw, decoded: Decoded) -> None:
        """Keep labels, as long as there is room."""
        events, lesson = list(decoded.sent(decoded.places[self.model].tolist())), self.lesson
        before = lesson.label_bytes
        lesson.label_bytes += sum(map(len, events))
        if lesson.label_bytes <= self._learns.max_bytes:
            self._append(raw, events, decoded.labels[self.model].times)
        elif before <= self._learns.max_bytes:
            _log.warning("labels_not_kept", model=self.model, max_bytes=self._learns.max_bytes)

    def look(self, closed_ms: int) -> None:
        """End learning if enough is known by the time that the watermark has come so far."""
        lesson, until_ms = self.lesson, self.until_ms
        if lesson.end is not None or until_ms is None or closed_ms < until_ms:
            return
        ends = (self._rounded(start + self._bucket_ms) for start in sorted(lesson.buckets))
        for end_ms in (until_ms, *(end for end in ends if end > until_ms)):
            known = lesson.rows_before(end_ms)
            if end_ms <= closed_ms and known >= self._learns.min_rows:
                self._end(End(self.spool.length, known, before_ms=end_ms))
                return

    @property
    def until_ms(self) -> int | None:
        """The end of the period, at the end of a window; None where rows are counted, or none has come."""
        first = self._learns.first
        if first is None or not self.lesson.buckets:
            return None
        return self._rounded(self.lesson.start_ms(first, self._learns.min_rows) + first)

    def expect(self, families: Collection[str], *, now_ms: int) -> None:
        """As a monitor does."""
        self.windows.expect(families, now_ms=now_ms)

    def announce(self, partitions: Collection[str], *, now_ms: int) -> None:
        """As a monitor does."""
        self.windows.announce(partitions, now_ms=now_ms)

    def announce_labels(self, partitions: Collection[str], *, now_ms: int) -> None:
        """Nothing waits for labels yet."""

    def tick(self, *, now_ms: int) -> Outcome:
        """Let time pass; nothing is reported."""
        due = self.windows.tick(now_ms=now_ms)
        if due is not None:
            self.look(due)
        return Outcome()

    def saved(self) -> None:
        """What had changed has been saved."""
        self.told.clear()
        self.seen.saved()

    def _learn(
        self, raw: Raw, decoded: Decoded, new: NDArray[np.bool_], taken: Taken, *, received_ms: int
    ) -> int:  # fmt: skip
        """Learn from the new rows of a batch; how many rows, counting all, came before the end."""
        batch, rows = decoded.batches[self.model], np.flatnonzero(new)
        counted = self.spec.window.rows is not None  # then no row is ever too late
        for step in self.windows.place(batch.times[rows], batch.partition, received_ms=received_ms):
            inside, late = rows[step.start : step.stop], step.late & (not counted)
            kept = inside[~late]
            stop = self._keep(raw, decoded, kept)
            last = inside[-1] if self.lesson.end is None else kept[stop - 1]
            if self.lesson.end is None and step.close is not None:
                self.look(step.close)
            taken.accepted += stop
            taken.late += int(np.count_nonzero(late & (inside <= last)))
            if self.lesson.end is not None:
                return int(last) + 1
        return batch.rows

    def _keep(self, raw: Raw, decoded: Decoded, rows: Ints) -> int:
        """Keep predictions as long as more are wanted; how many."""
        lesson, times = self.lesson, decoded.batches[self.model].times
        events = list(decoded.sent(decoded.places[self.model][rows].tolist()))
        sizes = lesson.size_bytes + np.cumsum([len(event) for event in events], dtype=np.int64)
        full = int(np.searchsorted(sizes, self._learns.max_bytes)) + 1
        enough = (self._learns.first_rows or np.iinfo(np.int64).max) - lesson.rows
        stop = min(len(events), full, enough)
        if stop:
            self._append(raw, events[:stop], times[rows[:stop]])
            lesson.add(times[rows[:stop]], self._bucket_ms)
            lesson.rows, lesson.size_bytes = lesson.rows + stop, int(sizes[stop - 1])
        if stop in {full, enough}:
            self._end(End(self.spool.length, lesson.rows, full=stop != enough))
        return stop

    def _may_end(self, times: Ints, size_bytes: int) -> bool:
        """Whether learning may end within a batch of these times and so many bytes."""
        lesson, learns = self.lesson, self._learns
        if lesson.rows + times.size >= (learns.first_rows or np.iinfo(np.int64).max):
            return True
        known = [each.first_ms for each in lesson.buckets.values()]
        reached = max(int(times.max()), *self.windows.progress.greatest.values(), NEVER)
        lasts = learns.first is not None and reached - min(int(times.min()), *known, reached) >= learns.first
        return lasts or lesson.size_bytes + size_bytes >= learns.max_bytes

    def _append(self, raw: Raw, events: Sequence[bytes], times: Ints) -> None:
        if not events:
            return
        self.spool.append(
            Entry(raw.stream, raw.source, raw.partition, raw.received_ms, times.tolist(), list(events))
        )  # fmt: skip
        if self.spool.held_bytes > BUFFER_BYTES:
            try:
                self.spool.flush()
            except StateError as error:  # it stays in memory, and the next checkpoint fails if this lasts
                _log.error("events_to_learn_from_not_kept", model=self.model, error=str(error))

    def _end(self, end: End) -> None:
        self.lesson.end = end
        if end.full:
            _log.warning("learning_cut_short", model=self.model, max_bytes=self._learns.max_bytes, rows=end.rows)

    def _rounded(self, time_ms: int) -> int:
        pane = self.windows.spec.pane_ms
        return -(-time_ms // pane) * pane


def blank_intake(spec: ModelSpec) -> Intake:
    """A model as decode sees it as long as its columns are not known: all classes of labels are good."""
    schema = Schema(
        spec.name, spec.task, (), (), spec.fields, tuple(spec.ignore), named_columns((*spec.segments, *spec.protected))
    )
    open_ended = spec.task in {Task.BINARY, Task.MULTICLASS} and not spec.classes
    form = OutputForm(Task.NONE) if open_ended else OutputForm.of(schema, classes=spec.classes)
    return Intake(schema, spec.window.max_future, form, learning=True)


def _timed(window: WindowSpec) -> WindowSpec:
    """Learning follows the watermark, also where windows are counted in rows."""
    if window.rows is None:
        return window
    return window.model_copy(update={"rows": None, "size": _COUNTED_PANE_MS})
