"""A small HTTP proxy on a free local port: it tunnels, forwards, and remembers what it was asked for."""

import select
import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.servers.faulty import Faulty, Line


class Proxy:
    """Listens as a context manager. Every host is taken to be 127.0.0.1, as a proxy looks names up for itself.

    asked: the first lines of the requests. credentials: what stood in proxy-authorization.
    """

    def __init__(self, *, refuses: bool = False) -> None:
        self.asked: list[str] = []
        self.credentials: list[str] = []
        self._refuses = refuses
        self._server = Faulty(self._carry)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    def _carry(self, line: Line) -> None:
        request = line.request()
        head = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        self.asked.append(head[0])
        named = "proxy-authorization: "
        self.credentials += [each[len(named) :] for each in head if each.lower().startswith(named)]
        if self._refuses:
            line.say(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            return
        method, target, _ = head[0].split(" ")
        port = int(target.rpartition(":")[2]) if method == "CONNECT" else urlsplit(target).port
        with socket.create_connection(("127.0.0.1", port), 30) as server:
            if method == "CONNECT":
                line.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server.sendall(request.replace(target.encode(), urlsplit(target).path.encode(), 1))
            _join(line.peer, server)


def _join(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one end is done."""
    ends = {one: other, other: one}
    while True:
        ready, _, _ = select.select(list(ends), [], [], 30.0)
        for end in ready:
            data = end.recv(65_536)
            if not data:
                return
            ends[end].sendall(data)
        if not ready:
            return
