"""The models that are learning: what they take of the stream, and how each becomes one that is watched.

A reference is built by a thread of its own; the engine's thread alone takes it over, between two messages: it makes the
monitor and feeds it with what has come since, so that nothing is lost and nothing counted twice.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from driftwatch.daemon.first_steps import FirstSteps
from driftwatch.daemon.learning import Learner
from driftwatch.daemon.snapshot import Snapshot, encode_learner
from driftwatch.daemon.teaching import Learnt, learn
from driftwatch.daemon.telemetry import Result, Telemetry
from driftwatch.daemon.watch import Watch, watch
from driftwatch.errors import DriftwatchError, StateError
from driftwatch.evaluation.outcome import Outcome
from driftwatch.evaluation.report import rfc3339
from driftwatch.monitor import Monitor
from driftwatch.ports.streams import Clock
from driftwatch.stream.decode import Decoded, Decoder
from driftwatch.stream.raw import Raw

_log = structlog.get_logger()

HELD_BYTES = 64 << 20
"""So much may wait for a failing disk before the engine takes no more records."""


class _GivenUpError(Exception):
    """The service ends."""


@dataclass(frozen=True, slots=True)
class Graduate:
    """A model that has learnt: it is watched from now on. outcomes: of what had come since, in order."""

    watch: Watch
    monitor: Monitor
    outcomes: list[Outcome]


@dataclass(slots=True)
class _Study:
    """A reference that is being built, and what can be made of it beside the engine."""

    thread: threading.Thread
    learnt: Learnt | None = None
    ready: Watch | None = None
    steps: FirstSteps | None = None
    failure: str = ""
    bug: BaseException | None = None


@dataclass(slots=True)
class Learners:
    """All of them. before_ms: of models that have learnt a time, its end: what is earlier comes too late for them.

    places: of each model in the configuration, for messages. graduated: told of each, by the engine's thread.
    status: of each model how far it has come, as of the last `show`.
    """

    clock: Clock
    by_model: dict[str, Learner] = field(default_factory=dict)
    before_ms: dict[str, int] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    graduated: Callable[[Watch], None] = lambda _: None
    status: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _studies: dict[str, _Study] = field(default_factory=dict)
    _done: list[Learner] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)

    @property
    def held_back(self) -> bool:
        """Whether so much waits for the disk that no more should be taken."""
        return sum(learner.spool.held_bytes for learner in self.by_model.values()) > HELD_BYTES

    def take(self, raw: Raw, decoded: Decoded, telemetry: Telemetry, *, received_ms: int) -> None:
        """Take out of a batch what is not for monitors, and count it."""
        for model, learner in self.by_model.items():
            counts = {Result.ACCEPTED: sum(each.rows.rows for each in decoded.controls.pop(model, ()))}
            if model in decoded.labels:
                learner.take_labels(raw, decoded)
                counts[Result.ACCEPTED] += decoded.labels.pop(model).rows
            if model in decoded.batches:
                taken = learner.take(raw, decoded, received_ms=received_ms)
                counts[Result.ACCEPTED] += taken.accepted
                counts |= {Result.LATE: taken.late, Result.DUPLICATE: taken.duplicate}
                del decoded.batches[model]
            for result, count in counts.items():
                telemetry.events(model, raw.stream, source=raw.source, result=result, count=count)
        for model in self.before_ms.keys() & decoded.batches.keys():
            batch = decoded.batches[model]
            late = batch.times < self.before_ms[model]
            if late.any():
                decoded.batches[model] = batch.where(~late)
                telemetry.events(model, raw.stream, source=raw.source, result=Result.LATE, count=int(late.sum()))

    def show(self) -> None:
        """Say how far they have come, for other threads to read."""
        self.status = {model: _progress(learner) for model, learner in self.by_model.items()}

    def snapshots(self) -> dict[str, Snapshot]:
        """What a checkpoint holds of them; all that they have kept is durable. StateError when it cannot be."""
        for learner in self.by_model.values():
            learner.spool.sync()
        return {model: encode_learner(learner) for model, learner in self.by_model.items()}

    def saved(self) -> None:
        """The checkpoint is there: what has been learnt from is not needed any more."""
        for learner in self.by_model.values():
            learner.saved()
        while self._done:
            self._done.pop().spool.close(remove=True)

    def wait(self) -> None:
        """Build what is due, and wait until that is done; `graduates` gives it."""
        for learner in self.by_model.values():
            study = self._studies.get(learner.model) or self._begin(learner)
            if study is not None:
                study.thread.join()

    def graduates(self, telemetry: Telemetry) -> Iterator[Graduate]:
        """Those whose reference is there; begins to build those that are due.

        What came while it was built is counted only now: it takes the monitor to say what is late or comes twice.
        """
        for model, learner in list(self.by_model.items()):
            study = self._studies.get(model) or self._begin(learner)
            if study is None or study.thread.is_alive():
                continue
            if study.bug is not None:
                raise study.bug
            if not _flushed(learner):
                continue
            graduate = None if learner.failure else self._graduate(learner, study, telemetry)
            if graduate is not None:
                yield graduate

    def finish(self, telemetry: Telemetry) -> Iterator[Graduate]:
        """The input has ended: those who know enough become monitors now."""
        for learner in self.by_model.values():
            learner.look(learner.windows.finish())
        self.wait()
        while any(not self.by_model[model].failure for model in self._studies.keys() & self.by_model.keys()):
            yield from self.graduates(telemetry)
        for learner in self.by_model.values():
            _log.warning("learning_unfinished", model=learner.model, **_progress(learner))

    def close(self) -> None:
        """Give up what is being built; a restart builds it again."""
        self._ending.set()
        for study in self._studies.values():
            study.thread.join()
        for learner in (*self.by_model.values(), *self._done):
            learner.spool.close()

    def _begin(self, learner: Learner) -> _Study | None:
        if learner.lesson.end is None or not _flushed(learner):
            return None
        study = _Study(threading.Thread(target=lambda: self._build(study, learner), name="learning", daemon=True))
        self._studies[learner.model] = study
        _log.info("learning_ends", model=learner.model, rows=learner.lesson.end.rows)
        study.thread.start()
        return study

    def _build(self, study: _Study, learner: Learner) -> None:
        def go_on() -> None:
            if self._ending.is_set():
                raise _GivenUpError

        end = learner.lesson.end
        assert end is not None
        try:
            learnt = learn(learner.spool.path, learner.spec, end, now_ms=self.clock(), progress=go_on)
            ready = watch(learner.spec, learnt.reference, where=self.places[learner.model])
            steps = FirstSteps(ready.monitor(), Decoder([ready.intake()]), learner, learnt)
            study.learnt, study.ready, study.steps = learnt, ready, steps
        except DriftwatchError as error:
            study.failure = str(error)
        except _GivenUpError:
            study.failure = "given up"
        except BaseException as error:  # noqa: BLE001 - a bug: the engine's thread raises it
            study.bug = error

    def _graduate(self, learner: Learner, study: _Study, telemetry: Telemetry) -> Graduate | None:
        learnt, ready, steps, end = study.learnt, study.ready, study.steps, learner.lesson.end
        if learnt is None or ready is None or steps is None or end is None:
            learner.failure = study.failure
            _log.error("learning_failed", model=learner.model, error=study.failure)
            return None
        if not steps.go(end):
            return None
        monitor = steps.end(telemetry, now_ms=self.clock())
        if end.before_ms is not None:
            self.before_ms[learner.model] = end.before_ms
        self._done.append(learner)
        self.by_model = {name: each for name, each in self.by_model.items() if each is not learner}
        self.graduated(ready)
        _log.info("watching", model=learner.model, rows=learnt.reference.rows, unusable=learnt.unusable,
                  fingerprint=learnt.reference.layout.fingerprint)  # fmt: skip
        return Graduate(ready, monitor, steps.outcomes)


def _flushed(learner: Learner) -> bool:
    """Whether all that a model has kept is in its file; where not, checkpoints fail for the same reason and say so."""
    try:
        learner.spool.flush()
    except StateError:
        return False
    return True


def _progress(learner: Learner) -> dict[str, Any]:
    """How far a model has come with learning, for people."""
    lesson, spec, until_ms = learner.lesson, learner.spec.reference, learner.until_ms
    assert spec is not None
    state = "failed" if learner.failure else "building" if lesson.end is not None else "learning"
    return {
        "state": state,
        "task": learner.spec.task.value,
        "rows": lesson.rows,
        "rows_wanted": spec.least_rows,
        "until": None if until_ms is None else rfc3339(until_ms),
        "full": lesson.end is not None and lesson.end.full,
        "error": learner.failure or None,
    }
