"""A small trainer's door: takes the webhooks the service sends, checks their signature, keeps what arrived."""

import base64
import binascii
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_TOLERANCE_SECONDS = 300
_LARGEST_BYTES = 1 << 20
_READ_SECONDS = 10


class Check(StrEnum):
    """What the check of a webhook came to."""

    VERIFIED = "verified"
    MALFORMED = "malformed"
    STALE = "stale"
    FORGED = "forged"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One webhook that arrived. `repeat`: its id had already arrived verified. `data`: {} unless verified."""

    id: str
    type: str
    check: Check
    repeat: bool
    received_seconds: float
    data: Mapping[str, Any]

    @property
    def verified(self) -> bool:
        """Whether it can be trusted."""
        return self.check is Check.VERIFIED


def verify(headers: Mapping[str, str], body: bytes, *, key: bytes, now_seconds: float) -> Check:
    """Check a webhook by Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`, five minutes of tolerance.

    headers: names in lower case. key: the secret's bytes. Any one of several `v1` signatures suffices (rotation).
    """
    identity, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "").split()
    if not identity or not signatures or not (sent.isascii() and sent.isdecimal()):
        return Check.MALFORMED
    digest = hmac.new(key, f"{identity}.{sent}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    # Every signature is compared, in constant time, so that the answer's delay tells nothing about them.
    matches = [hmac.compare_digest(expected, signature.encode()) for signature in signatures]
    if not any(matches):
        return Check.FORGED
    return Check.VERIFIED if abs(now_seconds - int(sent)) <= _TOLERANCE_SECONDS else Check.STALE


def key_of(secret: str) -> bytes:
    """The bytes of a secret as Standard Webhooks writes it, `whsec_` and base64. ValueError when it is not that."""
    text = secret.strip()
    if not text.startswith("whsec_"):
        raise ValueError("a webhook secret starts with whsec_")
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("after whsec_ a webhook secret is base64") from error


class Receiver:
    """A local HTTP server on a free port, in its own thread; use as a context manager.

    secret: `whsec_…`. clock: seconds since the epoch. Answers 204 to a verified webhook (a repeated one too),
    400, 401 or 413 to another.
    """

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key_of(secret)
        self._clock = clock
        self._arrivals: list[Arrival] = []
        self._came = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1},
                                        name="demo-receiver", daemon=True)  # fmt: skip

    @property
    def url(self) -> str:
        """Where to send webhooks."""
        return f"http://127.0.0.1:{self._server.server_port}/hooks/retrain"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def arrivals(self) -> tuple[Arrival, ...]:
        """Everything that arrived so far, in order."""
        with self._came:
            return tuple(self._arrivals)

    def wait(self, verified: int, *, timeout_seconds: float) -> bool:
        """Wait until so many different verified webhooks are there; False after the time-out."""
        with self._came:
            return self._came.wait_for(lambda: self._verified() >= verified, timeout_seconds)

    def take(self, headers: Mapping[str, str], body: bytes) -> HTTPStatus:
        """Judge and keep one webhook; the status to answer with. headers: names in lower case."""
        now = self._clock()
        check = verify(headers, body, key=self._key, now_seconds=now)
        document = _document(body) if check is Check.VERIFIED else {}
        if check is Check.VERIFIED and not document:
            check = Check.MALFORMED
        identity = headers.get("webhook-id", "")
        with self._came:
            repeat = any(past.verified and past.id == identity for past in self._arrivals)
            self._arrivals.append(Arrival(
                id=identity, type=document.get("type", ""), check=check, repeat=repeat,
                received_seconds=now, data=document.get("data", {}),
            ))  # fmt: skip
            self._came.notify_all()
        return _ANSWER[check]

    def _verified(self) -> int:
        return sum(arrival.verified and not arrival.repeat for arrival in self._arrivals)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self.take

        class Handler(BaseHTTPRequestHandler):
            timeout = _READ_SECONDS

            def do_POST(self) -> None:
                self._answer(self._judge())

            def _judge(self) -> HTTPStatus:
                length = self.headers.get("content-length", "")
                if not (length.isascii() and length.isdecimal()):
                    return HTTPStatus.LENGTH_REQUIRED
                if int(length) > _LARGEST_BYTES:
                    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                headers = {name.lower(): value for name, value in self.headers.items()}
                return take(headers, self.rfile.read(int(length)))

            def _answer(self, status: HTTPStatus) -> None:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server gives it
                """Stay silent: what arrives is shown by the demo itself."""

        return Handler


_ANSWER = {
    Check.VERIFIED: HTTPStatus.NO_CONTENT,
    Check.MALFORMED: HTTPStatus.BAD_REQUEST,
    Check.STALE: HTTPStatus.UNAUTHORIZED,
    Check.FORGED: HTTPStatus.UNAUTHORIZED,
}


def _document(body: bytes) -> dict[str, Any]:
    """The webhook's JSON, {} when it is not an object with a text `type` and an object `data`."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    fits = isinstance(document, dict) and isinstance(document.get("type"), str)
    return document if fits and isinstance(document.get("data"), dict) else {}
