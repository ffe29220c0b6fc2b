"""A small webhook receiver on a free local port: it answers as it is told and keeps what came."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook

from driftwatch.sinks.targets.webhook import decode_secret


@dataclass(frozen=True)
class Reply:
    """What to answer; `after` is an event that the answer waits for, at most 30 s."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    after: threading.Event | None = None


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str) -> dict[str, Any]:
        """Give the JSON body, if the Standard Webhooks library accepts the signature and the time; else raise."""
        key = decode_secret(secret, where="test")
        document: dict[str, Any] = Webhook(key).verify(self.body, self.headers)
        return document


class Receiver:
    """Listens as a context manager; `replies` are given in turn, the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies: Sequence[Reply] = replies or (Reply(),)
        self.received: list[Received] = []
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def wait(self, requests: int, *, timeout_seconds: float = 10.0) -> list[Received]:
        """Give the requests once there are so many; AssertionError after the time-out."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.received) >= requests, timeout_seconds)
            assert arrived, f"only {len(self.received)} of {requests} requests came"
            return list(self.received)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _take(self, request: Received) -> Reply:
        with self._changed:
            self.received.append(request)
            self._changed.notify_all()
            return self.replies[min(len(self.received), len(self.replies)) - 1]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                reply = take(Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                if reply.after is not None:
                    reply.after.wait(30)
                try:
                    self._answer(reply)
                except OSError:
                    self.close_connection = True  # the sender gave up waiting, which is what such tests are about

            def _answer(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in ({"content-length": "0"} | dict(reply.headers)).items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Say nothing: the tests print enough."""

        return Handler
