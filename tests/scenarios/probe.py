"""A running service as the world sees it: over its port."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
from prometheus_client.parser import text_string_to_metric_families

from driftwatch.config import load
from driftwatch.daemon.service import Service
from driftwatch.ports.streams import Clock
from tests.scenarios import events
from tests.servers.broker import wait_until

WAIT_SECONDS = 30.0
NOW_MS = events.START + 30 * 24 * events.HOUR


class Probe:
    """A client of one service."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._client = httpx.Client(base_url=self.url, timeout=WAIT_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def post(self, body: bytes) -> dict[str, Any]:
        """Send a body of predictions and give the receipt."""
        answer = self.request("/v1/predictions", body)
        assert answer.status_code == 200, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt

    def request(self, path: str, body: bytes) -> httpx.Response:
        """Send a body anywhere."""
        return self._client.post(path, content=body)

    def get(self, path: str) -> httpx.Response:
        """Ask for anything."""
        return self._client.get(path)

    def listing(self, what: str) -> list[dict[str, Any]]:
        """Every item of `/api/v1/<what>`, newest first."""
        items: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self._client.get(f"/api/v1/{what}", params={"cursor": cursor} if cursor else {})
            document = page.raise_for_status().json()
            items += document["items"]
            cursor = document["next"]
        return items

    def metrics(self) -> "Metrics":
        """Scrape."""
        return Metrics(self._client.get("/metrics").raise_for_status().text)

    def wait(self, true: Callable[[], bool], what: str) -> None:
        """Return once it holds."""
        wait_until(true, seconds=WAIT_SECONDS, what=what)

    def wait_counted(self, count: int) -> "Metrics":
        """Return a scrape once so many events have been counted, whatever became of them."""
        self.wait(lambda: sum(self.metrics().results().values()) >= count, f"{count} events to be counted")
        return self.metrics()


class Metrics:
    """One scrape."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def values(self, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        """The samples of that name that have these labels."""
        return [
            (sample.labels, sample.value)
            for sample in self.samples
            if sample.name == f"driftwatch_{name}" and labels.items() <= sample.labels.items()
        ]

    def total(self, name: str, **labels: str) -> float:
        """Their sum."""
        return sum(value for _, value in self.values(name, **labels))

    def results(self, **labels: str) -> dict[str, float]:
        """What became of the events, by result."""
        return {
            result: self.total("events_total", result=result, **labels)
            for result in ("accepted", "late", "duplicate", "rejected")
        }

    def reasons(self) -> dict[str, float]:
        """The events that were refused, by reason, without the reasons that never occurred."""
        found = {labels["reason"] for labels, value in self.values("events_rejected_total") if value}
        return {reason: self.total("events_rejected_total", reason=reason) for reason in found}


@contextmanager
def running(path: Path, *, clock: Clock = lambda: NOW_MS) -> Iterator[tuple[Service, Probe]]:
    """A service in this process; it stops cleanly at the end."""
    service = Service(load(path, {}), clock=clock)
    try:
        service.start()
        with Probe(service.port) as probe:
            yield service, probe
    finally:
        clean = service.stop()
    assert clean
    assert service.engine.failure is None


def post_all(probe: Probe, bodies: Iterable[bytes]) -> None:
    """Send bodies in turn."""
    for body in bodies:
        probe.post(body)
