"""What tests of sources share."""

from collections.abc import Iterator
from typing import Any

import pytest

from driftwatch.ports.streams import Source
from driftwatch.sources.kafka import KafkaSource
from driftwatch.sources.kafka_spec import KafkaSpec
from tests.fakes import FakeInlet
from tests.sources.rigs import RECEIVED_MS


@pytest.fixture
def start() -> Iterator:
    """Start a source on topics of a broker; whatever was started is stopped at the end."""
    started: list[Source] = []

    def start(
        bootstrap: str, inlet: FakeInlet, positions: dict[str, int] | None = None, *, owner: str = "", **options: Any
    ) -> Source:
        spec = KafkaSpec(type="kafka", brokers=[bootstrap], **({"discover": "200ms"} | options))
        started.append(KafkaSource(spec, clock=lambda: RECEIVED_MS, owner=owner))
        started[-1].start(inlet, positions or {})
        return started[-1]

    yield start
    while started:
        started.pop().stop()
