"""Rejected events from the door to the store and back: kept only when asked to, replayed as what they were."""

import json

import pytest

from driftwatch.stream.raw import Stream
from tests.cli.conftest import driftwatch
from tests.scenarios import events
from tests.scenarios.fixtures import configure, reference
from tests.scenarios.probe import running
from tests.scenarios.test_process import run

__all__ = ["configure", "driftwatch", "reference"]

CANARY = "canary-4711"
LATER = '{"model": "fraud", "id": "%s", "time": "2026-03-01T00:00:00Z", "features": {"amount": 1}}'


@pytest.fixture
def keeping(configure):
    """A configuration that keeps the bytes of rejected events."""
    path = configure()
    path.write_text(path.read_text().replace("[state]\n", "[state]\nkeep_payload = true\n"), encoding="utf-8")
    return path


def post_and_save(path, *bodies: bytes, clock=None) -> dict[str, float]:
    """Post bodies to a service of its own, and give its counts once it has counted them."""
    with running(path, **({"clock": clock} if clock else {})) as (_, probe):
        before = sum(probe.metrics().results().values())
        count = 0
        for body in bodies:
            receipt = probe.post(body)
            count += receipt["accepted"] + len(receipt["rejected"])
        return probe.wait_counted(int(before) + count).results()


@pytest.fixture
def dead_letters(driftwatch):
    """Call `driftwatch state dead-letters DO DIRECTORY …` in this process."""

    def call(do, path, *options):
        return driftwatch("state", "dead-letters", do, path.with_suffix(""), *options)

    return call


@pytest.fixture
def listed(dead_letters):
    """What `list` says, as documents."""

    def call(path) -> list[dict[str, object]]:
        done = dead_letters("list", path, "--json", "--limit", "1000")
        assert done.code == 0, done.err
        return [json.loads(line) for line in done.out.splitlines()]

    return call


def test_bytes_are_kept_only_when_asked_to(configure, listed):
    """Without keep_payload: reason, place, time and size, and nothing of the event anywhere in the state directory."""
    path = configure()
    post_and_save(path, b'{"model": "fraud", "id": "%s", "time": "never"}\n[1' % CANARY.encode())

    found = listed(path)
    assert [(letter["reason"], letter["place"], letter["bytes"], letter["kept"]) for letter in found] == [
        ("not_json", 1, 2, False),
        ("bad_time", 0, 56, False),
    ]
    with running(path) as (service, probe):  # drops the bodies that the last checkpoint was the first to cover
        rows = service._inbox.read
        probe.wait(lambda: not rows(Stream.PREDICTIONS, 0, limit=1), "the inbox to be empty")
    state = path.with_suffix("")
    assert not any(CANARY.encode() in file.read_bytes() for file in state.iterdir() if "-wal" not in file.name)


def test_replayed_events_are_judged_anew(keeping, dead_letters, listed):
    """Events from the future are accepted once their time has come; what is wrong is refused and listed again."""
    future = "\n".join(LATER % f"f{number}" for number in range(3)).encode()
    first = post_and_save(keeping, future + b"\nnonsense", clock=lambda: events.START)
    assert first == {"accepted": 0, "late": 0, "duplicate": 0, "rejected": 4}
    assert [letter["reason"] for letter in listed(keeping)] == ["not_json", "future", "future", "future"]

    done = dead_letters("replay", keeping)
    assert (done.code, done.out) == (0, "4 events are in the inbox again\n")
    assert listed(keeping) == []
    with running(keeping) as (_, probe):
        # Received once more: eight in all, of which four had been refused, and one is refused again.
        assert probe.wait_counted(8).results() == {"accepted": 3, "late": 0, "duplicate": 0, "rejected": 5}
    assert [letter["reason"] for letter in listed(keeping)] == ["not_json"]


def test_a_row_of_a_columnar_batch_is_kept_by_itself(keeping, dead_letters, listed):
    """Its neighbours are not counted again when it is replayed."""
    columns = {"id": ["a", "b", "c"], "time": [events.START, "2026-03-01T00:00:00Z", events.START],
               "features.amount": [1, 2, 3]}  # fmt: skip
    body = json.dumps({"model": events.MODEL, "version": "1", "columns": columns}).encode()
    first = post_and_save(keeping, b"%b\n%b" % (body, body.replace(b'"a"', b'"d"')), clock=lambda: events.START)
    assert (first["accepted"], first["rejected"]) == (3, 2)
    assert [letter["place"] for letter in listed(keeping)] == [4, 1]

    assert dead_letters("replay", keeping, "--reason", "future").code == 0
    with running(keeping) as (_, probe):
        results = probe.wait_counted(8).results()
    # "c" was a duplicate within the batch's twin; of the two "b" one is new.
    assert results == {"accepted": 4, "late": 0, "duplicate": 2, "rejected": 2}


def test_purge_and_a_directory_in_use(keeping, dead_letters, listed):
    """Only what was asked for goes; a running service keeps its directory to itself."""
    post_and_save(keeping, b"1\nnonsense")
    assert dead_letters("purge", keeping, "--reason", "not_json").out == "1 events are forgotten\n"
    assert [letter["reason"] for letter in listed(keeping)] == ["not_object"]
    text = dead_letters("list", keeping).out
    assert "not_object: 1 listed, 1 can be replayed, 1 bytes" in text
    wrong = dead_letters("list", keeping, "--reason", "bad_mood")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    nowhere = dead_letters("replay", keeping.with_name("nowhere.toml"))
    assert (nowhere.code, nowhere.err.count("\n")) == (3, 1)
    with running(keeping):
        used = run("state", "dead-letters", "replay", str(keeping.with_suffix("")))
    assert used.returncode == 3
    assert "in use" in used.stderr


def test_what_a_checkpoint_cannot_list_is_counted(configure, listed, monkeypatch):
    """Every event is counted, and so is what the store has no room for."""
    monkeypatch.setattr("driftwatch.daemon.dead_letters.MAX_REJECTED", 10)
    path = configure()
    path.write_text(path.read_text().replace('"200ms"', '"1h"'), encoding="utf-8")
    with running(path) as (_, probe):
        probe.post(b"1\n" * 25)
        metrics = probe.wait_counted(25)
        assert metrics.total("rejected_dropped_total") == 15
    assert len(listed(path)) == 10
