"""SIGKILL while a model learns its reference, when it is learnt and when it is taken over: the same, as if unharmed."""

import random
import signal
from pathlib import Path

import pytest

from driftwatch.daemon.state import state_hash, verify
from driftwatch.failpoints import Point
from driftwatch.store import references
from tests.crash.nursery import Life, Nursery
from tests.crash.test_crash_loop import END_SECONDS, Poster, listed, state_of, stored
from tests.daemon.lessons import LEARNT, WINDOW
from tests.scenarios import events, world
from tests.scenarios.journal import assert_same, last_words
from tests.scenarios.probe import Probe
from tests.servers.broker import wait_until

FLOW = events.flow()
BODIES = [("/v1/predictions", body) for body in events.portions(FLOW.lines, most=60)]

CHECKPOINT = [point for point in Point if point.startswith("checkpoint")]
LEARNING = [Point.REFERENCE_LEARNT, Point.TAKEN_OVER]


def configuration(folder: Path, state: str) -> Path:
    """A service that learns two hours."""
    path = folder / f"{state}.toml"
    path.write_text(
        f'[server]\nlisten = "127.0.0.1:0"\n[state]\npath = "{state}"\ncheckpoint = "50ms"\n{world.HTTP}'
        f'[[models]]\nname = "fraud"\ntask = "binary"\nreference = {{ first = "2h" }}\n{WINDOW}\n{world.RULES}',
        encoding="utf-8",
    )
    return path


def die(nursery: Nursery, path: Path, *, point: str, share: float) -> bool:
    """One life that takes so much of the stream; whether it died at that point. It is killed in any case."""
    life = nursery.start(path, crash_at=point)
    Poster(life, BODIES[stored(path) : round(len(BODIES) * share)]).join()
    died = True
    try:
        wait_until(life.ended, seconds=3.0, what="the failpoint")
    except TimeoutError:
        died = False
    life.send(signal.SIGKILL)
    assert life.code() == -signal.SIGKILL, life.log.read_text()
    return died


def live(nursery: Nursery, path: Path) -> Life:
    """Take the rest, and stop in order once all of it is counted."""
    life = nursery.start(path)
    port = life.port()
    assert port is not None, life.log.read_text()
    Poster(life, BODIES[stored(path) :]).join()
    with Probe(port) as probe:
        probe.wait(lambda: not probe.listing("status")[0]["learning"], "the model to be watched")
        probe.wait_counted(len(FLOW.lines))
    life.send(signal.SIGTERM)
    assert life.code(seconds=END_SECONDS) == 0, life.log.read_text()
    return life


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A service that was left alone."""
    path = configuration(tmp_path_factory.mktemp("whole"), "whole")
    with Nursery() as nursery:
        live(nursery, path)
    return path


@pytest.mark.parametrize("seed", range(3))
def test_kills_change_nothing(tmp_path, whole, seed):
    """Five lives end at a failpoint or at its absence, two of them where learning ends; then one takes the rest."""
    dice, path = random.Random(seed), configuration(tmp_path, "killed")
    points = [dice.choice(CHECKPOINT), *LEARNING, *dice.sample(CHECKPOINT, 2)]
    shares = [0.2, 0.45, 0.55, 0.6, 0.8]
    with Nursery() as nursery:
        died = [
            die(nursery, path, point=f"{point}:{1 if point in LEARNING else dice.randint(1, 4)}", share=share)
            for point, share in zip(points, shares, strict=True)
        ]
        live(nursery, path)
    assert died[1:3] == [True, True]
    learnt, expected = (references.load(state_of(each) / "learning" / "fraud.reference") for each in (path, whole))
    assert (learnt.layout.fingerprint, learnt.source_hash) == (expected.layout.fingerprint, expected.source_hash)
    assert learnt.rows >= LEARNT
    assert verify(state_of(path)).startswith(f"{state_of(path)}: good")
    assert_same(last_words(listed(path)[0]), last_words(listed(whole)[0]))
    assert state_hash(state_of(path)) == state_hash(state_of(whole))
