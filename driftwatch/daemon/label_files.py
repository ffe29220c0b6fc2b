"""Labels from files: events or tables, in order of time; kept in memory only where they are not sorted by it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from driftwatch.daemon.event_files import Compare, Refuse, decoded_lines, split_by_form
from driftwatch.daemon.watch import Watch
from driftwatch.errors import DataError
from driftwatch.sources import tables
from driftwatch.stream.batch import Ints, Labels
from driftwatch.stream.raw import Stream
from driftwatch.stream.schema import Task
from driftwatch.stream.table import Form
from driftwatch.stream.tabled import label_forms, table_controls, table_labels
from driftwatch.stream.times import BAD_TIME, TIMELESS

PARTITION = "files/labels"


@dataclass(frozen=True, slots=True)
class LabelFiles:
    """The files of one model's labels; `now_ms` is the time of their receipt."""

    watch: Watch
    events: tuple[Path, ...]
    flat: tuple[Path, ...]
    now_ms: int

    @classmethod
    def find(cls, watch: Watch, patterns: Sequence[str], *, now_ms: int) -> "LabelFiles":
        """The files; DataError when there are none, or none that can hold such labels."""
        files = tables.find(patterns) if patterns else ()
        events, flat = split_by_form(files)
        if flat and watch.schema.task is Task.RANKING:
            raise DataError(f"{flat[0]}: the labels of a ranking are no table; write them as events, one a line")
        return cls(watch, events, flat, now_ms)

    def read(self, refuse: Refuse, compare: Compare) -> tuple[Iterator[Labels], Labels | None]:
        """Labels in rising order of time, and those without a time.

        Files that are in order of time are read twice, in bounded memory; of others all labels are held: 30 bytes
        each, more for classes that are many. refuse: told of what cannot be used. compare: told of golden sets.
        """
        if self._in_order():
            return self._parts(refuse, compare), None
        parts = list(self._parts(refuse, compare))
        if not parts:
            return iter(()), None
        labels = Labels.joined(parts)
        timed = labels.taken(labels.times != TIMELESS)
        return iter([timed.taken(np.argsort(timed.times, kind="stable"))]), labels.taken(labels.times == TIMELESS)

    def _parts(self, refuse: Refuse, compare: Compare) -> Iterator[Labels]:
        for decoded in decoded_lines(self.watch, self.events, Stream.LABELS, now_ms=self.now_ms, stamp_ms=TIMELESS):
            for rejection in decoded.rejected:
                refuse(rejection.reason, 1)
            compare(some for each in decoded.controls.values() for some in each)
            yield from decoded.labels.values()
        watch = self.watch
        for chunk in tables.read(self.flat, label_forms(watch.schema, watch.output_form)):
            labels, refused = table_labels(chunk, watch.schema, partition=PARTITION, form=watch.output_form)
            for reason, count in refused.items():
                refuse(reason, count)
            compare(table_controls(chunk, watch.schema, form=watch.output_form, labels=True))
            if labels.rows:
                yield labels

    def _in_order(self) -> bool:
        last = TIMELESS
        for times in self._times():
            if times.size and (times.min() <= last or (np.diff(times) < 0).any()):
                return False
            last = int(times.max(initial=last)) - 1
        return True

    def _times(self) -> Iterator[Ints]:
        for decoded in decoded_lines(self.watch, self.events, Stream.LABELS, now_ms=self.now_ms, stamp_ms=TIMELESS):
            yield from (labels.times for labels in decoded.labels.values())
        fields, named = self.watch.schema.fields, not self.flat
        for chunk in tables.read(self.flat, {fields.label: Form.CATEGORY, fields.time: Form.TIME}):
            named = named or fields.label in chunk.columns
            times = chunk.columns.get(fields.time, np.full(chunk.rows, TIMELESS))
            assert isinstance(times, np.ndarray)
            yield times[times != BAD_TIME].astype(np.int64)
        if not named:
            raise DataError(
                f'{self.flat[0]}: has no column "{fields.label}"; name the one that holds the label in [models.fields]'
            )
