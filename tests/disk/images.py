"""State directories as a stop or a crash leaves them, and what becomes of a start on a copy of one."""

import base64
import json
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from driftwatch.daemon.state import state_hash
from driftwatch.errors import StateError
from driftwatch.evaluation.alerts import State
from driftwatch.ports.streams import InboxRow
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import FILE, Database
from driftwatch.store.inbox import SqliteInbox
from driftwatch.store.outbox import SqliteOutbox
from driftwatch.stream.raw import Stream
from tests.store.examples import START, checkpoint, letter, report, transition

GOLDEN = Path(__file__).parents[1] / "golden" / "monitor_v1.state"
EVENTS = b'[[[["fraud","predictions","http","accepted"],159]],[]]'


@dataclass(frozen=True)
class Held:
    """All that counts of a state: its hash, and the bodies that are still to be counted."""

    hash: str
    waiting: tuple[InboxRow, ...]


def fill(directory: Path) -> Database:
    """Write a state with everything in it, in several transactions, and leave it open."""
    stored = json.loads(GOLDEN.read_text(encoding="utf-8"))
    panes = {name: base64.b64decode(pane) for name, pane in stored["panes"].items()}
    database = Database(directory)
    store, inbox, outbox = SqliteStore(database), SqliteInbox(database), SqliteOutbox(database)
    for number in range(4):
        inbox.append(Stream.PREDICTIONS, b'{"n": %d, "pad": "%s"}' % (number, b"x" * 700), received_ms=START + number)
    inbox.append(Stream.LABELS, b"{}" * 3_000, received_ms=START)
    steps = (transition(State.PENDING), transition(State.FIRING, window=1), transition(State.RESOLVED, window=2))
    store.save(
        checkpoint(
            positions={"kafka/predictions/0": 7, "http/predictions": 3},
            monitors={"fraud": stored["core"].encode()},
            panes={"fraud": panes},
            engine=EVENTS,
            reports=(report(0), report(1, revision=3)),
            transitions=steps,
            letters=(letter("msg_1"), letter("msg_2", alert_id="a2")),
        )
    )
    outbox.delivered(letter("msg_1"), now_ms=START + 5, result="delivered")
    inbox.drop(Stream.PREDICTIONS, 2)
    store.save(
        checkpoint(positions={"kafka/predictions/0": 9}, engine=EVENTS, panes={"fraud": {next(iter(panes)): None}})
    )
    inbox.append(Stream.PREDICTIONS, b'{"the last": "body"}', received_ms=START + 9)
    return database


def stopped(directory: Path) -> Path:
    """Give the state as an orderly stop leaves it: no write-ahead log."""
    fill(directory).close()
    return directory


def crashed(directory: Path) -> Path:
    """Give the state as SIGKILL leaves it: everything is in the write-ahead log."""
    live = directory.with_name(f"{directory.name}-live")
    with closing(fill(live)):
        shutil.copytree(live, directory)
    return directory


def start(directory: Path) -> Held | StateError:
    """Do what a start does; a refusal is given back, anything else that is raised is a bug."""
    try:
        database = Database(directory)
    except StateError as refused:
        return refused
    try:
        SqliteStore(database).load()
        inbox = SqliteInbox(database)
        waiting = tuple(row for stream in Stream for row in inbox.read(stream, 0, limit=99))
        SqliteOutbox(database).due("trainer", START, limit=9)
    except StateError as refused:
        return refused
    finally:
        database.close()
    return Held(state_hash(directory), waiting)


def spoil(image: Path, directory: Path, name: str, data: bytes) -> Path:
    """Copy an image, with other bytes in one of its files."""
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(image, directory)
    (directory / name).write_bytes(data)
    return directory


def is_honest(outcome: Held | StateError, expected: Held) -> bool:
    """Whether a start on a spoilt copy gave the whole state, or a refusal in one line that names the file and helps."""
    if isinstance(outcome, Held):
        return outcome == expected
    text = str(outcome)
    return FILE in text and "\n" not in text and ("restore a backup" in text or "run the release" in text)
