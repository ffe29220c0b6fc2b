"""One request and its reply: what a target's `ask` does."""

import ssl
import zlib
from collections.abc import Iterator

import httpcore
import httpx

from driftwatch.sinks.attempts import Result, UnansweredError
from driftwatch.sinks.guard import BlockedError
from driftwatch.sinks.targets.spec import TargetSpec
from driftwatch.sinks.targets.target import MAX_REPLY_BYTES, Reply, Request
from driftwatch.sinks.wire import Wire

_LATE = (httpx.TimeoutException, httpcore.TimeoutException, TimeoutError)
_FAILED = (
    httpx.HTTPError, httpx.InvalidURL, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError,
    httpcore.UnsupportedProtocol, UnicodeError,
)  # fmt: skip
"""A host name that IDNA refuses comes as UnicodeError."""

_HEADERS = {"user-agent": "driftwatch", "accept-encoding": "identity", "connection": "close"}


class Exchange:
    """Sends the requests of one target, each on a connection of its own and within the target's time in all.

    Redirects are replies like others. Nothing is remembered from one request to the next, cookies neither, and no
    proxy, password or authority is taken from the environment. transport: what carries them; tests have other ones.
    """

    def __init__(self, spec: TargetSpec, *, transport: httpx.BaseTransport | None = None) -> None:
        self._seconds = spec.timeout / 1000
        self._transport = transport or Wire(spec)

    def ask(self, request: Request) -> Reply:
        """Send a request. Raises UnansweredError, and SinkError when a certificate cannot be read."""
        try:
            return self._asked(request)
        except _LATE as error:
            raise UnansweredError(Result.TIMEOUT, type(error).__name__) from error
        except BlockedError as error:
            raise UnansweredError(Result.BLOCKED, str(error)) from error
        except _FAILED as error:
            raise UnansweredError(Result.CONNECTION_FAILED, _reason(error)) from error

    def _asked(self, request: Request) -> Reply:
        client = httpx.Client(transport=self._transport, headers=_HEADERS, timeout=self._seconds, trust_env=False)
        with (
            client,
            client.stream("POST", request.url, headers=dict(request.headers), content=request.body) as response,
        ):
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = _beginning(response) if request.reads else b""
            return Reply(response.status_code, headers, body)


def _beginning(response: httpx.Response) -> bytes:
    """Read as much of a body as is wanted; of a compressed one, which nobody asked for, no more is unpacked."""
    gzipped = response.headers.get("content-encoding", "").strip().lower() in {"gzip", "x-gzip"}
    body = b""
    for part in _unzipped(response.iter_raw()) if gzipped else response.iter_raw():
        body += part
        if len(body) >= MAX_REPLY_BYTES:
            break
    return body[:MAX_REPLY_BYTES]


def _unzipped(parts: Iterator[bytes]) -> Iterator[bytes]:
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for part in parts:
        try:
            yield unpacking.decompress(part, MAX_REPLY_BYTES)
        except zlib.error as error:
            raise httpx.DecodingError("the body is not what content-encoding says") from error


def _reason(error: BaseException) -> str:
    """Name an error without its text, which could quote the address; what is wrong with a certificate cannot."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate refused: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
