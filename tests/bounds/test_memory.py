"""Memory under ten times the load that can be worked off, with nobody to take the webhooks: 256 MiB hold."""

import time
from typing import NamedTuple

import numpy as np
import pytest

from driftwatch.store.database import Database
from driftwatch.store.inbox import SqliteInbox
from driftwatch.stream.raw import Stream
from tests.bounds.load import MEBIBYTE, Flood, Memory, closed_port, rss_bytes, seconds, smallest
from tests.scenarios import events, world
from tests.scenarios.fixtures import configure, reference
from tests.scenarios.probe import Probe
from tests.scenarios.process import Process
from tests.servers.broker import wait_until

__all__ = ["configure", "reference"]

PROMISE = 256 * MEBIBYTE
GROWTH = 16 * MEBIBYTE
"""More than the median of a flat curve moves by, and a fifth of what one overgrown batch left behind."""
WARMING = 2 * GROWTH
"""In its first half minute a service still climbs to where it stays; that it stays there the soak shows."""
BACKLOG_SECONDS = 300.0
"""A queue full of refused events of three bytes takes long."""
SOAK_SECONDS = "DRIFTWATCH_SOAK_SECONDS"
INBOX = f"{world.HTTP}max_inbox_bytes = {24 * MEBIBYTE}\n"
WAITING = 24
"""Bodies of 40 000 events; together they are not as large as one batch of the queue may be."""


class Overload(NamedTuple):
    """What a flood came to; offered and counted: events, until its end."""

    memory: Memory
    flood: Flood
    offered: int
    counted: float

    def report(self, every_seconds: float) -> str:
        """The curve of the memory in MiB, and the figures."""
        curve = self.memory.curve(every_seconds)
        return (
            f"RSS {curve}; grown by {self.memory.growth / MEBIBYTE:.1f} MiB; "
            f"offered {self.offered}, counted {self.counted}, answers {dict(self.flood.answers)}"
        )


def overload(configure, tmp_path, *, lasting_seconds: float) -> Overload:
    """Run a service under the flood; afterwards it takes events and stops as always."""
    secret = tmp_path / "secret"
    secret.write_text("whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0", encoding="utf-8")
    with closed_port() as port:
        target = world.webhook(f"http://127.0.0.1:{port}/hook", secret, actions=["retrain", "notify"])
        path = configure(sources=INBOX, targets=target)
        with Process(path) as process:
            owe_a_webhook(process.port())
            with Memory(process.pid) as memory, Flood(process.port()) as flood:
                time.sleep(lasting_seconds)
                with Probe(process.port()) as probe:
                    counted = sum(probe.metrics().results().values())
                offered = flood.offered
            outcome = Overload(memory, flood, offered, counted)
            print(f"under the flood: {outcome.report(max(1, lasting_seconds // 20))}")
            with Probe(process.port()) as probe:
                assert probe.metrics().total("deliveries_pending") > 0
                survives(probe)
            assert rss_bytes(process.pid, key="VmHWM") <= PROMISE
            assert process.terminate() == 0, process.log()
    return outcome


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

    assert outcome.offered >= 10 * outcome.counted > 0
    assert outcome.flood.answers[503] > 0
    assert outcome.memory.growth <= WARMING


def test_memory_while_millions_of_the_smallest_events_are_worked_off(configure, tmp_path):
    """Where large bodies find no room small ones do, until nothing else waits: each of them costs a hundredfold."""
    path, body = configure(), smallest()
    database = Database(tmp_path / "state")
    inbox = SqliteInbox(database)
    for _ in range(WAITING):
        inbox.append(Stream.PREDICTIONS, body.data, received_ms=0)
    database.close()

    with Process(path) as process, Probe(process.port()) as probe:
        wait_until(
            lambda: sum(probe.metrics().results().values()) == WAITING * body.count,
            seconds=BACKLOG_SECONDS,
            what="all of them to be counted",
        )
        assert rss_bytes(process.pid, key="VmHWM") <= PROMISE * 3 // 4
        assert process.terminate() == 0, process.log()


@pytest.mark.soak
def test_memory_stays_flat(configure, tmp_path):
    """The same for ten minutes, the curve of every thirty seconds printed: it does not rise."""
    lasting_seconds = seconds(SOAK_SECONDS, default=600)
    outcome = overload(configure, tmp_path, lasting_seconds=lasting_seconds)

    assert outcome.memory.growth <= GROWTH
