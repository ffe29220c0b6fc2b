"""Fakes of the ports that the HTTP door needs, and a way to ask the application without a socket."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx

from driftwatch.api.app import create_app
from driftwatch.api.ingest import Limits
from driftwatch.api.refusals import Refusals
from driftwatch.errors import DataError
from driftwatch.ports.answers import Page, Query, Receipt
from driftwatch.stream.raw import Stream

LIMITS = Limits(max_body=2_000, max_body_decompressed=10_000, max_arriving=4_000, body_seconds=1.0)


@dataclass
class FakeIngest:
    """Takes every body, or raises what it is told to."""

    receipt: Receipt = field(default_factory=lambda: Receipt(1, ()))
    error: Exception | None = None
    taken: list[tuple[Stream, bytes]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def accept(self, stream: Stream, body: bytes, *, key: str = "") -> Receipt:
        if self.error is not None:
            raise self.error
        self.keys.append(key)
        self.taken.append((stream, body))
        return self.receipt


@dataclass
class FakeHistory:
    """Gives the same page for every query and remembers the queries; knows no cursor but "more"."""

    pages: dict[str, Page] = field(default_factory=dict)
    queries: list[tuple[str, Query]] = field(default_factory=list)
    error: Exception | None = None

    def _page(self, listing: str, query: Query) -> Page:
        if self.error is not None:
            raise self.error
        if query.cursor not in ("", "more"):
            raise DataError(f'cursor "{query.cursor}" was not given out by this service; begin without one')
        self.queries.append((listing, query))
        return self.pages.get(listing, Page([], ""))

    def reports(self, query: Query) -> Page:
        return self._page("reports", query)

    def alerts(self, query: Query) -> Page:
        return self._page("alerts", query)

    def deliveries(self, query: Query) -> Page:
        return self._page("deliveries", query)

    def incidents(self, query: Query) -> Page:
        return self._page("incidents", query)


@dataclass
class FakeOverview:
    """A service with two models."""

    readiness: tuple[bool, str] = (True, "")
    listed: list[dict[str, Any]] = field(
        default_factory=lambda: [{"name": "fraud", "task": "binary"}, {"name": "price", "task": "regression"}]
    )
    error: Exception | None = None
    incidents: dict[str, Any] = field(default_factory=dict)

    def models(self) -> list[dict[str, Any]]:
        return self.listed

    def status(self) -> dict[str, Any]:
        return {"version": "1.2.3", "lag": float("nan"), "incidents": self.incidents}

    def ready(self) -> tuple[bool, str]:
        if self.error is not None:
            raise self.error
        return self.readiness

    def metrics(self, *, openmetrics: bool) -> bytes:
        return b"# EOF\n" if openmetrics else b"up 1\n"


class Service:
    """The application over its fakes."""

    def __init__(self) -> None:
        self.refusals = Refusals()
        self.ingest, self.history, self.overview = FakeIngest(), FakeHistory(), FakeOverview()
        self.app = create_app(
            ingest=self.ingest,
            history=self.history,
            overview=self.overview,
            limits=LIMITS,
            version="1.2.3",
            refusals=self.refusals,
        )

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send one request; what the application raises beyond its answer is kept out, as a server would log it."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://driftwatch") as client:
                return await client.request(method, path, **request)

        return asyncio.run(send())

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("GET", path, **request)

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("POST", path, **request)
