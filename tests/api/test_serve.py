"""The server on a real socket."""

import socket
import threading

import httpx
import pytest

from driftwatch.api.listen import Address
from driftwatch.api.serve import HttpServer
from driftwatch.errors import ConfigError
from driftwatch.ports.answers import Receipt
from driftwatch.stream.raw import Stream


@pytest.fixture
def server(service):
    """The application on a port that the system chose."""
    running = HttpServer(service.app, Address("127.0.0.1", 0))
    running.start()
    yield running
    assert running.stop()


def test_events_travel_over_a_socket(server, service):
    """The real port is known once the server has started, and the whole way works."""
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        taken = client.post("/v1/predictions", content=b'{"model": "fraud"}')
        healthy = client.head("/-/healthy")

    assert taken.json() == {"accepted": 1, "rejected": []}
    assert healthy.status_code == 200
    assert "server" not in healthy.headers
    assert service.ingest.taken == [(Stream.PREDICTIONS, b'{"model": "fraud"}')]


def test_a_chunked_flood_is_cut_off(server, service):
    """The answer comes and the connection ends long before the sender has sent all."""
    sent = []

    def flood():
        for _ in range(100_000):
            sent.append(1)
            yield b"x" * 1_000

    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        try:
            outcome = client.post("/v1/predictions", content=flood()).status_code
        except httpx.TransportError:
            # The server may have closed before the sender looked for the answer.
            outcome = 413

    assert outcome == 413
    assert len(sent) < 100_000
    assert service.ingest.taken == []


def test_a_request_that_is_under_way_is_finished(service):
    """Stopping waits for the receipt: a sender must know what became of its events."""
    entered, release = threading.Event(), threading.Event()
    answers = []

    def accept(stream: Stream, body: bytes, *, key: str) -> Receipt:
        entered.set()
        assert release.wait(10)
        return Receipt(3, ())

    service.ingest.accept = accept
    server = HttpServer(service.app, Address("127.0.0.1", 0))
    shut_down = server._server.shutdown

    async def release_and_shut_down(sockets=None):
        release.set()
        await shut_down(sockets)

    server._server.shutdown = release_and_shut_down
    server.start()
    url = f"http://127.0.0.1:{server.port}/v1/labels"
    sender = threading.Thread(target=lambda: answers.append(httpx.post(url, content=b"{}")))
    sender.start()
    assert entered.wait(10)
    assert server.stop()
    sender.join(10)

    assert [answer.json()["accepted"] for answer in answers] == [3]


def test_a_taken_port_is_known_at_once(service):
    """The operator reads which address it is, before any thread runs."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(ConfigError, match=rf"server\.listen: cannot listen on 127\.0\.0\.1:{port}: .*in use"):
            HttpServer(service.app, Address("127.0.0.1", port))


def test_a_server_that_was_not_started_can_be_stopped(service):
    """Building may be given up halfway, and nothing stays open."""
    server = HttpServer(service.app, Address("127.0.0.1", 0))

    assert server.stop()
    assert server.stop()


def test_a_stopped_server_lets_go_of_its_port(service):
    """The next one can have it at once."""
    first = HttpServer(service.app, Address("127.0.0.1", 0))
    first.start()
    assert first.stop()

    second = HttpServer(service.app, Address("127.0.0.1", first.port))
    second.start()
    assert httpx.get(f"http://127.0.0.1:{second.port}/-/healthy").text == "driftwatch is healthy\n"
    assert second.stop()
