"""Delivery by threads: woken by a checkpoint, stopped promptly, and no target waits for another."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from driftwatch.errors import StateError
from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Result
from driftwatch.sinks.breaker import Circuit
from driftwatch.sinks.delivery import Delivery
from driftwatch.sinks.targets.webhook import Webhook
from driftwatch.store.outbox import SqliteOutbox
from tests.receiver import Receiver, Reply
from tests.sinks.postroom import SECRET, Post
from tests.store.examples import letter


@pytest.fixture
def running(post: Post) -> Iterator[Callable[..., Delivery]]:
    """Start delivery to some targets on the real clock, and stop it in the end."""
    started: list[Delivery] = []

    def start(*targets: Webhook, **options: Any) -> Delivery:
        real = {"clock": lambda: round(time.time() * 1000), "dice": lambda: 0.0}
        started.append(Delivery(post.outbox, targets, **real, **options))
        started[-1].start()
        return started[-1]

    yield start
    for delivery in started:
        assert delivery.stop(timeout_seconds=30)


def test_a_checkpoint_wakes_delivery(post: Post, running: Callable[..., Delivery]) -> None:
    """Letters go out when they are announced, without waiting for a poll."""
    with Receiver() as receiver:
        delivery = running(post.target(receiver.url))
        for n in range(5):
            post.put(letter(f"m{n}", alert_id=f"a{n}"))
            delivery.wake()
            receiver.wait(n + 1)
        assert delivery.stop(timeout_seconds=30)

    assert delivery.counts()["trainer", Result.DELIVERED] == 5
    assert post.outbox.pending() == {}


def test_a_bad_target_blocks_nobody(post: Post, running: Callable[..., Delivery]) -> None:
    """While one target does not answer, another one gets its letters; both count for themselves."""
    release = threading.Event()
    with Receiver(Reply(after=release)) as slow, Receiver() as quick:
        post.put(letter("s", target="slow"), *(letter(f"q{n}", target="quick") for n in range(3)))
        delivery = running(post.target(slow.url, name="slow"), post.target(quick.url, name="quick"))
        slow.wait(1)
        quick.wait(3)
        unfinished = post.outbox.pending()["slow"][0]
        release.set()
        assert delivery.stop(timeout_seconds=30)

    assert unfinished == 1
    assert set(delivery.counts()) == {(target, result) for target in ("slow", "quick") for result in Result}
    assert delivery.counts()["slow", Result.DELIVERED] == 1
    assert delivery.circuits() == {"slow": Circuit.CLOSED, "quick": Circuit.CLOSED}


def test_stop_does_not_wait_for_a_slow_target(post: Post, running: Callable[..., Delivery]) -> None:
    """Stopping returns when its time is over, and says that an attempt is still under way."""
    release = threading.Event()
    with Receiver(Reply(after=release)) as receiver:
        post.put(letter())
        delivery = running(post.target(receiver.url))
        receiver.wait(1)
        began = time.monotonic()
        ended = delivery.stop(timeout_seconds=0.05)
        took = time.monotonic() - began
        release.set()

    assert not ended
    assert took < 5


def test_stop_before_start(post: Post) -> None:
    """A service that failed to start can still be stopped."""
    assert Delivery(post.outbox, [post.target("http://trainer/")], clock=post.clock, dice=lambda: 0.0).stop()


class FullDisk(SqliteOutbox):
    """An outbox that cannot record until told otherwise."""

    full = True

    def delivered(self, letter: Letter, *, now_ms: int, result: str) -> None:
        if self.full:
            self.full = False
            raise StateError("driftwatch.db: database or disk is full")
        super().delivered(letter, now_ms=now_ms, result=result)


def test_an_outcome_that_cannot_be_saved(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delivery goes on: the letter is sent again, later, under the same id."""
    outbox = FullDisk(post.store._database)
    post.put(letter())
    with Receiver() as receiver, structlog.testing.capture_logs() as logs:
        delivery = Delivery(outbox, [post.target(receiver.url)], clock=post.clock, dice=lambda: 0.0)
        courier = delivery._couriers["trainer"]
        tried = [delivery._deliver("trainer", courier), delivery._deliver("trainer", courier)]
        post.now_ms += 10_000
        tried.append(delivery._deliver("trainer", courier))
        assert delivery.stop()

    assert tried == [False, False, True]
    assert [request.headers["webhook-id"] for request in receiver.received] == ["msg_1", "msg_1"]
    assert "delivery could not be recorded; it will be repeated" in {entry["event"] for entry in logs}


def test_logs_show_no_secret(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    """Neither credentials nor the query of an address nor the signing secret are in any log line."""
    post.put(letter())
    with Receiver(Reply(500)) as receiver, structlog.testing.capture_logs() as logs, caplog.at_level("INFO"):
        url = receiver.url.replace("://", "://user:hunter2@") + "?token=hunter2"
        delivery = Delivery(post.outbox, [post.target(url)], clock=post.clock, dice=lambda: 0.0)
        delivery.start()
        receiver.wait(1)
        assert delivery.stop(timeout_seconds=30)

    assert receiver.received[0].headers["authorization"].startswith("Basic ")
    (attempt,) = [entry for entry in logs if entry["event"] == "delivery attempt"]
    assert (attempt["url"], attempt["result"], attempt["detail"]) == (receiver.url, "http_error", "HTTP 500")
    assert "hunter2" not in caplog.text + repr(logs)
    assert SECRET not in caplog.text + repr(logs)
