"""What receivers do wrong, on real sockets, and what each comes to: the result, the letter, the target, the circuit."""

import gzip
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer, Result
from driftwatch.sinks.breaker import FAILURES, Circuit
from driftwatch.sinks.courier import Courier
from driftwatch.sinks.exchange import Exchange
from driftwatch.sinks.targets.target import MAX_REPLY_BYTES, Ask, Reply, Request
from driftwatch.sinks.targets.webhook import Webhook
from tests.servers.certificates import Authority
from tests.servers.faulty import Faulty, Line, Script, server_tls
from tests.sinks.postroom import Post
from tests.store.examples import letter

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
QUICK, PATIENT = "250ms", "20s"


def answers(data: bytes) -> Script:
    """Take the request and answer this."""

    def script(line: Line) -> None:
        line.request()
        line.say(data)

    return script


def says(status: str, *headers: str) -> Script:
    return answers("\r\n".join([f"HTTP/1.1 {status}", "content-length: 0", *headers, "", ""]).encode())


def drips(before: bytes, data: bytes) -> Script:
    def script(line: Line) -> None:
        line.request()
        line.say(before)
        line.drip(data)

    return script


def pours(before: bytes, data: bytes) -> Script:
    def script(line: Line) -> None:
        line.request()
        line.say(before)
        line.pour(data)

    return script


def resets(line: Line) -> None:
    line.peer.recv(1)
    line.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def closes(_: Line) -> None:
    """Hang up at once."""


def half_closes(line: Line) -> None:
    line.request()
    line.peer.shutdown(socket.SHUT_WR)
    line.hang()


def half_closes_after(line: Line) -> None:
    line.request()
    line.say(OK)
    line.peer.shutdown(socket.SHUT_WR)
    line.hang()


class Reading(Webhook):
    """A webhook whose reply's body is read."""

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        self.reply: Reply = ask(replace(self.request(letter, now_ms=now_ms), reads=True))
        return self.reply.judged(now_ms=now_ms)


@dataclass(frozen=True)
class Case:
    """script: what the receiver does. reads: whether the body is read. down: whether it opens the circuit."""

    name: str
    script: Script
    result: Result
    down: bool = False
    reads: bool = False
    timeout: str = PATIENT
    connections: int = FAILURES
    state: str = "pending"


DOWN: dict[str, Any] = {"down": True}
FAILED, LATE = Result.CONNECTION_FAILED, Result.TIMEOUT
CASES = [
    Case("reset", resets, FAILED, **DOWN),
    Case("closed at once", closes, FAILED, **DOWN),
    Case("half-closed without an answer", half_closes, FAILED, **DOWN),
    Case("half-closed after the answer", half_closes_after, Result.DELIVERED, state="delivered"),
    Case("no answer", Line.hang, LATE, timeout=QUICK, **DOWN),
    Case("slow headers", drips(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"), LATE, timeout=QUICK, **DOWN),
    Case("slow body", drips(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", b"x"), LATE, reads=True,
         timeout=QUICK, **DOWN),
    Case("slow body that nobody reads", drips(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", b"x"),
         Result.DELIVERED, state="delivered"),
    Case("slow chunks", drips(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), LATE,
         reads=True, timeout=QUICK, **DOWN),
    Case("100, then 200", answers(b"HTTP/1.1 100 Continue\r\n\r\n" + OK), Result.DELIVERED, state="delivered"),
    Case("103, then 200", answers(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + OK), Result.DELIVERED,
         state="delivered"),
    Case("100 for ever", drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), LATE, timeout=QUICK, **DOWN),
    Case("101", answers(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"), FAILED,
         **DOWN),
    *(Case(f"{status}", says(f"{status} x", "location: http://127.0.0.1:1/elsewhere"), Result.REFUSED_REDIRECT)
      for status in (301, 302, 303, 307, 308)),
    *(Case(f"{status}", says(f"{status} x"), Result.HTTP_ERROR) for status in (400, 401, 403, 404, 413, 422)),
    Case("410", says("410 Gone"), Result.GONE, connections=1, state="dead"),
    Case("429", says("429 x"), Result.THROTTLED, **DOWN),
    Case("429 with seconds", says("429 x", "retry-after: 7"), Result.THROTTLED, **DOWN),
    Case("429 with a date", says("429 x", f"retry-after: {formatdate(time.time() + 3600, usegmt=True)}"),
         Result.THROTTLED, **DOWN),
    *(Case(f"{status}", says(f"{status} x"), Result.HTTP_ERROR, **DOWN) for status in (500, 501, 507)),
    *(Case(f"{status}", says(f"{status} x"), Result.THROTTLED, **DOWN) for status in (502, 503, 504)),
    Case("huge body", pours(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", b"x" * 65_536),
         Result.DELIVERED, reads=True, state="delivered"),
    Case("huge body that nobody reads", pours(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
                                              b"x" * 65_536), Result.DELIVERED, state="delivered"),
    Case("body without end", pours(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536), Result.DELIVERED, reads=True,
         state="delivered"),
    Case("content-length too long", answers(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort"), FAILED,
         reads=True, **DOWN),
    Case("content-length too long for a body that nobody reads",
         answers(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort"), Result.DELIVERED, state="delivered"),
    Case("content-length too short", answers(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nlonger"),
         Result.DELIVERED, reads=True, state="delivered"),
    Case("content-length no number", answers(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"), FAILED, **DOWN),
    Case("two content-lengths", answers(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx"),
         FAILED, **DOWN),
    Case("no gzip", answers(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nxyz"), FAILED,
         reads=True, **DOWN),
    Case("garbage", answers(b"SSH-2.0-OpenSSH_9.6\r\n"), FAILED, **DOWN),
    Case("binary garbage", answers(bytes(range(256)) * 10), FAILED, **DOWN),
    Case("one endless header", pours(b"HTTP/1.1 200 OK\r\nx: ", b"y" * 65_536), FAILED, **DOWN),
    Case("endless headers", pours(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 10_000), FAILED, **DOWN),
]  # fmt: skip


def exhaust(post: Post, courier: Courier) -> list[Result | None]:
    """Attempt as often as opens a circuit, each time when the letter is due."""
    results = []
    for _ in range(FAILURES):
        results.append(courier.deliver_once())
        if post.states()["msg_1"] != "pending" or courier.disabled:
            break
        if len(results) < FAILURES:
            post.now_ms += post.next_in_ms()
    return results


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_receivers_fault(post: Post, case: Case) -> None:
    """Each fault has one result; the letter waits, is delivered or dead; what is down opens its circuit."""
    post.put(letter())
    with Faulty(case.script) as receiver:
        webhook = post.target(receiver.url, timeout=case.timeout)
        target = Reading(webhook.spec) if case.reads else webhook
        courier = Courier(
            target, post.outbox, ask=Exchange(webhook.spec).ask, clock=post.clock, dice=lambda: 0.0
        )  # fmt: skip
        began = time.monotonic()
        results = exhaust(post, courier)
        took = time.monotonic() - began

    assert set(results) == {case.result}
    assert receiver.connections == len(results) == (case.connections if case.state == "pending" else 1)
    assert post.states() == {"msg_1": case.state}
    assert courier.disabled is (case.result is Result.GONE)
    assert courier.circuit() is (Circuit.OPEN if case.down else Circuit.CLOSED)
    if case.timeout is QUICK:
        assert took < 0.25 * FAILURES + 2, "a slow receiver holds the thread no longer than the time-out"


def test_a_refused_connection(post: Post) -> None:
    """Nobody listens: the target is down."""
    with Faulty(closes) as receiver:
        url = receiver.url
    post.put(letter())
    courier = post.courier(url)

    assert set(exhaust(post, courier)) == {Result.CONNECTION_FAILED}
    assert (post.states(), courier.circuit()) == ({"msg_1": "pending"}, Circuit.OPEN)


def test_retry_after_holds_the_letter(post: Post) -> None:
    """A date an hour ahead is waited for, though the schedule says five seconds."""
    post.now_ms -= post.now_ms % 1000
    post.put(letter())
    with Faulty(says("429 x", f"retry-after: {formatdate(post.now_ms / 1000 + 3600, usegmt=True)}")) as receiver:
        post.courier(receiver.url).deliver_once()

    assert post.next_in_ms() == 3_600_000


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def behind_tls(pair: tuple[Path, Path]) -> Iterator[Faulty]:
    with Faulty(answers(OK), tls=server_tls(*pair)) as receiver:
        yield receiver


def test_tls_by_its_own_authority(post: Post, authority: Authority) -> None:
    """`ca_file` is trusted."""
    post.put(letter())
    with behind_tls(authority.issue("server")) as receiver:
        result = post.courier(receiver.url, ca_file=str(authority.certificate)).deliver_once()

    assert result is Result.DELIVERED


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("public authorities", "unable to get local issuer certificate"),
        ("wrong authority", "unable to get local issuer certificate"),
        ("self-signed", "self-signed certificate"),
        ("expired", "certificate has expired"),
        ("wrong name", "mismatch"),
    ],
)
def test_a_certificate_is_refused(post: Post, authority: Authority, tmp_path: Path, which: str, words: str) -> None:
    """Verification is never off: no byte of the request is sent, and the reason is told."""
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", name="other")
    pair = authority.issue_expired("server") if which == "expired" else authority.issue("server")
    if which == "self-signed":
        pair = (other._key, other.certificate)
    trusted = {"public authorities": None, "wrong authority": str(other.certificate)}
    taken: list[bytes] = []
    with Faulty(lambda line: taken.append(line.request()), tls=server_tls(*pair)) as receiver:
        url = receiver.url.replace("127.0.0.1", "localhost") if which == "wrong name" else receiver.url
        ask = Exchange(post.target(url, ca_file=trusted.get(which, str(authority.certificate))).spec).ask
        with pytest.raises(Exception, match=f"certificate refused: .*{words}") as caught:
            ask(Request(url, {}, b"secret"))

    assert caught.value.result is Result.CONNECTION_FAILED  # type: ignore[attr-defined]
    assert b"secret" not in b"".join(taken)


@pytest.mark.parametrize("kind", ["plain HTTP on the port of TLS", "silence instead of TLS"])
def test_no_tls(post: Post, kind: str) -> None:
    """A handshake that fails or never comes is bounded like everything else."""
    post.put(letter())
    silent = kind.startswith("silence")
    with Faulty(Line.hang if silent else lambda line: line.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as receiver:
        courier = post.courier(receiver.url.replace("http:", "https:"), timeout=QUICK if silent else PATIENT)
        result = courier.deliver_once()

    assert result is (Result.TIMEOUT if silent else Result.CONNECTION_FAILED)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "identity"])
def test_a_body_is_bounded(post: Post, encoding: str) -> None:
    """Of 100 MB of zeros, packed or not, as much is kept as is ever needed."""
    bomb = gzip.compress(bytes(100_000_000), 1) if "gzip" in encoding else bytes(1_000_000)
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {len(bomb)}\r\n\r\n".encode()
    with Faulty(answers(head + bomb)) as receiver:
        reply = Exchange(post.target(receiver.url).spec).ask(Request(receiver.url, {}, b"{}", reads=True))

    assert reply.body == bytes(MAX_REPLY_BYTES)


def test_a_packed_body_is_unpacked(post: Post) -> None:
    """Receivers that pack without being asked are understood."""
    packed = gzip.compress(b'{"run":"7"}')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: GZIP\r\ncontent-length: {len(packed)}\r\n\r\n".encode()
    with Faulty(answers(head + packed)) as receiver:
        reply = Exchange(post.target(receiver.url).spec).ask(Request(receiver.url, {}, b"{}", reads=True))

    assert (reply.status, reply.body) == (200, b'{"run":"7"}')
