"""Many columns that move in one window: how many letters the engine writes of them, and in which order they go."""

import json

import pytest

from driftwatch.config import load
from driftwatch.daemon.queue import Command
from driftwatch.daemon.referencing import build_reference, save_reference
from driftwatch.daemon.watch import load_watch
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.outbox import SqliteOutbox
from tests.daemon.rigs import Rig
from tests.scenarios.probe import NOW_MS
from tests.store.examples import checkpoint

HOUR = 3_600_000
BEGIN = NOW_MS // HOUR * HOUR - 24 * HOUR
COLUMNS, ROWS = 50, 100
MOVED = [0, 30, COLUMNS, 40, 0, 0]
"""How many columns have moved in each hour; a last hour without a row closes the one before it."""
CONFIG = """
[[sources]]
type = "http"
[[models]]
name = "wide"
task = "none"
reference = "{reference}"
window = {{ size = "1h", lateness = "0s", idle_after = "1h", max_future = "10d" }}
segments = ["country"]
[[models.rules]]
name = "drift"
statistic = "tv"
above = 0.5
min_rows = 20
columns = {columns}
action = "{action}"
"""


def row(number: int, moved: int, *, time_ms: int, name: str) -> bytes:
    """An event whose first so many columns have moved, each a little more than the one after it."""
    features = {f"c{n:02}": float(number % 20 + (100 if n < moved else 0)) for n in range(COLUMNS)}
    features["country"] = "DE" if number % 2 else "FR"
    return json.dumps({"model": "wide", "id": name, "time": time_ms, "features": features}).encode()


STORY = [
    row(n, moved, time_ms=BEGIN + hour * HOUR + n * 1_000, name=f"{hour}-{n}")
    for hour, moved in enumerate(MOVED)
    for n in range(ROWS if hour + 1 < len(MOVED) else 1)
]


@pytest.fixture(scope="module", params=["notify", "retrain"])
def watch(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wide")
    data, path = folder / "reference.jsonl", folder / "wide.reference"
    data.write_bytes(b"\n".join(row(n, 0, time_ms=BEGIN + n, name=str(n)) for n in range(400)))
    names = json.dumps([f"c{n:02}" for n in range(COLUMNS)])
    file = folder / "config.toml"
    file.write_text(CONFIG.format(reference=path, columns=names, action=request.param), encoding="utf-8")
    spec = load(file, {}).models[0]
    save_reference(build_reference([str(data)], spec, now_ms=NOW_MS, progress=lambda *_: None), path)
    return load_watch(load(file, {}), 0)


def told(watch, *, portion: int, cooldown_ms: int = 0):
    """The letters of the story, read in portions of so many events."""
    with Rig(watch, cooldown_ms=cooldown_ms) as rig:
        for start in range(0, len(STORY), portion):
            rig.feed(STORY[start : start + portion], position=start + portion)
        rig.order(Command.SAVE)
        return rig.store.letters


def test_one_letter_for_all_that_moved(watch):
    """First thirty columns, whole and in two segments; those that join are one more; and each return is one."""
    letters = told(watch, portion=10)
    said = [json.loads(letter.body) for letter in letters]
    action = "driftwatch.retrain.requested" if watch.spec.rules[0].action == "retrain" else "driftwatch.alert.firing"

    assert [(each["type"], each["data"]["alerts_total"]) for each in said] == [
        (action, 3 * 30),
        ("driftwatch.alert.firing", 3 * 20),  # of an incident that retraining has been asked for
        ("driftwatch.alert.resolved", 3 * 10),
        ("driftwatch.alert.resolved", 3 * 40),
    ]
    fired, joined, *ended = [each["data"] for each in said]
    assert fired["cause"]["columns"][:30] == [f"c{n:02}" for n in range(30)]
    assert joined["cause"]["columns"][:20] == [f"c{n:02}" for n in range(30, 50)]
    assert {each["alert"]["state"] for each in ended} == {"resolved"}
    assert fired["segment"] == ""
    assert [each["segment"] for each in fired["alerts"]][:30] == [""] * 30


def test_every_end_goes_behind_its_beginning(watch, tmp_path):
    """However the alerts are put together when they fire and when they end: in one lane, one after another."""
    letters = told(watch, portion=10)
    database = Database(tmp_path)
    SqliteStore(database).save(checkpoint(letters=letters))
    outbox = SqliteOutbox(database)
    order = []
    while due := outbox.due("trainer", NOW_MS, limit=9):
        (letter,) = due
        outbox.retry(letter, next_ms=NOW_MS, result="timeout")
        assert outbox.due("trainer", NOW_MS, limit=9)[0].id == letter.id
        outbox.delivered(letter, now_ms=NOW_MS, result="delivered")
        order.append(letter.id)
    database.close()

    assert order == [letter.id for letter in letters]


def test_the_same_letters_however_the_events_are_cut(watch):
    """After a crash events come in other portions, and one may close several windows."""
    wanted = [(letter.id, letter.lane, letter.body) for letter in told(watch, portion=1)]

    for portion in (7, 250, len(STORY)):
        assert [(letter.id, letter.lane, letter.body) for letter in told(watch, portion=portion)] == wanted


def test_a_cooldown_holds_back_no_notices(watch):
    """Those who join are not asked for again, as long as their incident is open; notices are not held back."""
    kinds = [letter.type.rpartition(".")[2] for letter in told(watch, portion=10, cooldown_ms=HOUR)]

    if watch.spec.rules[0].action == "retrain":
        assert kinds == ["requested", "firing", "resolved", "resolved"]
    else:
        assert kinds == ["firing", "firing", "resolved", "resolved"]
