"""What tests do to a Kafka cluster from outside: make topics, write records, delete, look at committed offsets."""

import time
import uuid
from collections.abc import Iterable, Sequence

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import TopicAlreadyExistsError
from kafka.protocol.producer import ProduceRequest
from kafka.structs import OffsetAndMetadata

WAIT_SECONDS = 20


class Cluster:
    """A running cluster, named by its bootstrap address "host:port"."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=WAIT_SECONDS * 1000)
        self._producer = self._new_producer()

    def _new_producer(self) -> KafkaProducer:
        return KafkaProducer(bootstrap_servers=self.bootstrap, request_timeout_ms=WAIT_SECONDS * 1000, linger_ms=0)

    def _renew_producer(self) -> None:
        # A producer learns what has become of a topic only when its metadata grows old.
        self._producer.close(timeout=WAIT_SECONDS)
        self._producer = self._new_producer()

    def close(self) -> None:
        """End its clients; the cluster goes on."""
        self._producer.close(timeout=WAIT_SECONDS)
        self._admin.close()

    def topic(self, *, partitions: int = 1, name: str | None = None, configs: dict[str, str] | None = None) -> str:
        """Create a topic and return its name, a new one unless given, once every partition has a leader."""
        name = name or f"test-{uuid.uuid4().hex}"
        options = {"num_partitions": partitions, "replication_factor": 1, "configs": configs or {}}
        self._admin.create_topics({name: options})
        self._admin.wait_for_topics([name])
        return name

    def produce(
        self,
        topic: str,
        values: Iterable[bytes | None],
        *,
        partition: int = 0,
        timestamp_ms: int | None = None,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> list[int]:
        """Write records to a partition, None being a tombstone; their offsets, once the broker has them."""
        futures = [
            self._producer.send(
                topic,
                value=value,
                key=key if value is not None else key or b"gone",
                headers=list(headers),
                partition=partition,
                timestamp_ms=timestamp_ms,
            )
            for value in values
        ]
        return [future.get(timeout=WAIT_SECONDS).offset for future in futures]

    def transaction(self, topic: str, values: Iterable[bytes], *, commit: bool, partition: int = 0) -> None:
        """Write records in one transaction, and commit or abort it."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, transactional_id=f"test-{uuid.uuid4().hex}")
        try:
            producer.init_transactions()
            producer.begin_transaction()
            for value in values:
                producer.send(topic, value=value, partition=partition)
            producer.flush(timeout=WAIT_SECONDS)
            if commit:
                producer.commit_transaction()
            else:
                producer.abort_transaction()
        finally:
            producer.close(timeout=WAIT_SECONDS)

    def write_batch(self, topic: str, batch: bytes) -> None:
        """Write a batch of format 2 as it is to a topic's partition 0; its offset is the broker's choice."""
        partition = ProduceRequest.TopicProduceData.PartitionProduceData(index=0, records=batch)
        data = [ProduceRequest.TopicProduceData(name=topic, partition_data=[partition])]
        timeout_ms = WAIT_SECONDS * 1000
        request = ProduceRequest(
            transactional_id=None, acks=-1, timeout_ms=timeout_ms, topic_data=data, min_version=7, max_version=9
        )
        answer = self._admin._manager.run(self._admin._manager.send, request)
        (found,) = answer.responses[0].partition_responses
        assert found.error_code == 0, found

    def delete_records(self, topic: str, *, before: int, partition: int = 0) -> None:
        """Let go of all records with a smaller offset, as retention does."""
        self._admin.delete_records({TopicPartition(topic, partition): before})

    def add_partitions(self, topic: str, *, total: int) -> None:
        """Enlarge a topic to so many partitions."""
        self._admin.create_partitions({topic: total})
        self._admin.wait_for_topics([topic])
        self._renew_producer()

    def delete(self, topic: str) -> None:
        """Delete a topic."""
        self._admin.delete_topics([topic])

    def recreate(self, topic: str, *, partitions: int = 1) -> None:
        """Delete a topic and make it anew, as soon as the cluster lets its name go."""
        self.delete(topic)
        end = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                self.topic(name=topic, partitions=partitions)
            except TopicAlreadyExistsError:
                assert time.monotonic() < end, f"{topic} does not go away"
                time.sleep(0.02)
            else:
                break
        self._renew_producer()

    def marks(self, group: str) -> dict[tuple[str, int], str]:
        """What stands beside the offsets that a group has committed."""
        offsets = self._admin.list_group_offsets({group: None})[group]
        return {(at.topic, at.partition): found.metadata for at, found in offsets.items()}

    def commit(self, group: str, topic: str, offset: int) -> None:
        """Set a group's offset as a tool does."""
        self._admin.alter_group_offsets(group, {TopicPartition(topic, 0): OffsetAndMetadata(offset, "", -1)})

    def count(self, topic: str, end: int) -> int:
        """How many records partition 0 holds before an offset."""
        at = TopicPartition(topic, 0)
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False, auto_offset_reset="none")
        try:
            consumer.assign([at])
            consumer.seek(at, 0)
            count = 0
            while consumer.position(at) < end:
                count += sum(map(len, consumer.poll(timeout_ms=200).values()))
            return count
        finally:
            consumer.close()

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """Offsets a group has committed, by (topic, partition)."""
        offsets = self._admin.list_group_offsets({group: None})[group]
        return {(at.topic, at.partition): found.offset for at, found in offsets.items()}
