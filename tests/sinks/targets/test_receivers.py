"""What holds for every target that tells or starts something: how failures are judged, and that no secret gets out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from driftwatch.errors import SinkError
from driftwatch.sinks.attempts import Result, UnansweredError
from driftwatch.sinks.courier import Courier
from driftwatch.sinks.targets.target import Reply, Request
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.outbox import SqliteOutbox
from tests.sinks.targets.faults import NOW_MS, Server, answer, made, reply
from tests.sinks.targets.letters import request
from tests.store.examples import checkpoint

SECRET = "https://hooks.example/T0/hunter2"
"""It is an address, for one kind's secret is."""
TABLES: dict[str, tuple[dict[str, Any], str]] = {
    "github": ({"type": "github", "repository": "a/b"}, "token"),
    "github workflow": (
        {"type": "github", "repository": "a/b", "event": "workflow_dispatch", "workflow": "x.yml"}, "token",
    ),
    "gitlab": ({"type": "gitlab", "project": "1"}, "token"),
    "jenkins": ({"type": "jenkins", "url": "http://j:1", "job": "x", "username": "u"}, "token"),
    "alertmanager": ({"type": "alertmanager", "urls": ["http://am:9093"]}, "token"),
    "alertmanager with a user": ({"type": "alertmanager", "urls": ["http://am:9093"], "username": "u"}, "password"),
    "pagerduty": ({"type": "pagerduty"}, "routing_key"),
    "slack": ({"type": "slack"}, "url"),
    "cloudevents": ({"type": "cloudevents", "url": "http://ce:1"}, "token"),
    "cloudevents structured": ({"type": "cloudevents", "url": "http://ce:1", "mode": "structured"}, "token"),
}  # fmt: skip


@pytest.fixture(params=TABLES.values(), ids=TABLES.keys())
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A table of every kind, whose secret is in a file."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    keys, secret = request.param
    return keys | {f"{secret}_file": str(tmp_path / "secret")}


@pytest.mark.parametrize(
    ("given", "result", "retry_after_ms"),
    [
        (reply(302, location="https://elsewhere/"), Result.REFUSED_REDIRECT, 0),
        (reply(401), Result.HTTP_ERROR, 0),
        (reply(403, b"no"), Result.HTTP_ERROR, 0),
        (reply(410), Result.GONE, 0),
        (reply(422), Result.HTTP_ERROR, 0),
        (reply(429, retry_after="7"), Result.THROTTLED, 7_000),
        (reply(500, b"\xff\x00"), Result.HTTP_ERROR, 0),
        (reply(503, retry_after="9"), Result.THROTTLED, 9_000),
    ],
)
def test_failures(table: dict[str, Any], given: Reply, result: Result, retry_after_ms: int) -> None:
    """Every kind judges them alike; one request is made of an attempt."""
    found, requests = answer(made(**table), given)

    assert (found.result, found.retry_after_ms) == (result, retry_after_ms)
    assert len(requests) == 1


def test_the_same_letter_is_the_same_request(table: dict[str, Any]) -> None:
    """An attempt that is made again says nothing new, so that receivers know it."""
    server = Server([reply(500)])
    for letter in (request(), request(attempts=3), request()):
        made(**table).deliver(letter, now_ms=NOW_MS, ask=server.ask)

    assert len({(asked.url, asked.body, *asked.headers.items()) for asked in server.requests}) == 1


def test_a_secret_that_is_missing(table: dict[str, Any], tmp_path: Path) -> None:
    """It is said at the start, and nothing is sent without it; when it is there again, the next attempt has it."""
    (tmp_path / "secret").unlink()
    target, server = made(**table), Server([reply(500)])
    for attempt in (target.check, lambda: target.deliver(request(), now_ms=NOW_MS, ask=server.ask)):
        with pytest.raises(SinkError, match=r"_file .*secret: No such file"):
            attempt()
    assert not server.requests

    (tmp_path / "secret").write_text(SECRET)
    target.check()
    target.deliver(request(), now_ms=NOW_MS, ask=server.ask)
    assert len(server.requests) == 1


def test_no_secret_gets_out(table: dict[str, Any], tmp_path: Path) -> None:
    """Not in a text of the target or its table, in what came of an attempt, or in the log, though it is echoed."""
    target = made(**table)

    def echo(asked: Request) -> Reply:
        return reply(400, f'{{"message": "{SECRET} {dict(asked.headers)}"}}'.replace("'", "").encode())

    store = SqliteStore(database := Database(tmp_path / "state"))
    store.save(checkpoint(letters=(request(next_ms=1),)))
    courier = Courier(target, SqliteOutbox(database), ask=Server([echo]).ask, clock=lambda: NOW_MS, dice=lambda: 0.0)
    with structlog.testing.capture_logs() as logs:
        assert courier.deliver_once() is Result.HTTP_ERROR
    store.close()
    found, (asked,) = answer(target, echo(Request("", {}, b"")))

    assert len(logs) == 1
    assert "hunter2" not in f"{logs}{found}{target!r}{target.spec!r}{target.spec}{vars(target)}"
    assert "hunter2" not in asked.known_as


def test_no_answer(table: dict[str, Any]) -> None:
    """It is the courier's to say what became of it."""

    def refuse(_: Request) -> Reply:
        raise UnansweredError(Result.CONNECTION_FAILED, "refused")

    with pytest.raises(UnansweredError):
        made(**table).deliver(request(), now_ms=NOW_MS, ask=refuse)
