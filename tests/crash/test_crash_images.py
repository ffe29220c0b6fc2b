"""Images of the state directory of a process under load, as a crash or a loss of power leaves it (promise R2).

Each is whole, holds every body that was answered 200, and a service that goes on from it ends as one that was never
interrupted: the same state hash, counts and reports.
"""

import json
import random
import shutil
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from driftwatch.daemon.state import state_hash, verify
from driftwatch.store.database import FILE, LOCK
from tests.crash.nursery import Life, Nursery
from tests.crash.power import Act, Disk, Fate, steps, traced
from tests.crash.test_crash_loop import Input, Outcome, Poster, live_to_the_end, make_input, state_of, stored
from tests.disk.conftest import refuse
from tests.receiver import Receiver
from tests.scenarios import world
from tests.scenarios.journal import assert_same, last_words
from tests.scenarios.probe import Probe
from tests.servers.broker import wait_until

SECRET = "whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"
PREDICTIONS = "/v1/predictions"
HOURS, MANY_HOURS = 8, 20
"""With many hours SQLite brings its log into the file, and begins it anew, while the service runs."""
BODY_SECONDS = 0.004
"""About how long a body takes; images are taken all over the time that all of them take."""


@dataclass
class Ground:
    """What all images of a test are judged by."""

    nursery: Nursery
    receiver: Receiver
    configure: object
    given: Input
    whole: Outcome
    tally: Counter[str] = field(default_factory=Counter)

    def path(self, state: str) -> Path:
        """Write a configuration whose state directory is called so."""
        return self.configure(state=state)

    def judge(self, path: Path, *, answered: int, why: str) -> None:
        """Look at an image without and with starting on it, and go on from it to the end."""
        if (state_of(path) / FILE).exists() and answered:
            assert ": good: " in verify(state_of(path)), why
            state_hash(state_of(path))
        there = stored(path)
        assert answered <= there <= answered + 1, f"{answered} were answered, {there} are there: {why}"
        self.tally["with bodies to come"] += there < len(self.given.bodies)
        end = live_to_the_end(self.nursery, path, self.given, self.receiver)
        assert end.hash == self.whole.hash, why
        assert end.results == self.whole.results, why
        assert end.listed == self.whole.listed, why
        assert_same(last_words(end.reports), last_words(self.whole.reports))
        self.tally["images"] += 1


@pytest.fixture
def ground(request, configure, tmp_path):
    """A service that was never interrupted, and what others are started by."""
    given = make_input(hours=MANY_HOURS if request.node.get_closest_marker("soak") else HOURS)
    posted = [body for path, body in given.bodies if path == PREDICTIONS]
    lines = sorted({line for body in posted for line in body.splitlines()} | set(given.kafka), key=_time)
    again = lines[7::25]
    lines = sorted([*lines, *again], key=_time)
    bodies = [(PREDICTIONS, b"\n".join(lines[start : start + 3])) for start in range(0, len(lines), 3)]
    given = Input([], [], bodies, {}, len(lines), len(again))
    secret = tmp_path / "secret"
    secret.write_text(SECRET, encoding="utf-8")
    with Nursery() as nursery, Receiver() as receiver:
        target = world.webhook(receiver.url, secret, actions=["retrain", "notify"])
        make = lambda state: configure(state=state, targets=target)  # noqa: E731
        whole = live_to_the_end(nursery, make("whole"), given, receiver)
        assert whole.results == {
            "accepted": len(lines) - len(again), "late": 0, "duplicate": len(again), "rejected": 0,
        }  # fmt: skip
        assert whole.listed
        yield Ground(nursery, receiver, lambda *, state: make(state), given, whole)


def _time(line: bytes) -> int:
    time_ms: int = json.loads(line)["time"]
    return time_ms


def freeze(ground: Ground, life: Life, poster: Poster, number: int) -> tuple[Path, int]:
    """Stop a process where it stands, copy its state file by file, and let it go on."""
    life.send(signal.SIGSTOP)
    wait_until(lambda: _stopped(life.pid), seconds=5.0, what="the process to stand still")
    path = ground.path(f"image{number}")
    shutil.copytree(state_of(ground.path("live")), state_of(path), ignore=shutil.ignore_patterns(LOCK))
    answered = poster.answered
    life.send(signal.SIGCONT)
    return path, answered


def _stopped(pid: int) -> bool:
    tasks = [task / "stat" for task in Path(f"/proc/{pid}/task").iterdir()]
    return all(task.read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)


def take_copies(ground: Ground, *, images: int, seed: int) -> None:
    """Judge copies of a live state directory, taken at random instants while bodies are posted."""
    dice = random.Random(seed)
    life = ground.nursery.start(ground.path("live"))
    port = life.port()
    assert port is not None
    taken = []
    poster = Poster(life, ground.given.bodies)
    for number in range(images):
        due = (number + dice.random()) / images * len(ground.given.bodies)
        wait_until(lambda: poster.answered >= int(due), seconds=30.0, what="enough answers")  # noqa: B023 - at once
        time.sleep(dice.random() * BODY_SECONDS)  # not for luck: any instant will do
        taken.append(freeze(ground, life, poster, number))
    poster.join()
    with Probe(port) as probe:
        probe.wait_counted(ground.given.total)
    life.send(signal.SIGTERM)
    assert life.code() == 0
    assert state_hash(state_of(ground.path("live"))) == ground.whole.hash
    for path, answered in taken:
        ground.judge(path, answered=answered, why=f"seed {seed}, {path}")
        shutil.rmtree(state_of(path))
    print(json.dumps({"seed": seed, **ground.tally}))


def lose_power(ground: Ground, folder: Path, *, images: int, seed: int) -> None:
    """Judge what losses of power would have left, at random steps of a process that was traced from start to stop."""
    strace = shutil.which("strace")
    if strace is None:
        refuse("strace is not installed: `apt-get install strace`")
    dice, live = random.Random(seed), ground.path("live")
    with traced(str(strace), live, folder / "trace") as port, Probe(port) as probe:
        for _, body in ground.given.bodies:
            probe.post(body)
        probe.wait_counted(ground.given.total)
    assert state_hash(state_of(live)) == ground.whole.hash
    taken = steps(folder / "trace", state_of(live))
    (folder / "trace").unlink()
    places = sorted(dice.sample(range(1, len(taken) + 1), images))
    fates = [list(Fate)[number % len(Fate)] for number in range(images)]
    dice.shuffle(fates)
    disk, done, syncs = Disk(state_of(live)), 0, sum(step.act is Act.SYNC_ENDS for step in taken)
    for number, (place, fate) in enumerate(zip(places, fates, strict=True)):
        for step in taken[done:place]:
            disk.take(step)
        done = place
        path = ground.path(f"image{number}")
        disk.lose_power(state_of(path), fate, dice)
        answered = min(disk.answers, len(ground.given.bodies))
        ground.tally[str(fate)] += 1
        ground.tally["writes at risk"] += disk.at_risk
        why = f"seed {seed}, step {place} of {len(taken)}, {fate}, {path}"
        ground.judge(path, answered=answered, why=why)
        shutil.rmtree(state_of(path))
    print(json.dumps({"seed": seed, "steps": len(taken), "syncs": syncs, **dict(sorted(ground.tally.items()))}))


def test_copies_of_a_live_state_directory_go_on_as_if_nothing_had_been(ground):
    """Three instants, the process standing still."""
    take_copies(ground, images=3, seed=1)


def test_a_loss_of_power_takes_nothing_that_was_answered(ground, tmp_path):
    """Five instants: what was not synced is lost, torn, or there in part."""
    lose_power(ground, tmp_path, images=5, seed=1)


@pytest.mark.soak
def test_many_copies_of_a_live_state_directory(ground):
    """Forty instants."""
    take_copies(ground, images=40, seed=100)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
def test_many_losses_of_power(ground, tmp_path, seed):
    """Twice fifty."""
    lose_power(ground, tmp_path, images=50, seed=200 + seed)
