"""The one thread that touches monitors: takes from the queue, feeds, decides, saves (design D5, D6).

A checkpoint, in order:
1. what was decided since the last one (reports, transitions, letters) is complete in memory,
2. one transaction saves it with panes, watermarks, alert states and positions,
3. sources are told the positions: Kafka commits them for lag tools, the inbox drops its rows,
4. deliveries are woken.
"""

import threading
import time
from collections.abc import Collection, Iterable, Mapping

import structlog

from driftwatch.daemon.correspondence import Correspondence, count_letters
from driftwatch.daemon.dead_letters import Unsaved as DeadLettersUnsaved
from driftwatch.daemon.display import show, show_labels, tell_appeared
from driftwatch.daemon.doors import Doors, Unsaved
from driftwatch.daemon.hearing import heard
from driftwatch.daemon.learners import Graduate, Learners
from driftwatch.daemon.learning import Learner
from driftwatch.daemon.occasions import Occasions
from driftwatch.daemon.queue import Announcement, Command, Message, Order, Queue
from driftwatch.daemon.snapshot import Snapshot, encode
from driftwatch.daemon.telemetry import Result
from driftwatch.daemon.waiting import Waiting
from driftwatch.errors import StateError
from driftwatch.evaluation.outcome import Outcome
from driftwatch.failpoints import Point, reached
from driftwatch.monitor import Monitor
from driftwatch.ports.storage import Checkpoint
from driftwatch.stream.decode import Decoded, Decoder
from driftwatch.stream.raw import Raw, Stream

MAX_UNSAVED = 10_000
"""Reports and letters that may wait for a failing disk before the engine takes no more records."""

_log = structlog.get_logger()


class Engine:
    """Runs monitors over what the queue gives; one thread, begun by `start`, ended by the order to stop."""

    def __init__(
        self, monitors: Iterable[Monitor], *, decoder: Decoder, queue: Queue, positions: Mapping[str, int], doors: Doors
    ) -> None:
        self.monitors = {monitor.model: monitor for monitor in monitors}
        self.failure: BaseException | None = None
        self.store_error = ""
        self.unknown_keys = 0
        self.appeared: Mapping[str, tuple[str, ...]] = {}
        self._decoder = decoder
        self._queue = queue
        self._positions = dict(positions)
        self._doors = doors
        self._unsaved = Unsaved()
        self._casebook = doors.casebook
        self._correspondence = Correspondence(
            doors.targets, doors.outbox, doors.clock, doors.casebook, Occasions(doors), doors.base_url
        )
        self._doors.telemetry.incidents.follow(self._casebook)
        self.dead_letters = DeadLettersUnsaved(keep_payload=doors.keep_payload)
        self._stale = False
        self.learners = doors.learners or Learners(doors.clock)
        self._waiting = Waiting(self._everybody, doors.passing or doors.clock)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self.ended = threading.Event()

    def _everybody(self) -> Iterable[Monitor | Learner]:
        return (*self.monitors.values(), *self.learners.by_model.values())

    @property
    def positions(self) -> Mapping[str, int]:
        """Where each partition goes on, as of the last records that were counted."""
        return dict(self._positions)

    def expect(self, families: Collection[str]) -> None:
        """Close no window until a partition of each family is announced, or `idle_after` has passed; before `start`."""
        self._waiting.expect(families)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, *, timeout_seconds: float) -> bool:
        """Work off what is in the queue, save, and end; whether it had ended in time."""
        self._queue.close()
        self._queue.order(Command.STOP)
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while self.step(self._queue.take()):
                pass
        except BaseException as error:  # noqa: BLE001 - a bug: the service ends with it, and says so
            self.failure = error
            _log.exception("engine_failed")
        finally:
            self.ended.set()

    def step(self, message: Message) -> bool:
        """Do what one message asks; False when it was the order to stop. For the engine's thread, or instead of it."""
        if isinstance(message, Raw) and message.stream is Stream.OPERATIONS:
            self._operate(message)
        elif isinstance(message, Raw):
            self._take(message)
        elif isinstance(message, Announcement):
            if message.stream is Stream.PREDICTIONS:
                self._stale |= self._waiting.announce(message.partitions)  # after a crash it must hold windows, too
            elif message.stream is Stream.LABELS:
                self._waiting.announce_labels(message.partitions)
        else:
            return self._obey(message)
        self._take_over(self.learners.graduates(self._doors.telemetry))
        return True

    def _take_over(self, graduates: Iterable[Graduate]) -> None:
        """Watch the models whose reference has been learnt."""
        for each in graduates:
            self._decoder.replace(each.watch.intake())
            self.monitors = {**self.monitors, each.monitor.model: each.monitor}  # others may be reading the old one
            for outcome in each.outcomes:
                self._publish(outcome)
            self._stale = True
            reached(Point.TAKEN_OVER)

    def _obey(self, order: Order) -> bool:
        match order.command:
            case Command.TICK:
                for outcome, moved in self._waiting.tick() if not self._queue.held else ():
                    # Held back, nobody is listened to, and whoever is not listened to is not silent.
                    self._publish(outcome)
                    self._stale |= moved
                self._follow()
                if self._correspondence.examine():
                    self._doors.wake()
                self._take_over(self.learners.graduates(self._doors.telemetry))
            case Command.FINISH:
                self._take_over(self.learners.finish(self._doors.telemetry))
                for monitor in self.monitors.values():
                    self._publish(monitor.finish())
                self._stale = True  # watermarks have moved, be there reports or not
                self._save()
                self._show_standing()
            case Command.SAVE | Command.STOP:
                self._follow()
                self._save()
                count_letters(self._doors.outbox, self._doors.telemetry)
                self._show_standing()
            case Command.PRUNE:
                self._prune()
        if order.command is not Command.STOP and self._unsaved.letters:
            self._save()
        order.done.set()
        return order.command is not Command.STOP

    def _show_standing(self) -> None:
        show_labels(self._doors.board, self.monitors.values())
        self.learners.show()

    def _take(self, raw: Raw) -> None:
        decoded = self._decoder.decode(raw)
        self.unknown_keys += decoded.unknown_keys
        if decoded.appeared:
            self.appeared = tell_appeared(self.appeared, decoded.appeared, stream=raw.stream)
        self._count(raw, decoded)
        heard_ms = self._doors.passing() if self._doors.passing else raw.received_ms
        events = self._doors.telemetry.events
        self.learners.take(raw, decoded, self._doors.telemetry, received_ms=heard_ms)
        for model, labels in decoded.labels.items():
            joined = self.monitors[model].label(labels, received_ms=heard_ms)
            again = 0 if joined is None else joined.duplicate
            events(model, raw.stream, source=raw.source, result=Result.ACCEPTED, count=labels.rows - again)
            events(model, raw.stream, source=raw.source, result=Result.DUPLICATE, count=again)
        for model, batch in decoded.batches.items():
            outcome = self.monitors[model].feed(batch, received_ms=heard_ms)
            events(model, raw.stream, source=raw.source, result=Result.ACCEPTED, count=outcome.accepted)
            events(model, raw.stream, source=raw.source, result=Result.LATE, count=outcome.late)
            events(model, raw.stream, source=raw.source, result=Result.DUPLICATE, count=outcome.duplicate)
            self._publish(outcome)
        for model, parts in decoded.controls.items():
            for controls in parts:
                self._publish(self.monitors[model].compare(controls))
                events(model, raw.stream, source=raw.source, result=Result.ACCEPTED, count=controls.rows.rows)
        self._positions[raw.partition] = raw.position
        self._stale = True
        self._queue.hold(on=self._must_hold)
        if self._unsaved.letters and not self.store_error:  # a failing disk is tried again by the clock
            self._save()

    def _operate(self, raw: Raw) -> None:
        self._correspondence.look_out()
        for outcome in heard(
            raw.records,
            self.monitors,
            self._casebook,
            board=self._doors.board,
            clock=self._doors.clock,
        ):
            self._publish(outcome)
        self._positions[raw.partition] = raw.position
        self._stale = True
        self._doors.telemetry.incidents.follow(self._casebook)

    def _count(self, raw: Raw, decoded: Decoded) -> None:
        telemetry = self._doors.telemetry
        for rejection in decoded.rejected:
            telemetry.rejected(rejection.model, raw.stream, source=raw.source, reason=rejection.reason)
        if decoded.rejected:
            self.dead_letters.add(raw, decoded)

    def _publish(self, outcome: Outcome) -> None:
        doors, unsaved = self._doors, self._unsaved
        show(doors.board, outcome, self.monitors.values())
        if not (outcome.reports or outcome.transitions or outcome.course):
            return
        unsaved.letters += self._correspondence.of(outcome, unsaved=unsaved.letters)
        self._doors.telemetry.incidents.follow(self._casebook)
        unsaved.reports += outcome.reports
        unsaved.transitions += outcome.transitions
        self._stale = True
        self._queue.hold(on=self._must_hold)

    def _follow(self) -> None:
        """Let incidents hear of deliveries, and of the time."""
        self._unsaved.letters += self._correspondence.passed()
        self._stale |= bool(self._casebook.changed)
        self._doors.telemetry.incidents.follow(self._casebook)

    @property
    def _must_hold(self) -> bool:
        """Whether so much waits for a failing disk that no more is taken."""
        return bool(self.store_error) and (self._unsaved.count > MAX_UNSAVED or self.learners.held_back)

    def _save(self) -> None:
        doors, unsaved = self._doors, self._unsaved
        if not self._stale and not self.store_error:
            return
        began = time.perf_counter()
        reached(Point.BEFORE_SNAPSHOT)
        try:
            learners = self.learners
            snapshots = {
                name: encode(each, learnt_before_ms=learners.before_ms.get(name))
                for name, each in self.monitors.items()
            } | learners.snapshots()
            reached(Point.SNAPSHOT_TAKEN)
            doors.store.save(self._checkpoint(snapshots))
        except StateError as error:
            self.store_error = str(error)
            self._queue.hold(on=self._must_hold)
            doors.telemetry.checkpoint_failed()
            _log.error("checkpoint_failed", error=str(error), waiting=unsaved.count)
            return
        reached(Point.COMMITTED)
        for monitor in self.monitors.values():
            monitor.saved()
        learners.saved()
        self._casebook.saved()
        woken = bool(unsaved.letters)
        self._unsaved, self._stale, self.store_error = Unsaved(), False, ""
        self.dead_letters.saved()
        self._queue.hold(on=False)
        doors.telemetry.checkpoint(seconds=time.perf_counter() - began, saved_ms=doors.clock())
        doors.saved(dict(self._positions))
        reached(Point.POSITIONS_TOLD)
        if woken:
            doors.wake()
            reached(Point.DELIVERIES_WOKEN)

    def _checkpoint(self, snapshots: Mapping[str, Snapshot]) -> Checkpoint:
        unsaved = self._unsaved
        return Checkpoint(
            taken_ms=self._doors.clock(),
            positions=dict(self._positions),
            monitors={name: snapshot.core for name, snapshot in snapshots.items()},
            panes={name: snapshot.panes for name, snapshot in snapshots.items()},
            engine=self._doors.telemetry.saved(),
            reports=unsaved.reports,
            transitions=unsaved.transitions,
            letters=unsaved.letters,
            rejected=self.dead_letters.events,
            incidents=tuple(self._casebook.changed.values()),
        )

    def _prune(self) -> None:
        before_ms = self._doors.clock() - self._doors.retention_ms
        try:
            gone = self._doors.store.prune(before_ms=before_ms)
        except StateError as error:
            _log.error("prune_failed", error=str(error))
            return
        self._doors.board.forget(before_ms=before_ms)
        _log.info("pruned", rows=gone)
