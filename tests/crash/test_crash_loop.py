"""SIGKILL at random instants and at every named step, over a real Kafka: nothing is lost, and nothing counted twice.

The same events go through an interrupted service and through one that is left alone. Half of them come from Kafka, half
over HTTP, both in order, so that what is counted does not hang on which of the two was read first. So do their labels,
each the other way; how often a window was looked at for them does hang on it, and what they come to does not.
"""

import json
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from driftwatch.daemon.snapshot import QUALITY
from driftwatch.daemon.state import state_hash, verify
from driftwatch.evaluation.report import JUDGED_BY_LABELS
from driftwatch.failpoints import Point
from driftwatch.ports.answers import Query
from driftwatch.quality.state import HEAD, read_head
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import FILE, Database
from driftwatch.store.history import SqliteHistory
from tests.crash.given import Input, make_input
from tests.crash.nursery import Life, Nursery
from tests.receiver import Receiver
from tests.scenarios import events, world
from tests.scenarios.journal import assert_same, last_words
from tests.scenarios.probe import Probe
from tests.scenarios.test_crash import bodies_stored

SECRET = "whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"
LIFE_SECONDS = 1.2
"""A life that is ended at random ends before this; one that waits for its failpoint in vain, after twice of it."""
END_SECONDS = 60.0


class Poster:
    """Posts bodies in turn, from a thread, until all are answered or the service is gone."""

    def __init__(self, life: Life, bodies: Sequence[tuple[str, bytes]]) -> None:
        self._life, self._bodies = life, bodies
        self.answered = 0
        self._thread = threading.Thread(target=self._run, name="poster")
        self._thread.start()

    def join(self) -> None:
        """Return once it has ended."""
        self._thread.join(END_SECONDS)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        port = self._life.port()
        if port is None:
            return
        with Probe(port) as probe:
            for path, body in self._bodies:
                try:
                    answer = probe.request(path, body)
                except httpx.TransportError:
                    return
                assert answer.status_code == 200, answer.text
                self.answered += 1


@dataclass
class Outcome:
    """What is compared of a run. died: how often, by where. repeats: webhook requests beyond the first of an id."""

    hash: str
    labels: dict[str, tuple[int, int, int]]
    reports: list[dict]
    results: dict[str, float]
    received: set[str]
    listed: set[str]
    repeats: int
    incidents: list[tuple[str, ...]]
    died: Counter[str] = field(default_factory=Counter)


def state_of(path: Path) -> Path:
    """The state directory of a configuration."""
    return path.with_suffix("")


def live_to_the_end(nursery: Nursery, path: Path, given: Input, receiver: Receiver) -> Outcome:
    """Post what is left, wait until everything is counted and delivered, and stop in order."""
    life = nursery.start(path)
    port = life.port()
    assert port is not None, life.log.read_text()
    Poster(life, given.bodies[stored(path) :]).join()
    with Probe(port) as probe:
        results = probe.wait_counted(given.total).results()
        delivered = lambda: all(letter["state"] == "delivered" for letter in probe.listing("deliveries"))  # noqa: E731
        probe.wait(delivered, "the last webhook")
    life.send(signal.SIGTERM)
    assert life.code() == 0, life.log.read_text()
    reports, letters = listed(path)  # by now the last ones are saved, too
    ids = [request.headers["webhook-id"] for request in receiver.received]
    assert verify(state_of(path)).startswith(f"{state_of(path)}: good")
    return Outcome(
        state_hash(state_of(path)),
        labels_of(state_of(path)),
        reports,
        results,
        set(ids),
        {each["id"] for each in letters},
        len(ids) - len(set(ids)),
        incidents_of(state_of(path)),
    )


def listed(path: Path) -> tuple[list[dict], list[dict]]:
    """Every report and every webhook that a state holds."""
    with closing(Database(state_of(path))) as database:
        history, everything = SqliteHistory(database), Query(limit=10_000)
        return history.reports(everything).items, history.deliveries(everything).items


def incidents_of(directory: Path) -> list[tuple[str, ...]]:
    """Every incident that a state holds, with what depends on events alone."""
    with closing(Database(directory)) as database:
        found = SqliteHistory(database).incidents(Query(limit=10_000)).items
        names = ("id", "alert", "version", "reason", "began", "rules", "kinds", "calm_windows")
        return [tuple(str(each[name]) for name in names) for each in found]


def labels_of(directory: Path) -> dict[str, tuple[int, int, int]]:
    """What the state says of labels."""
    with closing(Database(directory)) as database:
        return read_head(SqliteStore(database).load().panes[events.MODEL][QUALITY + HEAD]).totals


def of_rows(documents: Sequence[dict]) -> list[dict]:
    """The last words about rows alone: how often and when labels were looked at is left out.

    With it the alerts that stood at that moment: they are compared by the state hash.
    """
    return [
        {
            **document,
            "window": {name: value for name, value in document["window"].items() if name != "stage"},
            "readings": [each for each in document["readings"] if each["family"] not in JUDGED_BY_LABELS],
            "alerts": None,
            "revision": 0,
            "labels": None,
        }
        for document in last_words(documents)
    ]


def stored(path: Path) -> int:
    """How many bodies are in for good; none where a crash came before the tables were made."""
    file = state_of(path) / FILE
    if not file.exists():
        return 0
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:  # or its log would be gone
        made = connection.execute("SELECT COUNT(*) FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone()[0]
    return bodies_stored(state_of(path)) if made else 0


def live_and_die(nursery: Nursery, path: Path, bodies: Sequence[tuple[str, bytes]], dice: random.Random) -> str:
    """One life that ends by SIGKILL, half of them at a failpoint; where it died."""
    point = dice.choice([*Point, *[None] * len(Point)])
    times = 1 if str(point).startswith("delivery") else dice.randint(1, 3)  # deliveries are few
    life = nursery.start(path, crash_at=f"{point}:{times}" if point else "")
    began, last = time.monotonic(), (LIFE_SECONDS * 2 if point else dice.uniform(0.0, LIFE_SECONDS))
    poster = Poster(life, bodies)
    while time.monotonic() - began < last and not life.ended():
        time.sleep(0.005)
    died_at = str(point) if life.ended() else "random instant"
    life.send(signal.SIGKILL)
    assert life.code() == -signal.SIGKILL, life.log.read_text()
    poster.join()
    return died_at


def interrupted(
    nursery: Nursery, path: Path, given: Input, *, kills: int, feed, receiver: Receiver, seed: int
) -> Outcome:
    """A run that is killed so many times."""
    dice, died = random.Random(seed), Counter()
    for number in range(kills):
        share = (number + 1) / (kills + 1)
        feed(share)
        died[live_and_die(nursery, path, given.bodies[stored(path) : round(len(given.bodies) * share)], dice)] += 1
    feed(1.0)
    outcome = live_to_the_end(nursery, path, given, receiver)
    outcome.died = died
    return outcome


def crash_loop(kafka, configure, folder: Path, *, kills: int, hours: int, seed: int) -> None:
    """Compare an interrupted run with one that was left alone."""
    given, topic, labels = make_input(hours=hours), kafka.topic(), kafka.topic()
    secret = folder / "secret"
    secret.write_text(SECRET, encoding="utf-8")
    sent = 0.0

    def feed(share: float) -> None:
        nonlocal sent
        for name, records in ((topic, given.kafka), (labels, given.kafka_labels)):
            kafka.produce(name, records[round(len(records) * sent) : round(len(records) * share)])
        sent = share

    def path(state: str, receiver: Receiver) -> Path:
        sources = world.HTTP + world.kafka(kafka.bootstrap, topic, f"{topic}-{state}", labels=labels)
        return configure(
            sources=sources, targets=world.webhook(receiver.url, secret, actions=["retrain", "notify"]), state=state
        )

    with Nursery() as nursery, Receiver() as killed_receiver, Receiver() as receiver:
        began = time.monotonic()
        killed = interrupted(
            nursery, path("killed", killed_receiver), given, kills=kills, feed=feed, receiver=killed_receiver, seed=seed
        )
        seconds = time.monotonic() - began
        alone = path("whole", receiver)
        whole = live_to_the_end(nursery, alone, given, receiver)

    assert killed.results == whole.results == {
        "accepted": given.total - given.again, "late": 0, "duplicate": given.again, "rejected": 0,
    }  # fmt: skip
    assert killed.hash == whole.hash
    assert killed.labels == whole.labels == given.labels
    assert_same(of_rows(killed.reports), of_rows(whole.reports))
    assert killed.received == killed.listed == whole.received == whole.listed
    assert killed.incidents == whole.incidents
    # Trouble often returns before the incident is over: then it goes on, so there are fewer than times of drift.
    assert len({name for name, *_ in whole.incidents}) == len(whole.incidents) >= hours // 16
    assert len(whole.listed) >= hours // 4
    assert sum(killed.died.values()) == kills
    summary = {
        "seed": seed, "kills": kills, "died": dict(sorted(killed.died.items())), "events": given.total,
        "counted": killed.results, "webhooks": len(killed.listed), "incidents": len(whole.incidents),
        "repeated requests": killed.repeats,
        "seconds": round(seconds, 1), "hash": killed.hash,
    }  # fmt: skip
    print(json.dumps(summary))


@pytest.mark.kafka
def test_twenty_kills_change_nothing(kafka, configure, tmp_path):
    """The same state hash, reports, counts and webhooks as without them."""
    crash_loop(kafka, configure, tmp_path, kills=20, hours=24, seed=1)


@pytest.mark.soak
@pytest.mark.kafka
@pytest.mark.parametrize("seed", range(3))
def test_eighty_kills_change_nothing(kafka, configure, tmp_path, seed):
    """Three times, with other dice: 240 kills."""
    crash_loop(kafka, configure, tmp_path, kills=80, hours=96, seed=100 + seed)
