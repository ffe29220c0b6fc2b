"""An engine over a state directory, whose models learn: its messages are taken one at a time, and it may crash."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from driftwatch.config import Config
from driftwatch.daemon.doors import Doors
from driftwatch.daemon.engine import Engine
from driftwatch.daemon.enrolment import enrol
from driftwatch.daemon.learners import Learners
from driftwatch.daemon.queue import Command, Order, Queue
from driftwatch.daemon.service import restored
from driftwatch.daemon.telemetry import Exposition, Gauges, LabelValues, Telemetry
from driftwatch.daemon.watch import Watch, load_watches
from driftwatch.ports.answers import Query
from driftwatch.sinks.board import Board
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.history import SqliteHistory
from driftwatch.store.outbox import SqliteOutbox
from driftwatch.stream.decode import Decoder
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reject import Reject
from tests.scenarios.probe import NOW_MS, Metrics

PREDICTIONS, LABELS = "test/predictions/0", "test/labels/0"


class School:
    """What a service would make of a configuration, without its threads but the one that builds references."""

    def __init__(self, config: Config, directory: Path) -> None:
        self.database = Database(directory)
        store = SqliteStore(self.database)
        saved = store.load()
        self.learners = Learners(lambda: NOW_MS, graduated=self._graduated)
        self.watches = [*load_watches(config), *enrol(config, saved, self.database.directory, self.learners)]
        self.telemetry = Telemetry(
            LabelValues([spec.name for spec in config.models], ["test"], list(Reject), []),
            gauges=Gauges(lambda: 0, 1, list, dict), clock=lambda: NOW_MS, version="test",
        )  # fmt: skip
        self.telemetry.restore(saved.engine)
        self.board = Board()
        doors = Doors(
            store=store, outbox=SqliteOutbox(self.database), board=self.board, telemetry=self.telemetry, targets=[],
            saved=lambda _: None, wake=lambda: None, clock=lambda: NOW_MS, retention_ms=1_000, learners=self.learners,
        )  # fmt: skip
        intakes = [
            *(each.intake() for each in self.watches),
            *(each.intake for each in self.learners.by_model.values()),
        ]
        self.engine = Engine(
            [restored(watch, saved) for watch in self.watches],
            decoder=Decoder(intakes), queue=Queue(), positions=saved.positions, doors=doors,
        )  # fmt: skip

    def feed(self, lines: Sequence[bytes], *, position: int = 1, stream: Stream = Stream.PREDICTIONS) -> None:
        """Take one batch."""
        partition = PREDICTIONS if stream is Stream.PREDICTIONS else LABELS
        self.engine.step(Raw(stream, "test", partition, tuple(lines), NOW_MS, position))

    def go(self, lines: Sequence[bytes], *, rows: int = 100, save: bool = True) -> None:
        """Go on from the saved position, in batches; a checkpoint after each third."""
        start = self.position
        for number, at in enumerate(range(start, len(lines), rows)):
            self.feed(lines[at : at + rows], position=min(at + rows, len(lines)))
            if save and number % 3 == 2:
                self.order(Command.SAVE)

    def taught(self) -> None:
        """Wait until references that are due have been built, and take them over."""
        self.learners.wait()
        self.order(Command.TICK)

    def order(self, command: Command) -> None:
        """Have an order carried out."""
        self.engine.step(Order(command))

    @property
    def position(self) -> int:
        """Where the predictions go on."""
        return self.engine.positions.get(PREDICTIONS, 0)

    def reports(self) -> list[dict[str, Any]]:
        """All reports that were saved, oldest first."""
        return SqliteHistory(self.database).reports(Query(limit=10_000)).items[::-1]

    def metrics(self) -> Metrics:
        """What the telemetry shows."""
        return Metrics(Exposition([self.telemetry]).render(openmetrics=False).decode())

    def watch(self, model: str) -> Watch:
        """A model that is watched."""
        return next(watch for watch in self.watches if watch.spec.name == model)

    def stop(self) -> None:
        """Save and end."""
        self.order(Command.STOP)
        self.crash()

    def crash(self) -> None:
        """End as a process that is killed: what is in memory is gone."""
        self.learners.close()
        self.database.close()

    def _graduated(self, watch: Watch) -> None:
        self.watches.append(watch)
