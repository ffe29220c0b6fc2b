"""The wire: a connection for one request, past the guard, every byte of it within one deadline.

A time limit for each read would let a receiver that drips bytes hold a thread for ever; here the name's look-up,
connecting, TLS, sending and reading share one. The guard judges the very address that is connected to and then the peer
that is there, so a name that is looked up twice (DNS rebinding) leads nowhere else.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from driftwatch.sinks.certificates import Certificates
from driftwatch.sinks.guard import BlockedError, Guard
from driftwatch.sinks.targets.spec import TargetSpec

Found = list[tuple[Any, ...]]
"""What `socket.getaddrinfo` gives."""

LookUp = Callable[..., Found]
Connect = Callable[[tuple[Any, ...], float], socket.socket]


class Deadline:
    """The moment at which a request has taken long enough."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left_seconds(self) -> float:
        """Say how much is left; raises TimeoutError when nothing is."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Wire(httpx.BaseTransport):
    """Carries requests of one target; `timeout` of the request is for all of it. look_up, connect: the network.

    With a proxy the peer is the proxy, which may be in a private network. It looks names up for itself, so it has to
    guard against rebinding; what can be known before is refused here: an address that is written out always, and, for
    a target that may not be private, a name one of whose addresses is not allowed or that has none here.
    """

    def __init__(
        self, spec: TargetSpec, *, look_up: LookUp = socket.getaddrinfo, connect: Connect | None = None
    ) -> None:
        self._spec, self._certificates = spec, Certificates(spec)
        self._guard = Guard(private=spec.private, allowed=spec.allow_networks)
        self._look_up, self._connect = look_up, connect or connected

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and give the head of its answer.

        Raises httpcore's exceptions, BlockedError, and SinkError when a certificate cannot be read.
        """
        deadline = Deadline(request.extensions["timeout"]["connect"])
        url, guard = request.url, self._guard
        context = self._certificates.context() if url.scheme == "https" else None
        if self._spec.proxy is not None:
            self._check_behind(url.raw_host.decode(), deadline)
            guard = Guard(private=True, allowed=self._spec.allow_networks)
        network = _Network(guard, deadline, look_up=self._look_up, connect=self._connect)
        pool = self._pool(network, context)
        try:
            answer = pool.handle_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.stream,
                )
            )
        except BaseException:
            pool.close()
            raise
        return httpx.Response(answer.status, headers=answer.headers, stream=_Answer(answer, pool))

    def _check_behind(self, host: str, deadline: Deadline) -> None:
        """Refuse a host that the proxy must not be asked for."""
        with _named(httpcore.ConnectTimeout, httpcore.ConnectError):
            try:
                # Without a question to a server: also "2130706433" and "0x7f.1" are addresses.
                found = self._look_up(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
            except (OSError, UnicodeError):
                if self._spec.private:
                    return
                found = looked_up(self._look_up, host, 0, seconds=deadline.left_seconds())
        for place in found:
            self._guard.check(place[4][0])

    def _pool(self, network: "_Network", context: ssl.SSLContext | None) -> httpcore.ConnectionPool:
        if self._spec.proxy is None:
            return httpcore.ConnectionPool(context, network_backend=network)
        proxy = httpx.Proxy(self._spec.proxy)
        return httpcore.HTTPProxy(
            httpcore.URL(
                scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=proxy.url.raw_path
            ),
            proxy_auth=proxy.raw_auth,
            ssl_context=context,
            network_backend=network,
        )


class _Answer(httpx.SyncByteStream):
    """The body of an answer; its end closes the connection."""

    def __init__(self, answer: httpcore.Response, pool: httpcore.ConnectionPool) -> None:
        self._answer, self._pool = answer, pool

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
        self._pool.close()


class _Network(httpcore.NetworkBackend):
    """Connects for one request."""

    def __init__(self, guard: Guard, deadline: Deadline, *, look_up: LookUp, connect: Connect) -> None:
        self._guard, self._deadline, self._look_up, self._connect = guard, deadline, look_up, connect

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        """Connect to the first address of a name that is allowed and answers. Raises BlockedError if none is."""
        with _named(httpcore.ConnectTimeout, httpcore.ConnectError):
            found = looked_up(self._look_up, host, port, seconds=self._deadline.left_seconds())
            places = self._allowed([place[4] for place in found])
            for left, place in zip(range(len(places), 0, -1), places, strict=True):
                try:
                    # A silent address leaves its share of the time to the others.
                    peer = self._connect(place, self._deadline.left_seconds() / left)
                except OSError:
                    if left == 1:
                        raise
                    continue
                return self._watched(peer)
        raise httpcore.ConnectError("the name has no address")

    def _allowed(self, places: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        kept, refusal = [], None
        for place in places:
            try:
                self._guard.check(place[0])
            except BlockedError as error:
                refusal = error
            else:
                kept.append(place)
        if refusal and not kept:
            raise refusal
        return kept

    def _watched(self, peer: socket.socket) -> "_Stream":
        """The connection, if the one at its other end is allowed too: an address can be translated on the way."""
        try:
            self._guard.check(peer.getpeername()[0])
        except BaseException:
            peer.close()
            raise
        return _Stream(peer, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A socket on which whatever is done ends by the deadline."""

    def __init__(self, peer: socket.socket, deadline: Deadline) -> None:
        self._socket, self._deadline = peer, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline stands for it
        with _named(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(self._deadline.left_seconds())
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        with _named(httpcore.WriteTimeout, httpcore.WriteError):
            while buffer:
                self._socket.settimeout(self._deadline.left_seconds())
                buffer = buffer[self._socket.send(buffer) :]

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None  # noqa: ARG002
    ) -> httpcore.NetworkStream:  # fmt: skip
        with _named(httpcore.ConnectTimeout, httpcore.ConnectError):
            try:
                self._socket.settimeout(self._deadline.left_seconds())
                return _Stream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._deadline)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        self._socket.close()

    def get_extra_info(self, info: str) -> Any:
        return self._socket.getpeername() if info == "server_addr" else None


def looked_up(look_up: LookUp, host: str, port: int, *, seconds: float) -> Found:
    """Look a name up, within a time: the system's resolver has none, so a thread of its own waits for it.

    Raises TimeoutError, and what the resolver does. A resolver that is late ends by its own time limit, unheard.
    """
    answer: queue.SimpleQueue[Found | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(look_up(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.put(error)

    threading.Thread(target=ask, name=f"look-up-{host}", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty as error:
        raise TimeoutError from error
    if isinstance(found, BaseException):
        raise found
    return found


def connected(place: tuple[Any, ...], seconds: float) -> socket.socket:
    """Connect to an address as the resolver gave it. Raises OSError."""
    peer = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        peer.settimeout(seconds)
        peer.connect(place)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        peer.close()
        raise
    return peer


@contextmanager
def _named(late: type[Exception], failed: type[Exception]) -> Iterator[None]:
    """Raise what httpcore knows."""
    try:
        yield
    except TimeoutError as error:
        raise late from error
    except OSError as error:
        raise failed from error
