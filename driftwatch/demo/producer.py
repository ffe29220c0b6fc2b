"""Posts the demo's bodies to the service as a client would: in order, at a pace, waiting when it is asked to."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus

import httpx

from driftwatch.demo.dataset import Body, Topic
from driftwatch.errors import SinkError

_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the producer is: events by topic, event time reached, and how often it was asked to wait."""

    predictions: int = 0
    labels: int = 0
    accepted: int = 0
    rejected: int = 0
    waits: int = 0
    event_ms: int = 0


class Producer:
    """Sends bodies to one service until they end or `stop` is set.

    url: the service's root. speed: seconds of event time per second of wall clock, None for as fast as possible.
    """

    def __init__(self, url: str, *, speed: float | None, stop: threading.Event,
                 clock: Callable[[], float] = time.monotonic) -> None:  # fmt: skip
        if speed is not None and speed <= 0:
            raise ValueError("speed must be positive")
        self._url = url.rstrip("/")
        self._speed = speed
        self._stop = stop
        self._clock = clock
        self._progress = Progress()

    @property
    def progress(self) -> Progress:
        """A picture of now; may be read from any thread."""
        return self._progress

    def run(self, bodies: Iterable[Body]) -> Progress:
        """Post everything, in order. SinkError when the service refuses a body or is gone before `stop` is set."""
        started: float | None = None
        first_ms = 0
        with httpx.Client(timeout=_TIMEOUT_SECONDS) as client:
            for body in bodies:
                if started is None:
                    started, first_ms = self._clock(), body.start_ms
                self._pace(body.start_ms - first_ms, started)
                if self._stop.is_set() or not self._post(client, body):
                    break
        return self._progress

    def _pace(self, ahead_ms: int, started: float) -> None:
        if self._speed is None:
            return
        left = started + ahead_ms / 1000 / self._speed - self._clock()
        if left > 0:
            self._stop.wait(left)

    def _post(self, client: httpx.Client, body: Body) -> bool:
        """Post one body, as often as the service asks for it; False when stopped meanwhile."""
        while not self._stop.is_set():
            try:
                answer = client.post(
                    f"{self._url}/v1/{body.topic}", content=body.content, headers={"content-type": "application/json"}
                )
            except httpx.TransportError as error:
                if self._stop.is_set():
                    return False
                raise SinkError(f"{self._url}: the demo's producer lost the service ({error!r})") from error
            if answer.status_code not in _BUSY:
                self._count(body, answer)
                return True
            self._progress = replace(self._progress, waits=self._progress.waits + 1)
            self._stop.wait(_wait_seconds(answer))
        return False

    def _count(self, body: Body, answer: httpx.Response) -> None:
        if answer.status_code != HTTPStatus.OK:
            raise SinkError(f"{self._url}/v1/{body.topic} answered {answer.status_code}: {answer.text[:200]}",
                            retryable=False)  # fmt: skip
        receipt, was = answer.json(), self._progress
        self._progress = replace(
            was,
            predictions=was.predictions + body.rows * (body.topic is Topic.PREDICTIONS),
            labels=was.labels + body.rows * (body.topic is Topic.LABELS),
            accepted=was.accepted + receipt["accepted"],
            rejected=was.rejected + len(receipt["rejected"]),
            event_ms=body.start_ms,
        )


def _wait_seconds(answer: httpx.Response) -> float:
    """What `Retry-After` asks for, in seconds; one where it says nothing or gives a date."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else 1.0
