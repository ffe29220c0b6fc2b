"""Connections on a real socket: what is slow, too much or too many is cut off, and counted."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from driftwatch.api.connection import Bounds
from driftwatch.api.listen import Address
from driftwatch.api.refusals import Refusal
from driftwatch.api.serve import HttpServer
from tests.servers.broker import wait_until

WAIT_SECONDS = 10.0
SHORT = 0.2
LARGE = 16 << 20
HEALTHY = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"


@contextmanager
def serving(service, **bounds: float) -> Iterator[int]:
    """The application within these bounds; its port."""
    server = HttpServer(service.app, Address("127.0.0.1", 0), bounds=Bounds(**bounds), refusals=service.refusals)
    server.start()
    try:
        yield server.port
    finally:
        assert server.stop()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)


def status_of(connection: socket.socket) -> int:
    """The status of the next answer, 0 when the connection ends without one."""
    text = answer_of(connection)
    return int(text[9:12]) if text else 0


def answer_of(connection: socket.socket) -> bytes:
    """The next answer whole, nothing more; b"" when the connection ends without one."""
    text = b""
    try:
        while not (ends := re.match(rb"(?is).*?content-length: (\d+).*?\r\n\r\n", text)):
            chunk = connection.recv(1)
            if not chunk:
                return b""
            text += chunk
        while len(text) < ends.end() + int(ends[1]):
            text += connection.recv(ends.end() + int(ends[1]) - len(text))
    except ConnectionError:
        return b""
    return text


def rest_of(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    chunks = []
    try:
        while chunk := connection.recv(1 << 16):
            chunks.append(chunk)
    except ConnectionError:
        pass
    return b"".join(chunks)


def wait_refused(service, refusal: Refusal, count: int = 1) -> None:
    wait_until(lambda: service.refusals.counts()[refusal] >= count, seconds=WAIT_SECONDS, what=refusal)


@pytest.mark.parametrize("begin", [b"", b"GET", HEALTHY[:-2]], ids=["nothing", "half a line", "half a head"])
def test_a_head_that_does_not_arrive_is_given_up(service, begin):
    """A word where one was begun, silence where none was."""
    with serving(service, head_seconds=SHORT) as port, connected(port) as connection:
        connection.sendall(begin)
        began = time.monotonic()
        answer = rest_of(connection)

    assert time.monotonic() - began < WAIT_SECONDS / 2
    assert (b"408" in answer[:20], b"slow_head" in answer) == (bool(begin), bool(begin))
    assert service.refusals.counts()[Refusal.SLOW_HEAD] == 1


def test_a_dripping_head_is_given_up(service):
    """Each byte comes in time, the head as a whole does not."""
    with serving(service, head_seconds=SHORT) as port, connected(port) as connection:
        connection.settimeout(0.02)
        began, answer = time.monotonic(), b""
        while not answer and time.monotonic() - began < WAIT_SECONDS:
            connection.sendall(b"G")
            try:
                answer = connection.recv(4096)
            except TimeoutError:
                continue

    assert b" 408 " in answer[:20]


def test_the_second_request_has_its_own_clock(service):
    """A connection that is kept lives beyond the time for one head; half of another head does not."""
    with serving(service, head_seconds=SHORT) as port, connected(port) as connection:
        for _ in range(3):
            connection.sendall(HEALTHY)
            assert status_of(connection) == 200
            connection.settimeout(2 * SHORT)  # idle for longer than a head may take
            with pytest.raises(TimeoutError):
                connection.recv(1)
            connection.settimeout(WAIT_SECONDS)
        connection.sendall(HEALTHY[:10])
        assert status_of(connection) == 408


def test_half_a_head_behind_a_whole_one_is_given_up(service):
    """What was sent ahead of its turn has its clock, too."""
    with serving(service, head_seconds=SHORT) as port, connected(port) as connection:
        connection.sendall(HEALTHY + HEALTHY[:10])
        text = rest_of(connection)

    assert text.count(b"HTTP/1.1 200") == 1
    assert b"HTTP/1.1 408" in text


def test_the_rest_of_a_refused_body_is_not_awaited_for_ever(service):
    """The answer has been given by the declared length; the sender goes on slowly, and is cut off."""
    with serving(service, head_seconds=SHORT) as port, connected(port) as connection:
        connection.sendall(b"POST /v1/labels HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
        assert status_of(connection) == 413
        assert rest_of(connection) == b""

    wait_refused(service, Refusal.SLOW_HEAD)


@contextmanager
def large_answers(service) -> Iterator[None]:
    """A scrape of sixteen megabytes, more than the kernel takes for a reader that does not read."""
    service.overview.metrics = lambda **_: b"x" * LARGE
    yield


def unread(port: int) -> socket.socket:
    """A connection that has asked for the scrape, and reads nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(WAIT_SECONDS)
    connection.connect(("127.0.0.1", port))
    connection.sendall(HEALTHY.replace(b"/-/healthy", b"/metrics"))
    return connection


def test_a_reader_that_does_not_read_is_cut_off(service):
    """Its answer would be held for ever."""
    with large_answers(service), serving(service, answer_seconds=SHORT) as port, unread(port) as connection:
        wait_refused(service, Refusal.SLOW_READER)
        assert len(rest_of(connection)) < LARGE


def test_answers_that_nobody_takes_have_a_bound_together(service):
    """Beyond it a reader is cut off at once; others are served."""
    with (
        large_answers(service),
        serving(service, max_leaving=LARGE) as port,
        unread(port), unread(port), unread(port),
        connected(port) as other,
    ):  # fmt: skip
        wait_refused(service, Refusal.LEAVING_FULL)
        other.sendall(HEALTHY)
        assert status_of(other) == 200


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 431)])
def test_headers_are_bounded_in_number(service, extra, status):
    """The bound belongs to the allowed side; Host is one of them."""
    with serving(service, max_headers=10) as port, connected(port) as connection:
        lines = b"".join(b"a%d: b\r\n" % number for number in range(9 + extra))
        connection.sendall(HEALTHY[:-2] + lines + b"\r\n")
        assert status_of(connection) == status

    assert service.refusals.counts()[Refusal.TOO_MANY_HEADERS] == extra


@pytest.mark.parametrize(("size", "status"), [(1_500, 200), (4_000, 431)])
def test_heads_are_bounded_in_bytes(service, size, status):
    """What has not ended by then is refused while it arrives."""
    with serving(service, max_head=2_048) as port, connected(port) as connection:
        connection.sendall(HEALTHY[:-2] + b"a: " + b"x" * size + (b"\r\n\r\n" if status == 200 else b""))
        assert status_of(connection) == status

    assert service.refusals.counts()[Refusal.HEAD_TOO_LARGE] == (status == 431)


def test_connections_are_bounded(service):
    """Up to the bound all are served, then they are told to come again, and far beyond it closed at once."""
    with serving(service, max_connections=3) as port, ExitStack() as stack:
        connections = [stack.enter_context(connected(port)) for _ in range(6)]
        seventh = stack.enter_context(connected(port))
        assert rest_of(seventh) == b""
        connections[0].sendall(HEALTHY)
        text = answer_of(connections[0])
        assert b" 503 " in text[:20]
        assert b"retry-after" in text.lower()
        for connection in connections[1:]:
            connection.close()
        wait_until(lambda: _served(port), seconds=WAIT_SECONDS, what="room for another")

    assert service.refusals.counts()[Refusal.TOO_MANY_CONNECTIONS] >= 2


def _served(port: int) -> bool:
    with connected(port) as connection:
        connection.sendall(HEALTHY)
        return status_of(connection) == 200
