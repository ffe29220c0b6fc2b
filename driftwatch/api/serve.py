"""Serves an application on an address, in a thread of its own: started for sure, stopped for sure."""

import socket
import threading

import uvicorn
from fastapi import FastAPI

from driftwatch.api.connection import BoundedConfig, Bounds
from driftwatch.api.ingest import Limits
from driftwatch.api.listen import Address, ServerSpec
from driftwatch.api.refusals import Refusals
from driftwatch.errors import ConfigError, DriftwatchError

_BACKLOG = 1024
_KEEP_ALIVE_SECONDS = 75
_GRACE_SECONDS = 5


class HttpServer:
    """A server that is bound to its address from the beginning: a taken port is known before any thread runs."""

    def __init__(
        self, app: FastAPI, address: Address, *, bounds: Bounds | None = None, refusals: Refusals | None = None
    ) -> None:
        """Bind. Raises ConfigError when the address cannot be had. refusals: where what the bounds cost is counted."""
        self._socket = _bind(address)
        self.port: int = self._socket.getsockname()[1]
        self._started = threading.Event()
        self._server = _Server(_settings(app, bounds or Bounds(), refusals or Refusals()), started=self._started)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self, *, timeout_seconds: float = 10.0) -> None:
        """Begin to serve and return once connections are answered. Raises DriftwatchError when that takes too long."""
        self._thread.start()
        in_time = self._started.wait(timeout_seconds)
        if not (in_time and self._server.started):
            self.stop()
            raise DriftwatchError(f"the HTTP server did not start within {timeout_seconds:g} s")

    def stop(self, *, timeout_seconds: float = 10.0) -> bool:
        """Finish the requests that are under way, for a few seconds, and stop. May be called again, or unstarted.

        False when a request is stuck in a worker thread for so long; the thread ends with the process.
        """
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)
        self._socket.close()
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            # Also when it failed: whoever waits for the start must not wait in vain.
            self._started.set()


class _Server(uvicorn.Server):
    """Says when it has started, so that nobody has to ask again and again."""

    def __init__(self, config: uvicorn.Config, *, started: threading.Event) -> None:
        super().__init__(config)
        self._announce = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce.set()


def bounds_of(spec: ServerSpec) -> Bounds:
    """The bounds of connections, as they are configured."""
    return Bounds(
        max_head=spec.max_head,
        max_headers=spec.max_headers,
        max_connections=spec.max_connections,
        max_leaving=spec.max_leaving,
        head_seconds=spec.head_timeout / 1000,
        answer_seconds=spec.answer_timeout / 1000,
    )


def limits_of(spec: ServerSpec) -> Limits:
    """The bounds of bodies, as they are configured."""
    return Limits(spec.max_body, spec.max_body_decompressed, spec.max_arriving, spec.body_timeout / 1000)


def _settings(app: FastAPI, bounds: Bounds, refusals: Refusals) -> uvicorn.Config:
    return BoundedConfig(
        app,
        bounds=bounds,
        refusals=refusals,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        log_level="error",  # what senders do wrong is counted: a flood of it must not fill the log
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _bind(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # Only where the protocol is named does asyncio switch Nagle's delay off: 40 ms of every answer.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except (OSError, UnicodeError) as error:
        bound.close()
        raise ConfigError(f"server.listen: cannot listen on {address.host}:{address.port}: {error}") from error
    return bound
