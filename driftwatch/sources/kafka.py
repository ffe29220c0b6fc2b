"""Events from Kafka: explicit assignment, our own positions, committed transactions only."""

import threading
import uuid
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from driftwatch.ports.streams import Clock, Inlet, SourceStatus
from driftwatch.sources.kafka_spec import KafkaSpec

if TYPE_CHECKING:
    from driftwatch.sources.kafka_reader import Reader


class KafkaSource:
    """The Source on Kafka: partitions "kafka/<topic>/<number>", positions are offsets.

    Among the positions, "kafka/<topic>" holds a number that stands for the topic's id.
    owner: what this deployment is called in its group, the same as long as its state lives; random unless given.
    """

    name = "kafka"

    def __init__(self, spec: KafkaSpec, *, clock: Clock, owner: str = "") -> None:
        self._spec, self._clock = spec, clock
        self._owner = owner or uuid.uuid4().hex
        self._reader: Reader | None = None
        self._thread: threading.Thread | None = None

    def families(self) -> Collection[str]:
        """Give "kafka/<topic>" for each topic of predictions: its partitions are the brokers' to say."""
        return [f"kafka/{topic}" for topic in self._spec.predictions]

    def start(self, inlet: Inlet, positions: Mapping[str, int]) -> None:
        """Begin to read, from the saved position of each partition, or from the beginning where there is none.

        A broker that cannot be reached is no error: `status` says so until it can.
        """
        from driftwatch.sources.kafka_reader import Reader  # noqa: PLC0415 - loads kafka-python, half a second

        self._reader = Reader(self._spec, inlet, positions=positions, clock=self._clock, owner=self._owner)
        self._thread = threading.Thread(target=self._reader.run, name="kafka-source", daemon=True)
        self._thread.start()

    def commit(self, positions: Mapping[str, int]) -> None:
        """Tell the consumer group how far it is, soon: for lag tools only, we never read it back."""
        if self._reader is not None:
            self._reader.commit(positions)

    def status(self) -> SourceStatus:
        """How it is."""
        if self._reader is None:
            return SourceStatus(ready=False, error="not started")
        return self._reader.status

    def stop(self) -> None:
        """Stop reading and return once nothing more will be offered, within a few seconds whatever the brokers do."""
        if self._thread is not None and self._reader is not None:
            self._reader.stop(self._thread)
            self._thread = None
