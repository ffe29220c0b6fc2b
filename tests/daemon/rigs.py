"""An engine between a queue and doors that a test holds in its hands."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Self

from driftwatch.config import load
from driftwatch.daemon.doors import Doors
from driftwatch.daemon.engine import Engine
from driftwatch.daemon.queue import Command, Queue
from driftwatch.daemon.telemetry import Exposition, Gauges, LabelValues, Telemetry
from driftwatch.daemon.watch import Watch, load_watch
from driftwatch.errors import StateError
from driftwatch.evaluation.policies import PolicySpec
from driftwatch.ports.letters import Letter
from driftwatch.ports.storage import Checkpoint, Saved
from driftwatch.sinks.board import Board
from driftwatch.sinks.targets.spec import TargetSpec
from driftwatch.stream.decode import Decoder
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reject import Reject
from tests.scenarios import world
from tests.scenarios.probe import NOW_MS, Metrics

PARTITION = "test/predictions/0"
WAIT_SECONDS = 10.0


class FakeStore:
    """A Store and an Outbox in memory. While `broken` says why, nothing can be saved or asked."""

    def __init__(self) -> None:
        self.broken = ""
        self.checkpoints: list[Checkpoint] = []
        self.pruned: list[int] = []

    def load(self) -> Saved:
        """Nothing was ever saved."""
        return Saved({}, {}, {}, b"")

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep it."""
        self._check()
        self.checkpoints.append(checkpoint)

    def prune(self, *, before_ms: int) -> int:
        """Note it."""
        self._check()
        self.pruned.append(before_ms)
        return 0

    def close(self) -> None:
        """There is nothing to release."""

    def pending(self) -> Mapping[str, tuple[int, int, int]]:
        """Say how many letters were ever saved, as if none had gone."""
        self._check()
        return {"trainer": (len(self.letters), 0, 0)}

    def asked(self, target: str, key: str) -> list[Letter]:
        """The letters with this key, the newest first."""
        self._check()
        return [each for each in reversed(self.letters) if (each.target, each.key) == (target, key)]

    def told(self, target: str, lane: str, alerts: Sequence[str]) -> list[Letter]:
        """The letters of a lane that tell of one of these alerts."""
        self._check()
        return [
            each
            for each in self.letters
            if (each.target, each.lane) == (target, lane) and not set(alerts).isdisjoint(each.alerts)
        ]

    def examine(self, policies: Mapping[str, PolicySpec], *, now_ms: int) -> list[Letter]:
        """Nothing ever changes."""
        self._check()
        assert policies, now_ms
        return []

    def first_delivered_ms(self, incident: str) -> int | None:
        """Nothing is ever delivered."""
        self._check()
        return None if incident else 0

    @property
    def letters(self) -> list[Letter]:
        """Every letter that was saved."""
        return [letter for checkpoint in self.checkpoints for letter in checkpoint.letters]

    @property
    def reports(self) -> list:
        """Every report that was saved, in order."""
        return [report for checkpoint in self.checkpoints for report in checkpoint.reports]

    def _check(self) -> None:
        if self.broken:
            raise StateError(self.broken)


def target(cooldown_ms: int) -> TargetSpec:
    """Somebody who takes every kind of letter."""
    written = {"name": "trainer", "type": "test", "actions": ("notify", "retrain"), "cooldown": f"{cooldown_ms}ms"}
    return TargetSpec.model_validate(written)


def load_test_watch(folder: Path, reference: Path, *, rules: str = world.RULES) -> Watch:
    """The scenarios' model."""
    return load_watch(load(world.configuration(folder, reference, rules=rules), {}), 0)


class Rig:
    """An engine over one model; its clock stands still until a test sets `now_ms`."""

    def __init__(self, watch: Watch, *, cooldown_ms: int = 0, queue: Queue | None = None) -> None:
        self.now_ms = NOW_MS
        self.store, self.board, self.queue = FakeStore(), Board(), queue or Queue()
        self.committed: list[Mapping[str, int]] = []
        self.woken = 0
        self.telemetry = Telemetry(
            LabelValues(models=[watch.spec.name], sources=["test"], rejects=list(Reject), targets=["trainer"]),
            gauges=Gauges(lambda: 0, 1, list, dict),
            clock=lambda: self.now_ms,
            version="test",
        )
        doors = Doors(
            store=self.store, outbox=self.store, board=self.board, telemetry=self.telemetry,
            targets=[target(cooldown_ms)], saved=self.committed.append, wake=self._wake,
            clock=lambda: self.now_ms, retention_ms=1_000,
        )  # fmt: skip
        self.monitor = watch.monitor()
        self.engine = Engine(
            [self.monitor], decoder=Decoder([watch.intake()]), queue=self.queue, positions={}, doors=doors
        )

    def __enter__(self) -> Self:
        self.engine.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.engine.stop(timeout_seconds=WAIT_SECONDS)

    def raw(self, lines: Sequence[bytes], *, position: int, partition: str = PARTITION) -> Raw:
        """Records as a source hands them over."""
        return Raw(Stream.PREDICTIONS, "test", partition, tuple(lines), self.now_ms, position)

    def feed(self, lines: Sequence[bytes], *, position: int = 1, partition: str = PARTITION) -> None:
        """Hand records over."""
        assert self.queue.offer(self.raw(lines, position=position, partition=partition), timeout_seconds=WAIT_SECONDS)

    def announce(self, partitions: Collection[str]) -> None:
        """Announce partitions of predictions."""
        self.queue.announce(Stream.PREDICTIONS, partitions)

    def order(self, command: Command) -> None:
        """Have an order carried out, behind everything that was fed unless the queue holds that back."""
        assert self.queue.order(command).done.wait(WAIT_SECONDS)

    def metrics(self) -> Metrics:
        """What the telemetry shows."""
        return Metrics(Exposition([self.telemetry]).render(openmetrics=False).decode())

    def _wake(self) -> None:
        self.woken += 1
