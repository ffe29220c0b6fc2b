"""One life of the process: the real parts, put together as the service does it, driven by one thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from driftwatch.daemon.display import refill
from driftwatch.daemon.doors import Doors
from driftwatch.daemon.engine import Engine
from driftwatch.daemon.ingest import DurableIngest
from driftwatch.daemon.queue import Queue
from driftwatch.daemon.service import restored
from driftwatch.daemon.steady import SteadyClock
from driftwatch.daemon.telemetry import Gauges, LabelValues, Telemetry
from driftwatch.daemon.watch import Watch
from driftwatch.errors import StateError
from driftwatch.ports.storage import Checkpoint, Saved
from driftwatch.ports.streams import Inbox
from driftwatch.sinks.attempts import Result
from driftwatch.sinks.board import Board
from driftwatch.sinks.courier import Courier
from driftwatch.sinks.exchange import Exchange
from driftwatch.sinks.targets.webhook import Webhook, WebhookSpec
from driftwatch.sources.inbox import InboxSource, _StreamReader
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.history import SqliteHistory
from driftwatch.store.inbox import SqliteInbox
from driftwatch.store.outbox import SqliteOutbox
from driftwatch.stream.raw import EVENT_STREAMS, Raw, Stream
from driftwatch.stream.reject import Reject
from tests.simulation.broker import Broker, LogSource
from tests.simulation.chance import Clock, Mode, Plan, Trace
from tests.simulation.models import new_casebook, shared_decoder
from tests.simulation.receiver import Receiver

SECRET = "DRIFTWATCH_SIMULATED_SECRET"
SOURCES = [*(f"kafka/predictions/{number}" for number in range(8)), "kafka/labels/0", "http"]
_YEAR_MS = 365 * 86_400_000
_STATE_HOLD_MS = 10_000


@dataclass(slots=True)
class Surroundings:
    """What outlives every process."""

    plan: Plan
    dice: Random
    clock: Clock
    trace: Trace
    directory: Path
    watches: list[Watch]
    broker: Broker
    receiver: Receiver

    def targets(self) -> list[WebhookSpec]:
        """One who is told everything at once, and one who wants to be left in peace for a while."""
        cooldown = f"{self.plan.cooldown_ms}ms"
        return [
            WebhookSpec(name="trainer", url="http://receiver/trainer", secret_env=SECRET),
            WebhookSpec.model_validate({
                "name": "pager", "url": "http://receiver/pager", "secret_env": SECRET, "actions": ["retrain"],
                "cooldown": cooldown,
            }),
        ]  # fmt: skip


class PromptInbox:
    """The inbox, which nobody waits for."""

    def __init__(self, inbox: SqliteInbox) -> None:
        self._inbox = inbox
        self.read, self.drop, self.append = inbox.read, inbox.drop, inbox.append

    def wait(self, stream: Stream, after: int, *, timeout_seconds: float) -> bool:
        return self._inbox.wait(stream, after, timeout_seconds=0 * timeout_seconds)


class _Inlet:
    """The queue for one reader of the inbox; full, it breaks off the reader's step instead of waiting."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.reader: _StreamReader | None = None

    def offer(self, raw: Raw, *, timeout_seconds: float) -> bool:
        assert self.reader is not None
        if self._queue.offer(raw, timeout_seconds=0 * timeout_seconds):
            return True
        self.reader.stopping.set()
        return False


class Process:
    """Built from what the state directory holds. saving: the checkpoint whose transaction may be under way."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.saving: Checkpoint | None = None
        self.database = Database(around.directory)
        try:
            self._build(around)
        except BaseException:
            self.database.close()
            raise

    def _build(self, around: Surroundings) -> None:
        self.store = SqliteStore(self.database)
        self.inbox = SqliteInbox(self.database, max_bytes=around.plan.inbox_bytes)
        self.outbox = SqliteOutbox(self.database)
        self.history = SqliteHistory(self.database)
        self.saved = self.store.load()
        self.queue, self.board = Queue(records=around.plan.queue_records), Board()
        self.telemetry = _telemetry(around)
        self.telemetry.restore(self.saved.engine)
        self.passing = SteadyClock(around.clock)
        doors = Doors(
            store=self, outbox=self.outbox, board=self.board, telemetry=self.telemetry, targets=around.targets(),
            saved=self._commit, wake=lambda: None, clock=around.clock, retention_ms=_YEAR_MS,
            passing=self.passing, casebook=new_casebook(self.saved.incidents),
        )  # fmt: skip
        monitors = [restored(watch, self.saved) for watch in around.watches]
        refill(self.board, monitors)
        decoder = shared_decoder()
        self.engine = Engine(
            monitors, decoder=decoder, queue=self.queue, positions=self.saved.positions, doors=doors
        )  # fmt: skip
        self.ingest = DurableIngest(self.inbox, (), clock=around.clock)
        self.ingest._decoder = decoder
        transport = around.receiver.transport()
        self.couriers = [
            Courier(
                Webhook(spec), self.outbox, ask=Exchange(spec, transport=transport).ask, clock=around.clock,
                dice=around.dice.random,
            )
            for spec in around.targets()
        ]  # fmt: skip
        self._open_sources(around)

    def _open_sources(self, around: Surroundings) -> None:
        self.log = LogSource(around.broker, self.queue, self.saved.positions, trace=around.trace)
        self._inbox_source = InboxSource(self.inbox)
        streams = [] if around.plan.mode is Mode.LOG else list(EVENT_STREAMS)
        self.readers = [_reader(self.inbox, self.queue, stream, self.saved) for stream in streams]
        self._inbox_source._readers = self.readers
        http = [] if around.plan.mode is Mode.LOG else self._inbox_source.families()
        self.families = (*http, *self.log.families())
        self.engine.expect(self.families)
        for stream in streams:
            self.queue.announce(stream, [f"http/{stream}"])

    def save(self, checkpoint: Checkpoint) -> None:
        """Save, as a Store: who watches is told which checkpoint it is."""
        self.saving = checkpoint
        try:
            self.store.save(checkpoint)
        finally:
            self.saving = None

    def prune(self, *, before_ms: int) -> int:
        """Prune, as a Store."""
        return self.store.prune(before_ms=before_ms)

    def expected(self) -> frozenset[str]:
        """What any model still waits for."""
        return frozenset().union(*(monitor.windows.expected for monitor in self.engine.monitors.values()))

    def watermarks(self) -> dict[str, int]:
        """How far each model's windows are closed."""
        return {name: monitor.windows.progress.closed_ms for name, monitor in self.engine.monitors.items()}

    def read_inbox(self, reader: _StreamReader) -> bool:
        """Let a reader of the inbox make one step; whether there was room for what it read."""
        reader.stopping.clear()
        try:
            reader._step()
        except StateError:
            self._around.trace.fault("inbox could not be read")
        return not reader.stopping.is_set()

    def deliver(self, courier: Courier) -> bool:
        """Make one attempt as the delivery threads do; whether there was one."""
        try:
            result = courier.deliver_once()
        except StateError:
            self._around.trace.fault("outcome of a delivery not saved")
            courier.hold(_STATE_HOLD_MS)
            return False
        if result is Result.DELIVERED:
            self._around.receiver.recorded.add(self._around.receiver.last)
        return result is not None

    def close(self) -> None:
        """Let go of everything, as the operating system does for a process that is gone."""
        self.database.close()

    def _commit(self, positions: Mapping[str, int]) -> None:
        self._inbox_source.commit(positions)


def _reader(inbox: Inbox, queue: Queue, stream: Stream, saved: Saved) -> _StreamReader:
    inlet = _Inlet(queue)
    inlet.reader = _StreamReader(
        PromptInbox(inbox), inlet, stream, position=saved.positions.get(f"http/{stream}", 0)
    )  # fmt: skip
    return inlet.reader


def _telemetry(around: Surroundings) -> Telemetry:
    values = LabelValues(
        models=[watch.spec.name for watch in around.watches],
        sources=SOURCES,
        rejects=list(Reject),
        targets=["trainer", "pager"],
    )
    return Telemetry(values, gauges=Gauges(lambda: 0, 1, list, dict), clock=around.clock, version="test")
