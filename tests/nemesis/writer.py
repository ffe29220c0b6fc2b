"""A producer that knows what it has been told: which events are committed, which are not, and which may be either.

python -m tests.nemesis.writer BOOTSTRAP,… TOPIC SEED writes until its input ends, and then prints what it knows.
"""

import json
import os
import random
import sys
import threading
import time
from collections.abc import Sequence

import numpy as np
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from tests.scenarios import events
from tests.servers.broker import wait_until

STEP_MS, ABORTED, PLAIN = 20, 0.25, 0.3
"""Event time between two events; share of the transactions that are aborted; share of events sent without one."""
RESOLVED_SECONDS, HUNG_SECONDS = 60.0, 40.0


class Writer:
    """Writes events with unique ids from a thread of its own, in transactions and idempotently, until stopped.

    acknowledged: ids in committed transactions or acknowledged sends. aborted: ids in transactions that were aborted.
    unknown: ids of which no answer came. places: "partition@offset" of those that were written.
    Event time rises with every event.
    """

    def __init__(self, bootstrap: Sequence[str], topic: str, *, seed: int, pause_seconds: float = 0.1) -> None:
        self.acknowledged: set[str] = set()
        self.aborted: set[str] = set()
        self.unknown: set[str] = set()
        self.places: dict[str, str] = {}
        self.failures = self.hung = 0
        self._bootstrap, self._topic, self._pause = list(bootstrap), topic, pause_seconds
        self._dice, self._rng, self._written = random.Random(seed), np.random.default_rng(seed), 0
        self._beat, self._stopping = time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer")
        self._thread.start()

    def stop(self) -> None:
        """End after the present transaction."""
        self._stopping.set()
        self._thread.join(2 * HUNG_SECONDS)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        """One life after the other; one that hangs in a call of its client is left to itself."""
        while not self._stopping.is_set():
            self._beat, over = time.monotonic(), threading.Event()
            life = threading.Thread(target=self._live, args=(over,), name="writer's life", daemon=True)
            life.start()
            while life.is_alive() and time.monotonic() - self._beat < HUNG_SECONDS:
                life.join(0.5)
            over.set()
            self.hung += life.is_alive()

    def _live(self, over: threading.Event) -> None:
        producers: list[KafkaProducer] = []
        try:
            producers += [self._producer(), self._producer(transactional_id=f"writer-{self._topic}")]
            producers[1].init_transactions()
            while not (self._stopping.is_set() or over.is_set()):
                self._beat = time.monotonic()
                if self._dice.random() < PLAIN:
                    self._send(producers[0])
                else:
                    self._transact(producers[1])
                self._stopping.wait(self._pause * self._dice.random())
        except Exception:  # noqa: BLE001 - whatever it was
            # What was under way is in `unknown`; a new producer of the same name puts an end to its transaction.
            self.failures += 1
            self._stopping.wait(0.5)
        finally:
            for producer in producers:
                producer.close(timeout=2.0)

    def _producer(self, **options: str) -> KafkaProducer:
        return KafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=5_000,
            delivery_timeout_ms=15_000, max_block_ms=15_000, metadata_max_age_ms=2_000, linger_ms=0,
            compression_type=self._dice.choice([None, "gzip", "zstd"]),
            **({"transaction_timeout_ms": 10_000} | options if options else {}),
        )  # fmt: skip

    def _send(self, producer: KafkaProducer) -> None:
        batch = self._events()
        self.unknown |= batch.keys()
        partitions = sorted(producer.partitions_for(self._topic))
        sent = {name: self._put(producer, value, partitions) for name, value in batch.items()}
        for name, future in sent.items():
            self._note_place(name, future)
            self.acknowledged.add(name)
            self.unknown.discard(name)

    def _transact(self, producer: KafkaProducer) -> None:
        batch = self._events()
        self.unknown |= batch.keys()
        partitions = sorted(producer.partitions_for(self._topic))
        producer.begin_transaction()
        sent = {name: self._put(producer, value, partitions) for name, value in batch.items()}
        for name, future in sent.items():
            self._note_place(name, future)
        if self._dice.random() < ABORTED:
            # Asked for is enough: nobody commits it any more.
            self.aborted |= batch.keys()
            self.unknown -= batch.keys()
            producer.abort_transaction()
        else:
            producer.commit_transaction()
            self.acknowledged |= batch.keys()
            self.unknown -= batch.keys()

    def _note_place(self, name: str, future) -> None:
        written = future.get(timeout=20.0)
        self.places[name] = f"{written.partition}@{written.offset}"

    def _put(self, producer: KafkaProducer, value: bytes, partitions: Sequence[int]):
        return producer.send(self._topic, value=value, partition=self._dice.choice(partitions))

    def _events(self) -> dict[str, bytes]:
        made = {}
        for _ in range(self._dice.randint(1, 40)):
            name = f"n{self._written}"
            document = {
                "model": events.MODEL, "version": "1", "id": name, "time": events.START + self._written * STEP_MS,
                "score": 0.5, "features": events.values(self._rng, drifted=False),
            }  # fmt: skip
            made[name] = json.dumps(document).encode()
            self._written += 1
        return made


def committed_ids(bootstrap: Sequence[str], topic: str) -> list[str]:
    """The ids of all committed events of a topic, as a fresh client reads them once no transaction is open any more."""
    options = {"bootstrap_servers": list(bootstrap), "auto_offset_reset": "none", "enable_auto_commit": False}
    loose, strict = KafkaConsumer(**options), KafkaConsumer(**options, isolation_level="read_committed")
    try:
        places = [TopicPartition(topic, number) for number in sorted(loose.partitions_for_topic(topic))]
        wait_until(
            lambda: loose.end_offsets(places) == strict.end_offsets(places),
            seconds=RESOLVED_SECONDS,
            what="the last transaction to end",
        )
        ends = strict.end_offsets(places)
        strict.assign(places)
        strict.seek_to_beginning()
        found: list[str] = []
        while any(strict.position(place) < ends[place] for place in places):
            for records in strict.poll(timeout_ms=500).values():
                found += [json.loads(record.value)["id"] for record in records]
        return found
    finally:
        loose.close()
        strict.close()


if __name__ == "__main__":
    writer = Writer(sys.argv[1].split(","), sys.argv[2], seed=int(sys.argv[3]))
    sys.stdin.read()
    writer.stop()
    known = {name: sorted(getattr(writer, name)) for name in ("acknowledged", "aborted", "unknown")}
    print(json.dumps(known | {name: getattr(writer, name) for name in ("places", "failures", "hung")}), flush=True)
    # A life that hangs would keep the process, and its sockets, for ever.
    os._exit(0)
