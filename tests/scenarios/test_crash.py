"""SIGKILL in the middle of everything: what was answered 200 is counted once, and so are the webhooks."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from driftwatch.evaluation.events import EventType, webhook_id
from driftwatch.evaluation.groups import grouped
from tests.receiver import Receiver
from tests.scenarios import events, world
from tests.scenarios.journal import assert_same, last_words
from tests.scenarios.probe import WAIT_SECONDS, Probe, running
from tests.scenarios.process import Process
from tests.servers.broker import wait_until

KILLS = (0.3, 0.7)
"""How much of the stream has been answered when the process is killed."""


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def target(receiver, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0", encoding="utf-8")
    return world.webhook(receiver.url, secret, actions=["retrain", "notify"])


class Poster:
    """Posts bodies from a thread of its own until all are answered or the service is gone."""

    def __init__(self, port: int, bodies: Sequence[bytes]) -> None:
        self.answered = 0
        self._port, self._bodies = port, bodies
        self._thread = threading.Thread(target=self._run, name="poster")
        self._thread.start()

    def join(self) -> None:
        """Return once it has ended."""
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        with Probe(self._port) as probe:
            for body in self._bodies:
                try:
                    probe.post(body)
                except httpx.TransportError:
                    return
                self.answered += 1


def bodies_stored(state: Path) -> int:
    """How many bodies the inbox has ever taken: its sequence numbers have no holes."""
    connection = sqlite3.connect(f"file:{state / 'driftwatch.db'}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'inbox'").fetchall()
    finally:
        connection.close()
    return rows[0][0] if rows else 0


def check_outcome(path: Path, expected, receiver: Receiver) -> None:
    """After the last events: reports and alerts are those of a replay, and every webhook has come under its one id."""
    reports, summary = expected
    with running(path) as (service, probe):
        service.finish(timeout_seconds=WAIT_SECONDS)
        listed, alerts, incidents = (probe.listing(what) for what in ("reports", "alerts", "incidents"))
        probe.wait(lambda: service.letters_waiting() == 0, "the last webhook")
        letters = probe.listing("deliveries")
    assert_same(last_words(listed), last_words(report.document() for report in reports))
    last_states = {step.alert_id: step.state.value for step in summary.transitions}
    assert {alert["id"]: alert["state"] for alert in alerts} == last_states
    told = [each for each in grouped(summary.transitions, reports) if each.lead.step.state in {"firing", "resolved"}]
    turns = [letter for letter in letters if letter["type"].startswith("driftwatch.incident.")]
    assert Counter(letter["id"] for letter in letters if letter not in turns) == Counter(
        webhook_id(each, "trainer") for each in told
    )
    assert sorted(letter["incident"] for letter in turns if letter["type"] == EventType.RECOVERED) == sorted(
        incident["id"] for incident in incidents if incident["state"] == "recovered"
    )
    assert {request.headers["webhook-id"] for request in receiver.received} == {letter["id"] for letter in letters}


def test_nothing_posted_is_lost_or_counted_twice(stream, expected, configure, receiver, target):
    """The service is killed twice while events are being posted; only an unanswered body has to be asked after."""
    path = configure(targets=target)
    bodies, done = events.portions(stream.lines, most=40), 0
    for share in KILLS:
        with Process(path) as process:
            poster = Poster(process.port(), bodies[done:])
            wait_until(
                lambda: done + poster.answered >= share * len(bodies),  # noqa: B023 - waited for at once
                seconds=WAIT_SECONDS,
                what="enough answers",
            )
            process.kill()
            poster.join()
        stored = bodies_stored(path.with_suffix(""))
        assert stored - (done + poster.answered) in {0, 1}
        done = stored
    with Process(path) as process, Probe(process.port()) as probe:
        for body in bodies[done:]:
            probe.post(body)
        metrics = probe.wait_counted(len(stream.lines))
        assert process.terminate() == 0
    assert metrics.results() == stream.results()
    assert metrics.reasons() == stream.rejected
    check_outcome(path, expected, receiver)


@pytest.mark.kafka
def test_nothing_read_from_kafka_is_lost_or_counted_twice(stream, expected, configure, receiver, target, kafka):
    """Killed before a checkpoint, the service reads again what it had not saved, and only that."""
    topic = kafka.topic()
    path = configure(targets=target, sources=world.kafka(kafka.bootstrap, topic, topic))
    done = 0
    for share in (*KILLS, 1.0):
        stop = round(share * len(stream.lines))
        kafka.produce(topic, stream.lines[done:stop])
        with Process(path) as process, Probe(process.port()) as probe:
            # Counted, and with luck not saved yet: whatever the moment, the sums below must hold.
            metrics = probe.wait_counted(done + 1 if share < 1 else stop)
            if share < 1:
                process.kill()
            else:
                assert process.terminate() == 0
        done = stop
    assert metrics.results() == stream.results()
    assert metrics.reasons() == stream.rejected
    check_outcome(path, expected, receiver)
