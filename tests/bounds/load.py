"""Far more than a service can take, over loopback: the senders, and a watch over its memory."""

import gzip
import http.client
import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, Self

import numpy as np

from tests.scenarios import events

MEBIBYTE = 1 << 20
SAMPLE_SECONDS = 0.25
_ALIKE = 20_000
_BATCH = 40_000


def rss_bytes(pid: int, *, key: str = "VmRSS") -> int:
    """What /proc says of a process's resident memory; VmHWM is its greatest so far."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {key} of process {pid}")


class Memory:
    """Samples a process's resident memory until it is closed: (seconds since the start, bytes)."""

    def __init__(self, pid: int) -> None:
        self.samples: list[tuple[float, int]] = []
        self._pid, self._end, self._began = pid, threading.Event(), time.monotonic()
        self._thread = threading.Thread(target=self._run, name="memory")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    @property
    def greatest(self) -> int:
        """The most that was seen."""
        return max(size for _, size in self.samples)

    @property
    def growth(self) -> float:
        """Bytes by which the middle of the last third of the time is above that of the third before it.

        The middles: a body of some megabytes comes and goes, and what grows stays.
        """
        sizes = [size for _, size in self.samples]
        third = len(sizes) // 3
        return median(sizes[-third:]) - median(sizes[third : 2 * third])

    def curve(self, every_seconds: float) -> list[tuple[int, int]]:
        """The most of each so many seconds: (seconds, MiB)."""
        steps: dict[int, int] = {}
        for at, size in self.samples:
            step = int(at // every_seconds)
            steps[step] = max(steps.get(step, 0), size)
        return [(int(step * every_seconds), size // MEBIBYTE) for step, size in sorted(steps.items())]

    def _run(self) -> None:
        while not self._end.wait(SAMPLE_SECONDS):
            self.samples.append((time.monotonic() - self._began, rss_bytes(self._pid)))


def _lines(size_bytes: int, *, drifted: bool) -> tuple[bytes, int]:
    """Newline-delimited events of just under so many bytes, hours apart so that windows close, and how many."""
    rng = np.random.default_rng(3)
    lines = [
        events.event(rng, events.START + row * events.HOUR // 2_000, version="1", drifted=drifted)
        for row in range(_ALIKE)
    ]
    chosen, size = [], 0
    while size + len(lines[len(chosen) % _ALIKE]) < size_bytes:
        chosen.append(lines[len(chosen) % _ALIKE])
        size += len(chosen[-1]) + 1
    return b"\n".join(chosen), len(chosen)


class Body(NamedTuple):
    """What is posted; count: its events."""

    data: bytes
    headers: dict[str, str]
    count: int


@cache
def bodies() -> list[Body]:
    """Bodies near the limits, each costly in a way of its own."""
    plain, many = _lines(int(3.5 * MEBIBYTE), drifted=False)
    large, more = _lines(8 * MEBIBYTE, drifted=True)
    columns: dict[str, Any] = {
        "id": [f"c{row}" for row in range(_BATCH)],
        "time": [events.START] * _BATCH,
        "features.amount": [1.5] * _BATCH,
        "features.country": ["Atlantis"] * _BATCH,
    }
    batch = json.dumps({"model": events.MODEL, "columns": columns}).encode()
    return [
        *[Body(plain, {}, many)] * 12,
        Body(gzip.compress(large, 1), {"Content-Encoding": "gzip"}, more),
        Body(batch, {}, _BATCH),
        smallest(),
        Body(b'{"a": NaN}\n' * (_BATCH // 4), {}, _BATCH // 4),
        Body(gzip.compress(bytes(64 * MEBIBYTE)), {"Content-Encoding": "gzip"}, 1),
    ]


def smallest() -> Body:
    """As many events as fit into few bytes, each of which is refused."""
    return Body(b"[" + b",".join([b"{}"] * _BATCH) + b"]", {}, _BATCH)


class Flood:
    """Threads that post as fast as they are answered, and others that are slow on purpose."""

    def __init__(self, port: int, *, senders: int = 30, readers: int = 40, idlers: int = 100) -> None:
        self.offered = 0
        self.answers: Counter[int | str] = Counter()
        self._port, self._end, self._lock = port, threading.Event(), threading.Lock()
        self._bodies = bodies()
        self._open: list[socket.socket] = []
        jobs: list[Callable[[int], None]] = [self._send] * senders + [self._scrape]
        self._threads = [
            threading.Thread(target=job, args=(number,), name=f"flood-{number}") for number, job in enumerate(jobs)
        ]
        self._counts = readers, idlers

    def __enter__(self) -> Self:
        readers, idlers = self._counts
        for _ in range(readers):
            self._begin(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        for _ in range(idlers):
            self._begin(b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n" + b" " * 60_000)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        for each in self._open:
            each.close()

    def _begin(self, data: bytes) -> None:
        each = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        each.sendall(data)
        self._open.append(each)

    def _send(self, number: int) -> None:
        turn = number
        while not self._end.is_set():
            body, headers, count = self._bodies[turn % len(self._bodies)]
            turn += 1
            # New ids each time: events that are known already would cost less.
            outcome = self._post(body.replace(b'"id": "e', b'"id": "%dx' % (number << 32 | turn)), headers)
            with self._lock:
                self.offered += count
                self.answers[outcome] += 1

    def _post(self, body: bytes, headers: dict[str, str]) -> int | str:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("POST", "/v1/predictions", body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        else:
            return answer.status
        finally:
            connection.close()

    def _scrape(self, _: int) -> None:
        while not self._end.wait(1):
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
            try:
                connection.request("GET", "/metrics")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException) as error:
                with self._lock:
                    self.answers[f"scrape {type(error).__name__}"] += 1
            finally:
                connection.close()


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of this machine that refuses connections for as long as it is held."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def seconds(name: str, *, default: float) -> float:
    """How long to go on, from the environment."""
    return float(os.environ.get(name, default))
