"""A body that is posted again, with and without an Idempotency-Key: each event is counted once."""

import threading

import pytest

from driftwatch.errors import StateError
from tests.scenarios import events
from tests.scenarios.fixtures import configure, reference, stream
from tests.scenarios.probe import Probe, running

__all__ = ["configure", "reference", "stream"]


def post(probe: Probe, body: bytes, key: str | None = None, *, path: str = "/v1/predictions"):
    return probe._client.post(path, content=body, headers={} if key is None else {"Idempotency-Key": key})


@pytest.fixture
def body(stream) -> bytes:
    """Good and refused events."""
    return b"\n".join(stream.lines[:120])


def test_the_same_key_and_body_give_the_same_receipt(configure, body):
    """Also after a restart; nothing is stored or counted again."""
    path = configure()
    with running(path) as (_, probe):
        first = post(probe, body, "order-1")
        again = post(probe, body, '"order-1"')
        before = probe.wait_counted(120).results()
    with running(path) as (_, probe):
        later = post(probe, body, "order-1")
        post(probe, events.MALFORMED[2][0], "order-2")
        after = probe.wait_counted(121).results()

    assert first.status_code == 200
    assert first.json()["rejected"]
    assert again.json() == later.json() == first.json()
    assert before["duplicate"] == sum(before.values()) - before["accepted"] - before["late"] - before["rejected"]
    assert after == {**before, "rejected": before["rejected"] + 1}


def test_the_same_key_with_another_body_is_refused(configure, body):
    """422, and nothing is stored; the other stream has keys of its own."""
    with running(configure()) as (_, probe):
        post(probe, body, "k")
        other = post(probe, body + b"\n", "k")
        label = post(probe, b'{"model": "fraud", "id": "x", "label": 1}', "k", path="/v1/labels")

        assert (other.status_code, other.json()["error"]["code"]) == (422, "key_reused")
        assert label.status_code == 200
        assert probe.metrics().total("http_refused_total", reason="key_reused") == 1


def test_a_body_posted_twice_without_a_key_counts_each_event_once(configure, stream):
    """Events are known by their ids; those that were refused have none, and are refused again."""
    lines = [line for line in stream.lines[:100] if b'"id": "e' in line]
    with running(configure()) as (_, probe):
        for _ in range(2):
            assert post(probe, b"\n".join(lines)).json() == {"accepted": len(lines), "rejected": []}
        results = probe.wait_counted(2 * len(lines)).results()

    assert len(set(lines)) < len(lines)  # the stream itself has some twice
    assert results["accepted"] + results["late"] == len(set(lines))
    assert results["duplicate"] == 2 * len(lines) - len(set(lines))


def test_one_of_many_at_once_is_stored(configure, body):
    """Senders that race with one key all hear the same."""
    with running(configure()) as (_, probe):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(post(probe, body, "k").json())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        single = sum(probe.wait_counted(120).results().values())

    assert len(answers) == 8
    assert all(answer == answers[0] for answer in answers)
    assert single == 120


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ä".encode().decode("latin-1"), '""'])
def test_a_key_that_cannot_be_read_is_refused(service, key):
    """Better than to take it for another one."""
    answer = service.post("/v1/labels", content=b"{}", headers={"Idempotency-Key": key.encode("latin-1")})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_idempotency_key")
    assert service.ingest.taken == []


def test_two_keys_are_refused(service):
    """Nobody could say which one counts."""
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]

    assert service.post("/v1/labels", content=b"{}", headers=headers).status_code == 400


def test_the_longest_key_is_taken(service):
    """The bound belongs to the allowed side."""
    assert service.post("/v1/labels", content=b"{}", headers={"Idempotency-Key": "x" * 255}).status_code == 200
    assert service.ingest.keys == ["x" * 255]


def test_a_full_disk_says_503_and_recovers_by_itself(configure, body):
    """Nothing was stored; the same request is taken once there is room."""
    with running(configure()) as (service, probe):
        link = service._inbox._link
        with link.reading() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")
        full = post(probe, body * 40, "k")
        with link.reading() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        taken = post(probe, body * 40, "k")
        counted = sum(probe.wait_counted(1).results().values())

        assert (full.status_code, full.json()["error"]["code"]) == (503, "state_unavailable")
        assert int(full.headers["Retry-After"]) > 0
        assert taken.status_code == 200
        assert counted > 0
        assert probe.metrics().total("http_refused_total", reason="state_unavailable") == 1


def test_the_inbox_lets_go_of_its_room_when_a_commit_fails(configure, body):
    """A disk that is full for long does not fill the inbox with bodies that were never stored."""
    with running(configure(sources=f'[[sources]]\ntype = "http"\nmax_inbox_bytes = {len(body)}\n')) as (service, probe):
        insert = service._inbox._insert

        def fail(_):
            raise StateError("driftwatch.db: disk I/O error")

        service._inbox._insert = fail
        assert [post(probe, body).status_code for _ in range(3)] == [503, 503, 503]
        service._inbox._insert = insert
        assert post(probe, body).status_code == 200
