"""Bytes on a socket, as no client library would send them, and what comes back."""

import re
import socket
import time
from typing import NamedTuple

WAIT_SECONDS = 20.0


class Answer(NamedTuple):
    """What the service said. status: 0 when it closed without a word. seconds: until then."""

    status: int
    body: bytes
    seconds: float


def exchange(port: int, *parts: bytes, half_close: bool = False) -> Answer:
    """Send parts and read to the end; a connection that is cut while it is written to is no error."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except OSError:  # refused before it was sent; the answer may have come all the same
            pass
        text = _read(connection)
    status = re.match(rb"HTTP/1\.1 (\d{3})", text)
    return Answer(int(status[1]) if status else 0, text.partition(b"\r\n\r\n")[2], time.monotonic() - began)


def _read(connection: socket.socket) -> bytes:
    chunks: list[bytes] = []
    try:
        while chunk := connection.recv(1 << 16):
            chunks.append(chunk)
            if _whole(b"".join(chunks)):
                break
    except ConnectionError:
        pass
    return b"".join(chunks)


def _whole(text: bytes) -> bool:
    head, end, body = text.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end and length) and len(body) >= int(length[1])


def head(*lines: bytes, request: bytes = b"POST /v1/predictions HTTP/1.1") -> bytes:
    """A request's head; lines: its headers beside Host."""
    return b"\r\n".join([request, b"Host: x", *lines, b"", b""])


def request(body: bytes, *lines: bytes) -> bytes:
    """A whole request."""
    return head(b"Content-Length: %d" % len(body), *lines) + body
