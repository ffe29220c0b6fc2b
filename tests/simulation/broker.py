"""A broker in memory: partitions with offsets and holes, and a source that reads them from given positions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from driftwatch.ports.streams import Clock, Inlet
from driftwatch.stream.raw import EVENT_STREAMS, Raw, Stream
from tests.simulation.chance import Mode, Plan, Trace


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a partition. place: its number among all records of the broker."""

    offset: int
    value: bytes
    stamp_ms: int
    place: int


@dataclass(slots=True)
class Partition:
    """A partition. first: retention has removed what lies before it."""

    name: str
    stream: Stream
    records: list[Record] = field(default_factory=list)
    first: int = 0
    end: int = 0


class Broker:
    """The partitions and what was written to them."""

    def __init__(self, plan: Plan, dice: Random, *, clock: Clock, trace: Trace) -> None:
        self._dice, self._clock, self._trace = dice, clock, trace
        self.mode = plan.mode
        names = [f"kafka/predictions/{number}" for number in range(plan.partitions)]
        self.partitions = {} if plan.mode is Mode.POST else {n: Partition(n, Stream.PREDICTIONS) for n in names}
        self.partitions["kafka/labels/0"] = Partition("kafka/labels/0", Stream.LABELS)
        self.written = 0
        self.asleep: set[str] = set()
        self.reachable = True

    def of(self, stream: Stream) -> list[Partition]:
        """The partitions of a stream."""
        return [partition for partition in self.partitions.values() if partition.stream is stream]

    def write(self, stream: Stream, value: bytes) -> None:
        """Append a record to a partition of the stream, behind a hole now and then."""
        every = self.of(stream)
        partition = self._dice.choice([awake for awake in every if awake.name not in self.asleep] or every)
        if self._dice.random() < 0.05:
            self._trace.fault("hole in offsets", partition.name)
            partition.end += self._dice.randint(1, 3)
        partition.records.append(Record(partition.end, value, self._clock(), self.written))
        partition.end += 1
        self.written += 1

    def add_partition(self) -> None:
        """Let the topic of predictions grow."""
        name = f"kafka/predictions/{len(self.partitions) - 1}"
        self.partitions[name] = Partition(name, Stream.PREDICTIONS)
        self._trace.fault("partition added", name)

    def expire(self, partition: Partition) -> None:
        """Let retention remove the older half of what a partition holds."""
        held = [record for record in partition.records if record.offset >= partition.first]
        if held:
            partition.first = held[len(held) // 2].offset + 1
            self._trace.fault("retention", f"{partition.name} begins at {partition.first}")


class LogSource:
    """Reads the broker into the inlet; one `pump` is one Raw.

    `handed` is the highest position that ever was handed over: what is read again below it is a redelivery.
    """

    def __init__(self, broker: Broker, inlet: Inlet, positions: Mapping[str, int], *, trace: Trace) -> None:
        self._broker, self._inlet, self._trace = broker, inlet, trace
        self._taken: dict[str, int] = {}
        self._positions = positions

    def families(self) -> list[str]:
        """What it will announce of predictions, once the broker is reached."""
        return ["kafka/predictions"] if self._broker.of(Stream.PREDICTIONS) else []

    def discover(self) -> None:
        """Announce the partitions that are not known yet."""
        if not self._broker.reachable:
            return
        for stream in EVENT_STREAMS:
            new = [partition.name for partition in self._broker.of(stream) if partition.name not in self._taken]
            if new:
                self._inlet.announce(stream, new)
                self._taken |= {name: self._positions.get(name, 0) for name in new}

    def pump(self, dice: Random) -> bool | None:
        """Hand over some records of one partition; None when there are none, False when there is no room."""
        if not self._broker.reachable:
            return None
        waiting = {partition.name: found for partition in self._known() if (found := self._waiting(partition))}
        if not waiting:
            return None
        if self._broker.mode is Mode.FREE:
            name = dice.choice(list(waiting))
            records = waiting[name]
        else:
            # In order over all partitions: the run of one partition's records that are next.
            name = min(waiting, key=lambda each: waiting[each][0].place)
            others = min((found[0].place for each, found in waiting.items() if each != name), default=1 << 60)
            records = [record for record in waiting[name] if record.place < others]
        return self._hand_over(self._broker.partitions[name], records[: dice.randint(1, 12)])

    def _known(self) -> list[Partition]:
        return [partition for partition in self._broker.partitions.values() if partition.name in self._taken]

    def _waiting(self, partition: Partition) -> list[Record]:
        return [record for record in partition.records if record.offset >= self._taken[partition.name]]

    def _hand_over(self, partition: Partition, records: list[Record]) -> bool:
        taken = self._taken[partition.name]
        if taken < partition.first:
            self._trace.note(f"gap of {partition.name}: {taken} to {partition.first}")
            records, position = [], partition.first
        else:
            position = records[-1].offset + 1
        raw = Raw(
            stream=partition.stream,
            source=partition.name,
            partition=partition.name,
            records=tuple(record.value for record in records),
            received_ms=self._broker._clock(),
            position=position,
            timestamps_ms=tuple(record.stamp_ms for record in records),
        )
        if not self._inlet.offer(raw, timeout_seconds=0):
            return False
        self._taken[partition.name] = position
        return True
