"""Memory under ten times the load that can be worked off, with nobody to take the webhooks: 256 MiB hold."""

import time
from typing import NamedTuple

import numpy as np
import pytest

from tests.bounds.load import MEBIBYTE, Flood, Memory, closed_port, rss_bytes, seconds
from tests.scenarios import events, world
from tests.scenarios.fixtures import configure, reference
from tests.scenarios.probe import Probe
from tests.scenarios.process import Process
from tests.servers.broker import wait_until

__all__ = ["configure", "reference"]

PROMISE = 256 * MEBIBYTE
BACKLOG_SECONDS = 300.0
"""A queue full of refused events of three bytes takes long."""
SOAK_SECONDS = "DRIFTWATCH_SOAK_SECONDS"
SMALL_INBOX = world.HTTP + f"max_inbox_bytes = {24 * MEBIBYTE}\n"


class Overload(NamedTuple):
    """What a flood came to; offered and counted: events, until its end."""

    memory: Memory
    flood: Flood
    offered: int
    counted: float

    def report(self, every_seconds: float) -> str:
        """The curve of the memory in MiB, and the figures."""
        curve = self.memory.curve(every_seconds)
        return f"RSS {curve}; offered {self.offered}, counted {self.counted}, answers {dict(self.flood.answers)}"


def overload(configure, tmp_path, *, lasting_seconds: float) -> Overload:
    """Run a service under the flood; afterwards it takes events and stops as always."""
    secret = tmp_path / "secret"
    secret.write_text("whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0", encoding="utf-8")
    with closed_port() as port:
        target = world.webhook(f"http://127.0.0.1:{port}/hook", secret, actions=["retrain", "notify"])
        path = configure(sources=SMALL_INBOX, targets=target)
        with Process(path) as process:
            with Memory(process.pid) as memory:
                owe_a_webhook(process.port())
                with Flood(process.port()) as flood:
                    time.sleep(lasting_seconds)
                    with Probe(process.port()) as probe:
                        counted = sum(probe.metrics().results().values())
                    offered = flood.offered
                print(f"after the flood: {memory.curve(10)}, offered {offered}, counted {counted}")
                with Probe(process.port()) as probe:
                    assert probe.metrics().total("deliveries_pending") > 0
                    survives(probe)
            assert rss_bytes(process.pid, key="VmHWM") <= PROMISE
            assert process.terminate() == 0, process.log()
    return Overload(memory, flood, offered, counted)


def owe_a_webhook(port: int) -> None:
    """A drift fires an alert, and its webhook finds nobody."""
    lines = events.calm_then_drifted(hours=6, drifted=range(2, 4))
    with Probe(port) as probe:
        for start in range(0, len(lines), 300):
            probe.post(b"\n".join(lines[start : start + 300]))
        probe.wait(lambda: probe.metrics().total("deliveries_pending") > 0, "a webhook that cannot be delivered")


def survives(probe: Probe) -> None:
    """After the flood good events are taken and counted as before."""
    wait_until(
        lambda: probe.metrics().total("queue_records") == 0, seconds=BACKLOG_SECONDS, what="the queue to be worked off"
    )
    body = events.event(np.random.default_rng(99), events.START, version="1")
    before = sum(probe.metrics().results().values())
    probe.wait(lambda: probe.request("/v1/predictions", body).status_code == 200, "room in the inbox")
    probe.wait_counted(int(before) + 1)


def test_memory_under_ten_times_the_load(configure, tmp_path):
    """Bodies at their limits, compression bombs, readers that do not read, and webhooks that go nowhere."""
    outcome = overload(configure, tmp_path, lasting_seconds=12)

    print(outcome.report(1))
    assert outcome.offered >= 10 * outcome.counted > 0
    assert outcome.flood.answers[503] > 0
    assert outcome.memory.greatest <= PROMISE


@pytest.mark.soak
def test_memory_stays_flat(configure, tmp_path):
    """The same for ten minutes: the last third is no higher than the second."""
    outcome = overload(configure, tmp_path, lasting_seconds=seconds(SOAK_SECONDS, default=600))

    print(outcome.report(10))
    sizes = [size for _, size in outcome.memory.samples]
    third = len(sizes) // 3
    assert max(sizes[-third:]) <= max(sizes[third : 2 * third]) * 1.1
    assert outcome.memory.greatest <= PROMISE
