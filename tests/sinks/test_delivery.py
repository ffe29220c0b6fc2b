"""Delivery to real HTTP receivers: every answer has its consequence, and no target waits for another."""

import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from driftwatch.errors import StateError
from driftwatch.ports import Letter, Query
from driftwatch.sinks.attempts import Result
from driftwatch.sinks.courier import Courier, redacted
from driftwatch.sinks.delivery import Delivery
from driftwatch.sinks.targets.webhook import Webhook, WebhookSpec
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.history import SqliteHistory
from driftwatch.store.outbox import SqliteOutbox
from tests.receiver import Receiver, Reply
from tests.store.examples import checkpoint, letter

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOUR = 3_600_000


class Post:
    """An outbox on disk, a clock that is set by hand, and couriers on demand."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        # Receivers compare a signature's time with their own clock, so this one begins at the real time.
        self.now_ms = round(time.time() * 1000)
        self.clients: list[httpx.Client] = []
        self.open()

    def open(self) -> None:
        """Open the state directory; a second time it is a restart."""
        database = Database(self.directory)
        self.store, self.outbox, self.history = SqliteStore(database), SqliteOutbox(database), SqliteHistory(database)

    def restart(self) -> None:
        self.store.close()
        self.open()

    def clock(self) -> int:
        return self.now_ms

    def put(self, *letters: Letter) -> None:
        self.store.save(checkpoint(letters=letters))

    def target(self, url: str, **changes: Any) -> Webhook:
        secret = self.directory / "secret"
        secret.write_text(SECRET)
        return Webhook(
            WebhookSpec.model_validate({"name": "trainer", "url": url, "secret_file": str(secret)} | changes)
        )

    def courier(self, url: str, **changes: Any) -> Courier:
        self.clients.append(httpx.Client(trust_env=False))
        target = self.target(url, **changes)
        return Courier(target, self.outbox, client=self.clients[-1], clock=self.clock, dice=lambda: 0.0)

    def next_in_ms(self) -> int:
        """Tell in how long the oldest letter is due again."""
        (due,) = self.outbox.due("trainer", self.now_ms * 2, limit=1)
        return due.next_ms - self.now_ms

    def states(self) -> dict[str, str]:
        return {item["id"]: item["state"] for item in self.history.deliveries(Query()).items}


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    opened = Post(tmp_path)
    yield opened
    for client in opened.clients:
        client.close()
    opened.store.close()


def test_a_letter_is_delivered_once(post: Post) -> None:
    """2xx ends it; the receiver can verify what came."""
    post.put(letter(body=b'{"type":"driftwatch.retrain.requested"}'))
    with Receiver() as receiver:
        courier = post.courier(receiver.url)
        results = [courier.deliver_once(), courier.deliver_once()]

    (request,) = receiver.received
    assert results == [Result.DELIVERED, None]
    assert request.verified(SECRET) == {"type": "driftwatch.retrain.requested"}
    assert (request.path, request.headers["webhook-id"]) == ("/hook", "msg_1")
    assert post.states() == {"msg_1": "delivered"}


@pytest.mark.parametrize(
    ("status", "result", "wait_ms"),
    [
        (302, Result.REFUSED_REDIRECT, 5_000),
        (400, Result.HTTP_ERROR, 5_000),
        (404, Result.HTTP_ERROR, 5_000),
        (500, Result.HTTP_ERROR, 5_000),
        (429, Result.THROTTLED, 5_000),
        (503, Result.THROTTLED, 5_000),
    ],
)
def test_failures_are_retried(post: Post, status: int, result: Result, wait_ms: int) -> None:
    """Each failure has its name, and the letter comes again under the same id, signed anew."""
    post.put(letter(body=b"{}"))
    with Receiver(Reply(status, {"location": "http://127.0.0.1:1/elsewhere"}), Reply()) as receiver:
        courier = post.courier(receiver.url)
        first = courier.deliver_once()
        waited = post.next_in_ms()
        too_early = courier.deliver_once()
        post.now_ms += wait_ms
        last = courier.deliver_once()

    assert (first, waited, too_early, last) == (result, wait_ms, None, Result.DELIVERED)
    assert {request.headers["webhook-id"] for request in receiver.received} == {"msg_1"}
    assert [request.verified(SECRET) for request in receiver.received] == [{}, {}]
    assert courier.counts == dict.fromkeys(Result, 0) | {result: 1, Result.DELIVERED: 1}


def test_gone_disables_the_target(post: Post) -> None:
    """410: this letter is dead, nothing more is sent, later letters are kept."""
    post.put(letter("first"), letter("second", alert_id="a2"))
    with Receiver(Reply(410)) as receiver:
        courier = post.courier(receiver.url)
        results = [courier.deliver_once(), courier.deliver_once()]
        post.now_ms += 200 * HOUR
        results.append(courier.deliver_once())

    assert (results, courier.disabled, len(receiver.received)) == ([Result.GONE, None, None], True, 1)
    assert post.states() == {"first": "dead", "second": "pending"}


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_throttles_the_target(post: Post, as_date: bool) -> None:  # noqa: FBT001 - one of two spellings
    """A target that asks for an hour gets it, for all its letters."""
    post.put(letter("first"), letter("second", alert_id="a2"))
    post.now_ms -= post.now_ms % 1000
    asked = formatdate(post.now_ms / 1000 + 3600, usegmt=True) if as_date else "3600"
    with Receiver(Reply(429, {"retry-after": asked}), Reply()) as receiver:
        courier = post.courier(receiver.url)
        first, held = courier.deliver_once(), courier.deliver_once()
        post.now_ms += HOUR - 1
        still_held = courier.deliver_once()
        post.now_ms += 1
        later = [courier.deliver_once() for _ in range(3)]

    assert (first, held, still_held) == (Result.THROTTLED, None, None)
    assert later == [Result.DELIVERED, Result.DELIVERED, None]
    assert len(receiver.received) == 3


def test_a_target_that_stays_busy_is_asked_less_often(post: Post) -> None:
    """Throttled answers in a row hold the target twice as long each time, a success ends that."""
    post.put(*(letter(f"m{n}", alert_id=f"a{n}") for n in range(6)))
    with Receiver(Reply(503), Reply(503), Reply(503), Reply(), Reply(503)) as receiver:
        courier = post.courier(receiver.url)
        holds = []
        for _ in range(5):
            courier.deliver_once()
            holds.append(courier._held_until_ms - post.now_ms)
            post.now_ms = max(post.now_ms, courier._held_until_ms)

    assert holds == [5_000, 10_000, 20_000, 0, 5_000]


def test_a_refused_connection(post: Post) -> None:
    """Nobody listens: retried."""
    with Receiver() as receiver:
        url = receiver.url
    post.put(letter())

    assert post.courier(url).deliver_once() is Result.CONNECTION_FAILED
    assert post.next_in_ms() == 5_000


@pytest.mark.parametrize("url", ["http://" + "a" * 70 + ".invalid/", "http://a..b/", "http://xn--a/"])
def test_a_host_name_that_cannot_be(post: Post, url: str) -> None:
    """A name that no resolver takes is a failed connection, not a crash."""
    post.put(letter())

    assert post.courier(url).deliver_once() is Result.CONNECTION_FAILED


def test_a_slow_target(post: Post) -> None:
    """Its time is bounded: retried."""
    release = threading.Event()
    post.put(letter())
    with Receiver(Reply(after=release)) as receiver:
        result = post.courier(receiver.url, timeout="50ms").deliver_once()
        release.set()

    assert result is Result.TIMEOUT
    assert post.next_in_ms() == 5_000


def test_a_missing_secret(post: Post) -> None:
    """Nothing unsigned is sent; when the secret is there, the letter goes."""
    post.put(letter())
    with Receiver() as receiver:
        courier = post.courier(receiver.url, secret_file=str(post.directory / "later"))
        first = courier.deliver_once()
        (post.directory / "later").write_text(SECRET)
        post.now_ms += 5_000
        second = courier.deliver_once()

    assert (first, second, len(receiver.received)) == (Result.SECRET_UNREADABLE, Result.DELIVERED, 1)


def test_the_same_id_after_a_restart(post: Post) -> None:
    """The schedule goes on where it stood, under the same id."""
    post.put(letter())
    with Receiver(Reply(500), Reply(500), Reply()) as receiver:
        post.courier(receiver.url).deliver_once()
        post.restart()
        post.put(letter(body=b"another body of a replay"))
        post.now_ms += 5_000
        post.courier(receiver.url).deliver_once()
        waited = post.next_in_ms()
        post.now_ms += waited
        last = post.courier(receiver.url).deliver_once()

    assert (waited, last) == (300_000, Result.DELIVERED)
    assert {(request.headers["webhook-id"], request.body) for request in receiver.received} == {
        ("msg_1", letter().body)
    }


def test_an_alerts_letters_arrive_in_order(post: Post) -> None:
    """An alert's end waits for its beginning through all retries, while other alerts go on."""
    post.put(letter("firing"), letter("resolved"), letter("other", alert_id="a2"))
    with Receiver(Reply(500), Reply()) as receiver:
        courier = post.courier(receiver.url)
        for _ in range(4):
            while courier.deliver_once() is not None:
                continue
            post.now_ms += 5_000

    assert [request.headers["webhook-id"] for request in receiver.received] == ["firing", "other", "firing", "resolved"]


@pytest.fixture
def running(post: Post, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Delivery]]:
    """Start delivery to some targets on the real clock, and stop it in the end."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
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
    told: list[tuple[str, Result]] = []
    with Receiver() as receiver:
        delivery = running(post.target(receiver.url), attempted=lambda *pair: told.append(pair))
        for n in range(5):
            post.put(letter(f"m{n}", alert_id=f"a{n}"))
            delivery.wake()
            receiver.wait(n + 1)
        assert delivery.stop(timeout_seconds=30)

    assert delivery.counts()["trainer", Result.DELIVERED] == 5
    assert told == [("trainer", Result.DELIVERED)] * 5
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


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@host:8443/path?q=1#f", "https://host:8443/path"),
        ("http://user@[::1]:80/", "http://[::1]:80/"),
        ("http://host", "http://host"),
    ],
)
def test_redacted(url: str, shown: str) -> None:
    """Scheme, host, port and path remain."""
    assert redacted(url) == shown
