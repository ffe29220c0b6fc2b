"""What all targets that start a pipeline have in common: how answers are judged, and that no secret gets out."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from pydantic import ValidationError

from driftwatch.errors import SinkError
from driftwatch.sinks.attempts import Result
from driftwatch.sinks.courier import Courier
from driftwatch.sinks.targets.target import MAX_REPLY_BYTES
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.outbox import SqliteOutbox
from tests.sinks.targets.faults import NOW_MS, SECRET, Server, answer, made, reply
from tests.sinks.targets.letters import ID, request
from tests.store.examples import checkpoint

UUID = "7d0b3d1e-4c3f-4d9b-8a43-0a6f0f4a6f10"
AIRFLOW = {"type": "airflow", "url": "http://a:1", "dag": "retrain"}
TABLES: dict[str, dict[str, Any]] = {
    "airflow": AIRFLOW,
    "airflow2": AIRFLOW | {"api": 2},
    "prefect": {"type": "prefect", "url": "http://a:1/api", "deployment": UUID},
    "dagster": {"type": "dagster", "url": "http://a:1", "location": "pipelines.py", "job": "retrain"},
    "kubeflow": {"type": "kubeflow", "url": "http://a:1", "pipeline": UUID},
    "argo submit": {"type": "argo", "url": "http://a:1", "mode": "submit", "namespace": "ml", "template": "retrain"},
    "argo events": {"type": "argo", "url": "http://a:1", "mode": "events", "namespace": "ml"},
}
pytestmark = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(f" {SECRET}\n")
    return str(path)


@pytest.mark.parametrize(
    ("status", "headers", "result", "retry_after_ms"),
    [
        (401, {}, Result.HTTP_ERROR, 0),
        (403, {}, Result.HTTP_ERROR, 0),
        (404, {}, Result.HTTP_ERROR, 0),
        (422, {}, Result.HTTP_ERROR, 0),
        (500, {}, Result.HTTP_ERROR, 0),
        (302, {"location": "http://elsewhere/"}, Result.REFUSED_REDIRECT, 0),
        (503, {"retry_after": "7"}, Result.THROTTLED, 7_000),
        (429, {}, Result.THROTTLED, 0),
        (410, {}, Result.GONE, 0),
    ],
)
def test_what_the_status_means(
    table: dict[str, Any], secret: str, status: int, headers: dict[str, str], result: Result, retry_after_ms: int
) -> None:
    """What was not done is retried, throttled or given up as for every target; the server's words are in the detail."""
    body = json.dumps({"detail": f"no\n such thing for {SECRET}", "token": SECRET}).encode()
    found, requests = answer(made(**table, token_file=secret), reply(status, body, **headers))

    assert (found.result, found.retry_after_ms, len(requests)) == (result, retry_after_ms, 1)
    assert found.detail == f"HTTP {status}: no such thing for ***"


@pytest.mark.parametrize(
    "body", [b"", b"<html>sign in</html>", b"[]", b"null", b'{"truncated', b"\xff\xfe", b'"text"', b"[" * 5_000]
)
def test_success_without_sense_is_none(table: dict[str, Any], secret: str, body: bytes) -> None:
    """A sign-in page answers 200, too: nothing was begun, so it is tried again."""
    found, _ = answer(made(**table, token_file=secret), reply(200, body))

    assert found.result is Result.NOT_STARTED
    assert "\n" not in found.detail
    assert len(found.detail) <= 240


def test_a_long_answer_in_words_is_shortened(table: dict[str, Any], secret: str) -> None:
    """The log gets one line of it."""
    found, _ = answer(made(**table, token_file=secret), reply(500, b"x\r\n" * MAX_REPLY_BYTES))

    assert len(found.detail) <= 240
    assert found.detail.isprintable()


def test_a_secret_that_is_missing(table: dict[str, Any], tmp_path: Path) -> None:
    """Nothing is sent; when it is there the next attempt is made with it, and with what it is rotated to."""
    path = tmp_path / "later"
    target, server = made(**table, token_file=str(path)), Server([reply(500)])
    for attempt in (target.check, lambda: target.deliver(request(), now_ms=NOW_MS, ask=server.ask)):
        with pytest.raises(SinkError, match="token_file"):
            attempt()
    assert not server.requests

    for token in ("first", "second"):
        path.write_text(token)
        target.check()
        target.deliver(request(), now_ms=NOW_MS, ask=server.ask)
        assert token in str(dict(server.requests[-1].headers))


@pytest.mark.parametrize("text", ["two\nlines", "schlüssel", "tab\there"])
def test_a_token_that_no_header_can_carry(table: dict[str, Any], tmp_path: Path, text: str) -> None:
    """It is an error of the configuration, and not shown."""
    (tmp_path / "token").write_text(text)
    target = made(**table, token_file=str(tmp_path / "token"))

    with pytest.raises(SinkError, match="no HTTP header can carry") as refused:
        target.check()
    assert text not in str(refused.value)


def test_no_secret_gets_out(
    table: dict[str, Any], secret: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in the target or its table, the detail or the log, though the server repeats what it was sent."""
    target = made(**table, token_file=secret)

    def echo(asked: Any) -> Any:
        return reply(400, json.dumps({"message": {"headers": dict(asked.headers), "secret": SECRET}}).encode())

    store = SqliteStore(database := Database(tmp_path / "state"))
    store.save(checkpoint(letters=(request(next_ms=1),)))
    courier = Courier(
        target, SqliteOutbox(database), ask=Server([echo]).ask, clock=lambda: NOW_MS, dice=lambda: 0.0
    )  # fmt: skip
    with structlog.testing.capture_logs() as logs:
        assert courier.deliver_once() is Result.HTTP_ERROR
    store.close()

    everything = f"{logs}{target!r}{target.spec!r}{target.__dict__}{caplog.text}"
    assert "***" in str(logs)
    for form in (SECRET, json.dumps(SECRET)[1:-1], repr(SECRET)[1:-1]):
        assert form not in everything


def test_a_failing_connection_is_for_the_courier(table: dict[str, Any], secret: str) -> None:
    """What the network raises passes through."""

    def refuse(_: Any) -> Any:
        raise httpx.ConnectError("refused")

    with pytest.raises(httpx.ConnectError):
        made(**table, token_file=secret).deliver(request(), now_ms=NOW_MS, ask=refuse)


def test_the_id_is_in_the_request(table: dict[str, Any], secret: str) -> None:
    """By it what was sent twice can be known; a repetition on purpose has another."""
    server = Server([reply(500)])
    for letter in (request(), request(attempts=3), request(repeats=1)):
        made(**table, token_file=secret).deliver(letter, now_ms=NOW_MS, ask=server.ask)

    first, again, repeated = (asked.body for asked in server.requests)
    assert ID.encode() in first
    assert first == again
    assert f"{ID}_1".encode() in repeated


def test_notices_are_refused(table: dict[str, Any], secret: str) -> None:
    """A pipeline is asked for a retraining, or for a rollback if its table says so; never told that something fires."""
    assert made(**table, token_file=secret).spec.actions == ("retrain",)
    assert made(**table, token_file=secret, actions=["rollback"]).spec.actions == ("rollback",)
    with pytest.raises(ValidationError, match="it takes no notices"):
        made(**table, token_file=secret, actions=["retrain", "notify"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"token": "hunter2"}, "secrets do not stand in this file"),
        ({"token_env": "TOKEN"}, "token by at most one"),
        ({"url": "http://a/?x=1"}, "the address that the paths of its API are put after"),
        ({"url": "ftp://a/"}, 'begins with "http://"'),
        ({"parameters": {"a": [1]}}, "parameters"),
    ],
)
def test_wrong_tables(table: dict[str, Any], secret: str, changes: dict[str, Any], words: str) -> None:
    """They are refused when the configuration is read."""
    with pytest.raises(ValidationError, match=words):
        made(**table | {"token_file": secret} | changes)
