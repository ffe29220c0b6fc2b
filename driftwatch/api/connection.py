"""One HTTP connection within bounds: its head, its patience, and what of its answers nobody has taken.

uvicorn bounds none of the times but an idle connection's, so a sender that drips a head, or a reader that takes no
answer, would be kept for ever. h11 itself refuses what could be read in two ways (request smuggling, RFC 9112 §11.2).
"""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from driftwatch.api.faults import Fault, answer
from driftwatch.api.refusals import Refusal, Refusals

RETRY_SECONDS = 1
_HARD = 2
"""So many times max_connections are accepted to be told 503; those beyond are closed without a word."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of connections and heads in numbers and bytes, as `ServerSpec` says them; times in seconds."""

    max_head: int = 16 * 1024
    max_headers: int = 100
    max_connections: int = 512
    max_leaving: int = 16 << 20
    head_seconds: float = 10.0
    answer_seconds: float = 60.0


class BoundedConfig(uvicorn.Config):
    """uvicorn's settings, and ours with them: a protocol is given nothing else."""

    def __init__(self, app: Any, *, bounds: Bounds, refusals: Refusals, **settings: Any) -> None:
        super().__init__(app, http=BoundedConnection, h11_max_incomplete_event_size=bounds.max_head, **settings)
        self.bounds, self.refusals = bounds, refusals


class BoundedConnection(H11Protocol):
    """uvicorn's protocol, with a clock on whatever the other side has to do next."""

    def __init__(self, config: BoundedConfig, *arguments: Any, **keywords: Any) -> None:
        super().__init__(config, *arguments, **keywords)
        self._bounds, self._refusals = config.bounds, config.refusals
        self._inner, self.app = self.app, self._guarded
        self._head_timer: asyncio.TimerHandle | None = None
        self._answer_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin, or end at once when there are far too many."""
        super().connection_made(transport)
        if len(self.connections) > _HARD * self._bounds.max_connections:
            self._refusals.add(Refusal.TOO_MANY_CONNECTIONS)
            transport.abort()
            return
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and forget every clock."""
        for timer in (self._head_timer, self._answer_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._answer_timer = None
        self.app = self._inner  # ours refers to this connection: without it, its buffers go at once
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; a head that is begun has to be finished in time."""
        super().data_received(data)
        self._watch_head()

    def on_response_complete(self) -> None:
        """Go on with the next request, of which a part may have arrived."""
        super().on_response_complete()
        self._watch_head()

    def pause_writing(self) -> None:
        """The reader is slow: see how long, and how much that is with all the others."""
        super().pause_writing()
        if sum(_waiting(each) for each in self.connections) > self._bounds.max_leaving:
            self._cut(Refusal.LEAVING_FULL)
        elif self._answer_timer is None:
            self._answer_timer = self.loop.call_later(self._bounds.answer_seconds, self._cut, Refusal.SLOW_READER)

    def resume_writing(self) -> None:
        """The reader has caught up."""
        super().resume_writing()
        if self._answer_timer is not None:
            self._answer_timer.cancel()
            self._answer_timer = None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words, which say nothing
        """Answer what is no HTTP; called by uvicorn while it handles h11's error."""
        error = sys.exception()
        if isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == 431:
            text = f"the request's head has more than {self._bounds.max_head} bytes"
            self._refuse(Fault(431, Refusal.HEAD_TOO_LARGE, text))
        else:
            self._refuse(Fault(400, Refusal.INVALID_REQUEST, f"this is no HTTP/1.1 request: {error}"))

    @property
    def _first(self) -> bool:
        """Whether no request has come yet; uvicorn's annotation leaves that state out."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None

    def _watch_head(self) -> None:
        """Run the clock exactly while a head, or the rest of a body that was answered already, is awaited."""
        answered = self._first or self.cycle.response_complete
        begun = self._first or bool(self.conn.trailing_data[0]) or self.conn.their_state is h11.SEND_BODY
        if not (answered and begun) or self.transport.is_closing():
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self._bounds.head_seconds, self._give_up)

    def _give_up(self) -> None:
        if self.conn.trailing_data[0] and self.conn.our_state is h11.IDLE:
            self._refuse(Fault(408, Refusal.SLOW_HEAD, "the request's head did not arrive in time"))
        else:
            self._cut(Refusal.SLOW_HEAD)

    def _cut(self, refusal: Refusal) -> None:
        self._refusals.add(refusal)
        self.transport.abort()

    def _refuse(self, fault: Fault) -> None:
        """Answer on the connection itself, no request being under way, and close it."""
        self._refusals.add_code(fault.code)
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE} and not self.transport.is_closing():
            response = answer(fault)
            head = h11.Response(
                status_code=fault.status, headers=[*response.raw_headers, (b"connection", b"close")], reason=b""
            )
            for event in (head, h11.Data(data=bytes(response.body)), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    async def _guarded(self, scope: Any, receive: Any, send: Any) -> None:
        """The application, for a request that is within the bounds."""
        fault = self._excess(scope["headers"], version=scope["http_version"])
        if fault is None:
            await self._inner(scope, receive, send)
        else:
            self._refusals.add_code(fault.code)
            await answer(fault)(scope, receive, send)

    def _excess(self, headers: list[tuple[bytes, bytes]], *, version: str) -> Fault | None:
        if version not in {"1.0", "1.1"}:
            return Fault(
                505, Refusal.INVALID_REQUEST, f"HTTP/{version} is not spoken here: use HTTP/1.1", headers=_CLOSE
            )
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in headers}:
            # Whoever stands in front may have gone by the other one (RFC 9112 §6.1).
            text = "the request has both Content-Length and Transfer-Encoding"
            return Fault(400, Refusal.INVALID_REQUEST, text, headers=_CLOSE)
        if len(headers) > self._bounds.max_headers:
            text = f"the request has more than {self._bounds.max_headers} headers"
            return Fault(431, Refusal.TOO_MANY_HEADERS, text, headers=_CLOSE)
        if len(self.connections) > self._bounds.max_connections:
            text = f"more than {self._bounds.max_connections} connections are open"
            return Fault(503, Refusal.TOO_MANY_CONNECTIONS, text, headers={**_CLOSE, "Retry-After": str(RETRY_SECONDS)})
        return None


_CLOSE: Mapping[str, str] = {"Connection": "close"}


def _waiting(protocol: Any) -> int:
    size: int = protocol.transport.get_write_buffer_size()
    return size
