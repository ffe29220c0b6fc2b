"""A source in a process of its own, with short time-outs, that prints every record it takes: to be stopped and resumed.

python -m tests.sources.frozen_reader BOOTSTRAP TOPIC
"""

import sys
import threading
import warnings
from collections.abc import Collection
from typing import Any

from driftwatch.sources.kafka import KafkaSource
from driftwatch.sources.kafka_spec import KafkaSpec
from driftwatch.stream.raw import Raw, Stream

TIMEOUT_MS = 1_000


class Printer:
    """An Inlet that prints."""

    def offer(self, raw: Raw, *, timeout_seconds: float) -> bool:  # noqa: ARG002 - a printer never waits
        for record in raw.records:
            print(record.decode(), flush=True)
        return True

    def announce(self, stream: Stream, partitions: Collection[str]) -> None:
        """Nobody waits for partitions here."""


class Impatient(KafkaSpec):
    """Every wait is short, so that a few seconds are longer than all of them."""

    def settings(self) -> dict[str, Any]:
        return super().settings() | {
            "request_timeout_ms": TIMEOUT_MS,
            "fetch_max_wait_ms": 200,
            "connections_max_idle_ms": 2 * TIMEOUT_MS,
            "metadata_max_age_ms": TIMEOUT_MS,
        }


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)
    spec = Impatient(type="kafka", brokers=[sys.argv[1]], group=sys.argv[2], predictions=[sys.argv[2]])
    KafkaSource(spec, clock=lambda: 0).start(Printer(), {})
    threading.Event().wait()
