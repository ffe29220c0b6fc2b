"""A reference that is learnt from the first part of files, as a running service learns it from its stream."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from driftwatch.config import Config, ModelSpec
from driftwatch.daemon.event_files import raw_lines, split_by_form
from driftwatch.daemon.learning import Learner, blank_intake
from driftwatch.daemon.row_events import RowEvents
from driftwatch.daemon.teaching import learn, place
from driftwatch.daemon.watch import Watch, watch
from driftwatch.errors import DataError
from driftwatch.evaluation.report import rfc3339
from driftwatch.sources import tables
from driftwatch.store.spool import EVENTS, Spool
from driftwatch.stream.batch import Batch, Hashes, Labels
from driftwatch.stream.decode import Decoded, Decoder
from driftwatch.stream.raw import Raw, Stream

PARTITION = "files/predictions"


@dataclass(slots=True)
class FirstPart:
    """Which predictions have been learnt from: those of the first `rows`, if `before_ms` is given those before it.

    ids: theirs, sorted. passed: rows so far. learnt, late: how many of them were of the part, or came too late for it.
    labels: how many were theirs.
    """

    rows: int
    before_ms: int | None
    ids: Hashes
    passed: int = field(default=0)
    learnt: int = field(default=0)
    late: int = field(default=0)
    labels: int = field(default=0)

    def rest(self, batch: Batch) -> Batch:
        """The rows of the next batch that are to be judged."""
        early = np.arange(self.passed, self.passed + batch.rows) < self.rows
        old = early if self.before_ms is None else batch.times < self.before_ms
        self.passed += batch.rows
        self.learnt += int(np.count_nonzero(early & old))
        self.late += int(np.count_nonzero(old & ~early))
        return batch.where(~old) if old.any() else batch

    def other_labels(self, labels: Labels) -> Labels:
        """The labels of other predictions."""
        other = ~np.isin(labels.ids, self.ids)
        self.labels += labels.rows - int(np.count_nonzero(other))
        return labels.taken(other)


@dataclass(frozen=True, slots=True)
class LearntWatch(Watch):
    """A model that has learnt its reference from the first part of the files that it is to judge."""

    first: FirstPart = field(kw_only=True)


@dataclass(slots=True)
class _Read(Decoded):
    """A batch, and how each of its rows is said as an event."""

    say: Callable[[Iterable[int]], Iterator[bytes]] = iter  # type: ignore[assignment]  # replaced wherever one is made

    def sent(self, indices: Iterable[int]) -> Iterator[bytes]:
        """The events at these places."""
        return self.say(indices)


def learn_first(config: Config, position: int, patterns: Sequence[str], *, now_ms: int) -> LearntWatch:
    """Learn a model's reference from the first part of files.

    DataError when they end before there is enough; ConfigError when the reference does not fit the configuration.
    """
    spec, files = config.models[position], tables.find(patterns)
    with TemporaryDirectory(prefix="driftwatch-") as folder:
        spool = Spool(place(Path(folder), spec.name, EVENTS))
        with closing(spool):
            learner, rows = Learner(spec, spool), 0
            for raw, read in _batches(spec, files, now_ms=now_ms):
                rows += learner.take(raw, read, received_ms=now_ms).rows
                if learner.lesson.end is not None:
                    break
            learner.look(learner.windows.finish())
            end = learner.lesson.end
            if end is None:
                raise DataError(_too_little(learner, files))
            spool.flush()
            learnt = learn(spool.path, spec, end, now_ms=now_ms, progress=lambda: None)
    ready = watch(spec, learnt.reference, where=f"models[{position}]")
    known = {each.name: getattr(ready, each.name) for each in fields(Watch)}
    return LearntWatch(**known, first=FirstPart(rows, end.before_ms, learnt.ids))


def _batches(spec: ModelSpec, files: Sequence[Path], *, now_ms: int) -> Iterator[tuple[Raw, Decoded]]:
    """Predictions as `replay` reads them, events first."""
    events, flat = split_by_form(files)
    decoder = Decoder([blank_intake(spec)])
    for raw in raw_lines(events, Stream.PREDICTIONS, now_ms=now_ms):
        decoded = decoder.decode(raw)
        if spec.name in decoded.batches:
            yield raw, decoded
    raw = Raw(Stream.PREDICTIONS, "files", PARTITION, (), now_ms, 0)
    if flat:
        rows = RowEvents(spec, tables.kinds(flat))
        for chunk in tables.read(flat, rows.forms):
            batch, say = rows.of(chunk, partition=PARTITION)
            places = {spec.name: np.arange(batch.rows)}
            yield raw, _Read(batches={spec.name: batch}, places=places, say=say)


def _too_little(learner: Learner, files: Sequence[Path]) -> str:
    asked, until_ms = learner.spec.reference, learner.until_ms
    assert asked is not None
    wanted = f"{asked.least_rows} rows" + ("" if until_ms is None else f" and all before {rfc3339(until_ms)}")
    return (
        f"{files[-1]}: the data end before the reference is learnt: there are {learner.lesson.rows} rows, and wanted "
        f"are {wanted}; give more data, or learn from less"
    )
