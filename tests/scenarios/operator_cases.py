"""States of a service from which an operator's words begin, made once and copied, and lives that end by SIGKILL."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from driftwatch.daemon.state import verify
from driftwatch.failpoints import Point
from tests.crash.nursery import Life, Nursery
from tests.receiver import Receiver
from tests.scenarios import events, world
from tests.scenarios.events import HOUR, START
from tests.scenarios.probe import WAIT_SECONDS, Probe
from tests.scenarios.test_recovery import CALM, DRIFTED, RECOVERY, ROWS, RULE, SECRET

MANUAL = 'approval = "manual"\n'


def hours(first: int, count: int, *, version: str = "1", drifted: bool = False) -> list[bytes]:
    """Bodies of whole hours of the stream."""
    rng = np.random.default_rng(first)
    return [
        b"\n".join(
            events.event(rng, START + hour * HOUR + row * HOUR // ROWS, version=version, drifted=drifted)
            for row in range(ROWS)
        )
        for hour in range(first, first + count)
    ]


@dataclass
class Case:
    """One state on disk, who is told by it, and the services that live on it in turn. ids: of what it holds."""

    nursery: Nursery
    folder: Path
    reference: Path
    receiver: Receiver
    policies: str = MANUAL
    ids: dict[str, str] = field(default_factory=dict)
    _path: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        secret = self.folder / "secret"
        secret.write_text(SECRET, encoding="utf-8")
        trainer = world.webhook(self.receiver.url, secret, actions=["retrain"]) + self.policies
        people = world.webhook(self.receiver.url, secret, name="people", actions=["notify"])
        self._path = world.configuration(self.folder, self.reference, targets=trainer + people, rules=RULE + RECOVERY)

    @property
    def state(self) -> Path:
        """The state directory."""
        return self._path.with_suffix("")

    def begin_from(self, other: "Case") -> None:
        """Go on from where another has stopped."""
        shutil.copytree(other.state, self.state)
        self.ids = dict(other.ids)

    def told(self, kind: str) -> list[str]:
        """The webhook ids of what was received of a type, one for each request."""
        return [
            each.headers["webhook-id"]
            for each in self.receiver.wait(0)
            if each.verified(SECRET)["type"] == f"driftwatch.{kind}"
        ]

    @contextmanager
    def alive(self) -> Iterator[Probe]:
        """A life that is stopped in order; its state is good afterwards."""
        life = self.nursery.start(self._path)
        with _probe(life) as probe:
            yield probe
            probe.wait(lambda: not any(each["state"] == "pending" for each in probe.listing("deliveries")), "letters")
        life.send(signal.SIGTERM)
        assert life.code() == 0, life.log.read_text()
        assert verify(self.state).startswith(f"{self.state}: good")

    def says_and_dies(self, path: str, said: dict[str, Any] | None, *, at: Point | None = None) -> int | None:
        """Say it (None: DELETE) to a life that dies there, or with the answer; its status, None when none came."""
        life = self.nursery.start(self._path, crash_at=at or "")
        with _probe(life) as probe:
            status = say(probe, path, said)
        if at is None:
            life.send(signal.SIGKILL)
        assert life.code(seconds=WAIT_SECONDS) == -signal.SIGKILL, life.log.read_text()
        return status


def say(probe: Probe, path: str, said: dict[str, Any] | None) -> int | None:
    """Say something to the API, or DELETE what is there when it is None; the status, None when the service died."""
    url = f"{probe.url}/api/v1/{path}"
    try:
        answer = httpx.delete(url) if said is None else httpx.post(url, json=said, timeout=WAIT_SECONDS)
    except httpx.TransportError:
        return None
    return answer.status_code


@contextmanager
def _probe(life: Life) -> Iterator[Probe]:
    port = life.port()
    assert port is not None, life.log.read_text()
    with Probe(port) as probe:
        yield probe


def post_hours(probe: Probe, bodies: list[bytes]) -> None:
    """Post these hours and return once they are counted."""
    before = sum(probe.metrics().results().values())
    for body in bodies:
        probe.post(body)
    probe.wait(
        lambda: sum(probe.metrics().results().values()) >= before + ROWS * len(bodies), "the hours to be counted"
    )


def drift(probe: Probe) -> None:
    """Post the drifted hours; return once the alert fires and its request is written."""
    post_hours(probe, hours(CALM, DRIFTED, drifted=True))
    probe.wait(
        lambda: any(each["type"].endswith("requested") for each in probe.listing("deliveries")),
        "the request to be written",
    )


def only(probe: Probe, what: str) -> dict[str, Any]:
    """The one item of a listing."""
    (item,) = probe.listing(what)
    return item
