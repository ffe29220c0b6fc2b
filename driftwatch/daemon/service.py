"""The running service: built from a Config, everything fallible first, started in order, stopped in reverse."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog
from fastapi import FastAPI

import driftwatch
from driftwatch.api.app import add_operations, add_operator, create_app
from driftwatch.api.operations import Desk
from driftwatch.api.refusals import Refusals
from driftwatch.api.serve import HttpServer, bounds_of, limits_of
from driftwatch.config import Config
from driftwatch.daemon.alerting import casebook_of, severities_of
from driftwatch.daemon.display import refill, remind
from driftwatch.daemon.doors import Doors
from driftwatch.daemon.engine import Engine
from driftwatch.daemon.enrolment import enrol
from driftwatch.daemon.ingest import BodyBounds, ClosedIngest, DurableIngest
from driftwatch.daemon.learners import Learners
from driftwatch.daemon.lifecycle import Lifecycle
from driftwatch.daemon.occasions import Occasions
from driftwatch.daemon.operating import DurableOperator, mlflow_secret
from driftwatch.daemon.overview import ServiceOverview
from driftwatch.daemon.queue import Command, Queue
from driftwatch.daemon.schedule import schedule
from driftwatch.daemon.snapshot import QUALITY, SEGMENTS, resume
from driftwatch.daemon.steady import SteadyClock
from driftwatch.daemon.telemetry import Exposition, Gauges, LabelValues, Telemetry
from driftwatch.daemon.watch import Watch, load_watches
from driftwatch.errors import ConfigError
from driftwatch.monitor import Monitor
from driftwatch.ports.storage import Saved
from driftwatch.ports.streams import Clock, Inbox, Source
from driftwatch.sinks.board import Board
from driftwatch.sinks.delivery import Delivery
from driftwatch.sinks.prometheus import BoardCollector
from driftwatch.sinks.targets.kinds import target_of
from driftwatch.sources.files import FilesSource, FilesSpec
from driftwatch.sources.inbox import HttpSpec, InboxSource
from driftwatch.sources.kafka import KafkaSource
from driftwatch.sources.kafka_spec import KafkaSpec
from driftwatch.store.acknowledgements import SqliteAcknowledgements
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.decisions import SqliteDecisions
from driftwatch.store.history import SqliteHistory
from driftwatch.store.identity import deployment_id
from driftwatch.store.inbox import SqliteInbox
from driftwatch.store.outbox import SqliteOutbox
from driftwatch.store.rejected import DeadLetterBounds
from driftwatch.store.silences import SqliteSilences
from driftwatch.stream.decode import Decoder
from driftwatch.stream.raw import Stream
from driftwatch.stream.reject import Reject

DRAIN_SECONDS = 10.0

_log = structlog.get_logger()


def wall_clock_ms() -> int:
    """The time, in ms since the epoch."""
    return time.time_ns() // 1_000_000


class Service:
    """One process that watches the models of one configuration."""

    def __init__(self, config: Config, *, clock: Clock = wall_clock_ms) -> None:
        """Build everything; raises ConfigError, DataError or StateError, and leaves nothing open when it does."""
        if config.state is None:
            raise ConfigError("state: this table is missing; write [state] with path = a directory to keep state in")
        if not config.sources:
            raise ConfigError("sources: this key is missing; write at least one [[sources]] table")
        self._config = config
        self._clock = clock
        self._lifecycle = Lifecycle()
        self.watches = load_watches(config)
        self._targets = [target_of(spec) for spec in config.targets]
        self._database = Database(Path(config.state.path))
        self._lifecycle.push("state", self._database.close)
        try:
            self._build(config, retention_ms=config.state.retention)
        except BaseException:
            self._lifecycle.stop()
            raise

    def _build(self, config: Config, *, retention_ms: int) -> None:
        assert config.state is not None
        bounds = DeadLetterBounds(config.state.max_dead_letters, config.state.max_dead_letter_bytes)
        store = SqliteStore(self._database, bounds)
        door = _http(config)
        self._inbox = SqliteInbox(
            self._database, max_bytes=door.max_inbox_bytes, max_keys=door.max_keys, keep_keys_ms=door.keep_keys
        )
        self._outbox = SqliteOutbox(self._database)
        self._silences = SqliteSilences(self._database)
        saved = store.load()
        learners = Learners(self._clock, graduated=self._graduated)
        self._lifecycle.push("learning", learners.close)
        learnt = enrol(config, saved, self._database.directory, learners)
        self.watches = self._in_order([*self.watches, *learnt])
        self.queue = Queue(records=config.queue.max_records, size_bytes=config.queue.max_bytes)
        self.board = Board()
        owner = deployment_id(self._database.directory)
        self.sources = [_source(spec, inbox=self._inbox, clock=self._clock, owner=owner) for spec in config.sources]
        self._operations = InboxSource(self._inbox, [Stream.OPERATIONS])
        self._delivery = Delivery(self._outbox, self._targets, clock=self._clock, dice=random.random)
        self._refusals = Refusals()
        telemetry = self._telemetry(lambda: store.dead_letters_forgotten + self.engine.dead_letters.dropped)
        telemetry.restore(saved.engine)
        self._importance = {watch.spec.name: watch.importance for watch in self.watches}
        doors = Doors(
            store=store, outbox=self._outbox, board=self.board, telemetry=telemetry, targets=config.targets,
            saved=self._commit, wake=self._delivery.wake, clock=self._clock, retention_ms=retention_ms,
            keep_payload=config.state.keep_payload,
            base_url=config.server.external_url, passing=SteadyClock(self._clock), learners=learners,
            casebook=casebook_of(config.models, saved.incidents, importance=self._importance),
            silences=self._silences, importance=self._importance,
        )  # fmt: skip
        intakes = [*(watch.intake() for watch in self.watches), *(each.intake for each in learners.by_model.values())]
        monitors = [restored(watch, saved) for watch in self.watches]
        history = SqliteHistory(self._database)
        refill(self.board, monitors)
        remind(self.board, monitors, history)
        self.engine = Engine(
            monitors, decoder=Decoder(intakes), queue=self.queue, positions=saved.positions, doors=doors
        )
        rules = {spec.name: severities_of(spec) for spec in config.models}
        collector = BoardCollector(
            self.board, rules=rules, max_series=config.server.max_series, importance=self._importance
        )
        self.overview = ServiceOverview(
            watches=self.watches, engine=self.engine, queue=self.queue, sources=self.sources, board=self.board,
            exposition=Exposition([collector, telemetry]), clock=self._clock, disabled_targets=self._delivery.disabled,
            began_ms=self._clock(), incidents=telemetry.incidents,
            keys_forgotten=lambda: self._inbox.keys_forgotten,
        )  # fmt: skip
        most = BodyBounds(config.server.max_values, config.server.max_events)
        self._ingest = _ingest(config, DurableIngest(self._inbox, intakes, clock=self._clock, bounds=most))
        app = self._application(history)
        add_operations(app, self._desk(Occasions(doors)))
        self._add_operator(app, doors)
        self._server = HttpServer(app, config.server.address, bounds=bounds_of(config.server), refusals=self._refusals)
        self._lifecycle.push("http", self._server.stop)
        self._positions = saved.positions

    def _application(self, history: SqliteHistory) -> FastAPI:
        return create_app(
            ingest=self._ingest,
            history=history,
            overview=self.overview,
            limits=limits_of(self._config.server),
            version=driftwatch.__version__,
            refusals=self._refusals,
        )

    def _add_operator(self, app: FastAPI, doors: Doors) -> None:
        config = self._config
        operator = DurableOperator(
            self._inbox, [spec.name for spec in config.models], self.board, doors.casebook, self._clock
        )
        add_operator(app, operator, clock=self._clock, mlflow=config.hooks.mlflow, secret=mlflow_secret(config))

    def _desk(self, occasions: Occasions) -> Desk:
        return Desk(
            silences=self._silences,
            acknowledgements=SqliteAcknowledgements(self._database),
            decisions=SqliteDecisions(self._database),
            clock=self._clock,
            wake=self._delivery.wake,
            withheld=occasions.tell,
        )

    @property
    def port(self) -> int:
        """The port that is really listened on."""
        return self._server.port

    def start(self) -> None:
        """Start in the order in which data flows backwards: whoever takes is there before whoever gives."""
        assert self._config.state is not None
        self._delivery.start()
        self._lifecycle.push("delivery", self._delivery.stop)
        self.engine.expect([family for source in self.sources for family in source.families()])
        self.engine.start()
        self._lifecycle.push("engine", lambda: self.engine.stop(timeout_seconds=DRAIN_SECONDS))
        for source in (*self.sources, self._operations):
            source.start(self.queue, self._positions)
            self._lifecycle.push(f"source {source.name}", source.stop)
        self._server.start()
        self._lifecycle.push("http", self._server.stop)
        scheduler = schedule(self.queue, checkpoint_ms=self._config.state.checkpoint)
        scheduler.start()
        self._lifecycle.push("schedule", lambda: scheduler.shutdown(wait=False))
        _log.info(
            "started",
            version=driftwatch.__version__,
            port=self.port,
            models=[spec.name for spec in self._config.models],
        )

    def caught_up(self) -> bool:
        """Whether everything that came over HTTP so far has been counted."""
        if self.queue.records:
            return False
        done = self.engine.positions
        rows = (self._inbox.read(stream, done.get(f"http/{stream}", 0) - 1, limit=1) for stream in Stream)
        return not any(rows)

    def letters_waiting(self) -> int:
        """How many letters are still to be delivered."""
        return sum(pending for pending, _, _ in self._outbox.pending().values())

    def finish(self, *, timeout_seconds: float) -> bool:
        """The input has ended: close every window, save, and say whether that was done in time."""
        return self.queue.order(Command.FINISH).done.wait(timeout_seconds)

    def stop(self) -> bool:
        """Take nothing more in, work off what is there, save, close; whether all of it went well."""
        well = self._lifecycle.stop()
        _log.info("stopped", clean=well and self.engine.failure is None)
        return well

    def _commit(self, positions: Mapping[str, int]) -> None:
        for source in (*self.sources, self._operations):
            source.commit(positions)

    def _graduated(self, learnt: Watch) -> None:
        """A model has learnt its reference: from now on its events are read by it."""
        self._importance[learnt.spec.name] = learnt.importance
        self.watches[:] = self._in_order([*self.watches, learnt])
        self._ingest.replace(learnt.intake())

    def _in_order(self, watches: Sequence[Watch]) -> list[Watch]:
        """As in the configuration."""
        places = {spec.name: place for place, spec in enumerate(self._config.models)}
        return sorted(watches, key=lambda watch: places[watch.spec.name])

    def _telemetry(self, dead_letters_dropped: Callable[[], int]) -> Telemetry:
        values = LabelValues(
            models=[spec.name for spec in self._config.models],
            sources=sorted({source.name for source in self.sources}),
            rejects=list(Reject),
            targets=[spec.name for spec in self._config.targets],
        )
        gauges = Gauges(
            queue_records=lambda: self.queue.records,
            queue_capacity_records=self.queue.capacity_records,
            sources=lambda: [source.status() for source in self.sources],
            deliveries=self._delivery.counts,
            refusals=self._refusals.counts,
            dead_letters_dropped=dead_letters_dropped,
            circuits=self._delivery.circuits,
        )
        return Telemetry(values, gauges=gauges, clock=self._clock, version=driftwatch.__version__)


def restored(watch: Watch, saved: Saved) -> Monitor:
    """A monitor, as a checkpoint left it."""
    monitor, name = watch.monitor(), watch.spec.name
    if name in saved.monitors:
        rows = resume(monitor, saved.monitors[name], saved.panes.get(name, {}))
        if rows:
            _log.warning("open_windows_discarded", model=name, rows=rows,
                         why="the reference or the form of the windows has changed")  # fmt: skip
        elif any(name.startswith(QUALITY) for name in monitor.told):
            _log.warning("predictions_forgotten", model=name,
                         why="the model's task or classes have changed, or it is to remember none")  # fmt: skip
        if not rows and any(name.startswith(SEGMENTS) for name in monitor.told):
            _log.warning("segments_of_open_windows_discarded", model=name, why="the segments have changed")
    return monitor


def _ingest(config: Config, durable: DurableIngest) -> DurableIngest | ClosedIngest:
    return durable if any(isinstance(source, HttpSpec) for source in config.sources) else ClosedIngest()


def _source(spec: KafkaSpec | HttpSpec | FilesSpec, *, inbox: Inbox, clock: Clock, owner: str) -> Source:
    match spec:
        case KafkaSpec():
            return KafkaSource(spec, clock=clock, owner=owner)
        case HttpSpec():
            return InboxSource(inbox)
        case FilesSpec():
            return FilesSource(spec, clock=clock)


def _http(config: Config) -> HttpSpec:
    """The HTTP source, or what one would be: the inbox may hold bodies of a time when there was one."""
    doors = [source for source in config.sources if isinstance(source, HttpSpec)]
    return doors[0] if doors else HttpSpec(type="http")
