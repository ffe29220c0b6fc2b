"""One target on a clock set by hand: every answer of a real HTTP receiver has its consequence."""

import threading
from email.utils import formatdate

import pytest

from driftwatch.sinks.attempts import Result
from driftwatch.sinks.courier import redacted
from tests.receiver import Receiver, Reply
from tests.sinks.postroom import HOUR, SECRET, Post
from tests.store.examples import letter


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


@pytest.mark.parametrize(
    "url", ["http://" + "a" * 70 + ".invalid/", "http://a..b/", "http://xn--a/", "http://0251.0376.0251.0376/"]
)
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
