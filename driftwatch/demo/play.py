"""The demo's director: builds the reference, runs the real service, posts the year, shows what comes of it."""

import base64
import secrets
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pyarrow.parquet as pq
from rich.console import Console

from driftwatch.config import Config, parse
from driftwatch.daemon.referencing import build_reference, save_reference
from driftwatch.daemon.service import Service, wall_clock_ms
from driftwatch.demo.dataset import CATEGORICAL, MODEL, NUMERIC, Body, Part, labelled, load, slices
from driftwatch.demo.picture import Picture
from driftwatch.demo.producer import Producer
from driftwatch.demo.receiver import Receiver
from driftwatch.demo.show import Screen, summary
from driftwatch.demo.staged import CHAMPION
from driftwatch.errors import DriftwatchError

DAY_MS = 86_400_000
SEGMENTS = {"evening": "hour >= 17"}
CHECKS = ("missing", "invalid")
BUDGET = "1 per 30d"
"""False alarms to expect at most, of all columns, segments and versions together. It is the default, too."""
SENT = [name for name in NUMERIC + CATEGORICAL if name != "dep_delay"]
"""Columns that every flight has: the delay is missing where one was cancelled, which is no fault."""
_POLL_SECONDS = 1.0
_PAGE = 1000
_SETTLE_SECONDS = 240.0
_TITLE = "driftwatch demo: flights from New York, 2013; model trained on January and February"


def play(*, port: int, once: bool, speed: float | None) -> int:
    """Run the demo. `once` ends after the replay with a summary; else it serves on until interrupted. Returns 0."""
    console, stop = Console(), threading.Event()
    with ExitStack() as stack:
        stack.enter_context(_interrupts(stop))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="driftwatch-demo-")))
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        receiver = stack.enter_context(Receiver(secret))
        service = Service(configuration(folder, port=port, secret=secret, receiver=receiver.url))
        stack.callback(service.stop)
        service.start()
        base = f"http://127.0.0.1:{service.port}"
        console.print(
            f"metrics {base}/metrics   reports {base}/api/v1/reports   status {base}/", highlight=False, soft_wrap=True
        )
        picture = Picture(budget=BUDGET)
        bodies = slices(load(Part.FLIGHTS), span_ms=DAY_MS if speed is None else 3_600_000)
        producer = Producer(base, speed=speed, stop=stop)
        with (
            httpx.Client(base_url=base, timeout=10) as client,
            Screen(picture, console=console, title=_TITLE) as screen,
        ):
            watcher = _Watcher(client, picture, receiver, screen)
            watcher.look_at_model()
            _stream(producer, bodies, watcher)
            if not stop.is_set():
                _settle(service, watcher)
            if not once:
                _serve_on(stop, watcher)
        console.print(summary(picture), highlight=False, markup=False, soft_wrap=True)
    return 0


class _Watcher:
    """Looks at the service from outside, as a person would, and feeds the picture."""

    def __init__(self, client: httpx.Client, picture: Picture, receiver: Receiver, screen: Screen) -> None:
        self._client = client
        self.picture = picture
        self.receiver = receiver
        self._screen = screen
        self._since = ""

    def look(self, producer: Producer | None = None) -> None:
        """Fetch what is new and draw it."""
        if producer is not None:
            self.picture.progress = producer.progress
        self.picture.add_reports(self._reports())
        self.picture.add_alerts(self._pages("/api/v1/alerts"))
        self.picture.add_arrivals(self.receiver.arrivals())
        self._screen.draw()

    def look_at_model(self) -> None:
        """Fetch what the service watches and which budget it keeps."""
        answer = self._client.get("/api/v1/models").raise_for_status()
        self.picture.add_models(msgspec.json.decode(answer.content)["items"])

    def look_at_segments(self) -> None:
        """Fetch all reports of the segments: they are only summed up, so once is enough."""
        for segment in SEGMENTS:
            self.picture.add_reports(self._pages("/api/v1/reports", segment=segment))

    def _reports(self) -> list[dict[str, Any]]:
        """Reports of all rows, from the first window on whose labels had not all come when it was seen."""
        found = list(self._pages("/api/v1/reports", segment="", **({"since": self._since} if self._since else {})))
        open_starts = [item["window"]["start"] for item in found if item["window"]["stage"] != "final"]
        starts = [item["window"]["start"] for item in found]
        self._since = min(open_starts) if open_starts else max([self._since, *starts])
        return found

    def _pages(self, path: str, **filters: str) -> Iterator[dict[str, Any]]:
        """The items of a listing, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            params = filters | {"limit": str(_PAGE)} | ({"cursor": cursor} if cursor else {})
            page = msgspec.json.decode(self._client.get(path, params=params).raise_for_status().content)
            yield from page["items"]
            cursor = page["next"]


def _stream(producer: Producer, bodies: Iterator[Body], watcher: _Watcher) -> None:
    """Post everything from a thread of its own, and look on meanwhile; raises what stopped the producer."""
    failures: list[DriftwatchError] = []

    def work() -> None:
        try:
            producer.run(bodies)
        except DriftwatchError as error:
            failures.append(error)

    thread = threading.Thread(target=work, name="demo-producer", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_POLL_SECONDS)
        watcher.look(producer)
    if failures:
        raise failures[0]


def _settle(service: Service, watcher: _Watcher) -> None:
    """The year is over: let everything be counted, close the last windows, and wait for the last webhooks."""
    end = time.monotonic() + _SETTLE_SECONDS
    looked = 0.0
    while not service.caught_up() and time.monotonic() < end:
        if time.monotonic() >= looked + _POLL_SECONDS:
            watcher.look()
            looked = time.monotonic()
        time.sleep(_POLL_SECONDS / 10)
    service.finish(timeout_seconds=max(1.0, end - time.monotonic()))
    while service.letters_waiting() and time.monotonic() < end:
        time.sleep(_POLL_SECONDS / 10)
    watcher.look()
    watcher.look_at_segments()


def _serve_on(stop: threading.Event, watcher: _Watcher) -> None:
    while not stop.wait(_POLL_SECONDS * 2):
        watcher.look()


@contextmanager
def _interrupts(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the demo politely."""
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def configuration(folder: Path, *, port: int, secret: str, receiver: str) -> Config:
    """The demo's configuration, and the reference that it names, in a folder that goes away."""
    (folder / "secret").write_text(secret, encoding="utf-8")
    document = {
        "server": {"listen": f"127.0.0.1:{port}"},
        "state": {"path": "state", "checkpoint": "2s"},
        "sources": [{"type": "http"}],
        "models": [
            {
                "name": MODEL,
                "task": "binary",
                "reference": "flights.reference",
                "window": {"size": "7d", "slide": "1d", "lateness": "1h", "idle_after": "1h", "keep": "1d"},
                "label_wait": "20h",
                "champion": CHAMPION,
                "segments": [{"name": name, "where": where} for name, where in SEGMENTS.items()],
                "protected": ["origin"],
                # Drift is watched by the budget; the rules beside it are for what has a threshold of its own: how far
                # a column must move for the model to be trained again, how good the model has to be.
                "alerting": {"budget": BUDGET},
                "rules": [
                    {"name": "shift", "statistic": "psi", "above": 0.25, "for": 2, "min_rows": 3_000,
                     "severity": "critical", "action": "retrain"},
                    {"name": "accuracy", "metric": "accuracy", "below": 0.82, "judge": "upper", "for": 2,
                     "min_rows": 3_000},
                    {"name": "canary", "metric": "accuracy", "versus": "champion", "segments": False,
                     "severity": "critical", "action": "rollback"},
                    *({"name": check, "statistic": check, "columns": SENT, "min_rows": 1_000} for check in CHECKS),
                ],
            }
        ],
        "targets": [{"name": "trainer", "type": "webhook", "url": receiver, "secret_file": "secret"}],
    }  # fmt: skip
    config = parse(document, where="demo", directory=folder)
    table = folder / "reference.parquet"
    pq.write_table(labelled(load(Part.REFERENCE)), table)
    reference = build_reference([str(table)], config.models[0], now_ms=wall_clock_ms(), progress=lambda *_: None)
    save_reference(reference, folder / "flights.reference")
    return config
