"""How a monitor whose reference has just been learnt catches up with its stream."""

from collections import Counter
from copy import deepcopy

import numpy as np
import structlog

from driftwatch.daemon.learning import End, Learner
from driftwatch.daemon.teaching import Learnt, before_the_end
from driftwatch.daemon.telemetry import Result, Telemetry
from driftwatch.evaluation.outcome import Outcome
from driftwatch.monitor import Monitor
from driftwatch.store.spool import Entry, placed_entries
from driftwatch.stream.decode import Decoder
from driftwatch.stream.raw import Stream
from driftwatch.stream.seen import Seen
from driftwatch.stream.windows import NEVER

ROWS_AT_ONCE = 20_000
"""So many rows a new monitor is fed with between two messages."""

_log = structlog.get_logger()


class FirstSteps:
    """Feeds a new monitor with what has come since its model began to learn, in the order in which it came.

    Some rows at a time, so that other models are not kept waiting; what comes meanwhile goes to the end of the spool.
    Until all of it is fed nothing of this is in a checkpoint: a crash begins it again.
    """

    def __init__(self, monitor: Monitor, decoder: Decoder, learner: Learner, learnt: Learnt) -> None:
        self.outcomes = list[Outcome]()
        self._monitor, self._decoder, self._learner, self._learnt = monitor, decoder, learner, learnt
        self._counts = Counter[tuple[Stream, str, Result]]()
        self._left_out = 0
        self._fed = -1

    def go(self, end: End) -> bool:
        """Feed some; whether that was all."""
        learner, monitor, spool = self._learner, self._monitor, self._learner.spool
        if self._fed < 0:  # what was before the end has been judged and counted by the learner
            monitor.memory.seen, monitor.memory.alerts = Seen(0), learner.alerts
            for entry in before_the_end(spool.path, end, self._learnt.others):
                self._left_out += self._feed(entry).late
            monitor.memory.seen = deepcopy(learner.seen)
            self._fed = end.length
        rows = 0
        for start, entry in placed_entries(spool.path, self._fed, spool.length):
            self._fed = start
            if rows > ROWS_AT_ONCE:
                return False
            self._count(entry, self._feed(entry, before_ms=end.before_ms))
            rows += len(entry.events)
        self._fed = spool.length
        return True

    def end(self, telemetry: Telemetry, *, now_ms: int) -> Monitor:
        """Count what has been fed; the monitor takes the learner's place."""
        learner, monitor = self._learner, self._monitor
        monitor.told |= learner.told
        monitor.announce(list(learner.windows.progress.greatest), now_ms=now_ms)
        for (stream, source, result), count in self._counts.items():
            telemetry.events(learner.model, stream, source=source, result=result, count=count)
        if self._left_out:
            _log.warning("events_of_learning_left_out", model=learner.model, events=self._left_out,
                         why="labels of classes that the reference does not know, or too late")  # fmt: skip
        return monitor

    def _feed(self, entry: Entry, *, before_ms: int | None = None) -> Outcome:
        monitor, outcome = self._monitor, Outcome()
        decoded = self._decoder.decode(entry.raw())
        self._left_out += len(decoded.rejected)
        labels, batch = decoded.labels.get(monitor.model), decoded.batches.get(monitor.model)
        if labels is not None:
            labels = labels.taken(~np.isin(labels.ids, self._learnt.ids))
            if labels.rows:
                monitor.label(labels, received_ms=entry.received_ms)
        if batch is not None:
            late = batch.times < (NEVER if before_ms is None else before_ms)
            outcome = monitor.feed(batch.where(~late), received_ms=entry.received_ms)
            outcome.late += int(np.count_nonzero(late))
            self.outcomes.append(outcome)
        return outcome

    def _count(self, entry: Entry, outcome: Outcome) -> None:
        for result, count in (
            (Result.ACCEPTED, outcome.accepted), (Result.LATE, outcome.late), (Result.DUPLICATE, outcome.duplicate)
        ):  # fmt: skip
            self._counts[entry.stream, entry.source, result] += count
