"""Airflow: the DAG runs that are asked for, signing in, and what is already there."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from driftwatch.errors import SinkError
from driftwatch.sinks.attempts import Result
from driftwatch.sinks.targets.target import Reply
from tests.sinks.targets.contract import contract
from tests.sinks.targets.faults import NOW_MS, SECRET, Server, answer, made, reply
from tests.sinks.targets.letters import DATA, ID, request

RUN = f"driftwatch__{ID}"
DONE = reply(200, json.dumps({"dag_run_id": RUN, "state": "queued"}).encode())
SIGNED_IN = reply(201, b'{"access_token":"jwt-1"}')
AGAIN = reply(201, b'{"jwt_token":"jwt-2"}')
JSON = {"content-type": "application/json", "accept": "application/json", "user-agent": "driftwatch"}
CONF = {**DATA, "id": ID, "type": "driftwatch.retrain.requested"}
# Recorded from Airflow 3.3.2 and from the source of 2.11.2.
DUPLICATE_3 = (
    b'{"detail":{"reason":"Unique constraint violation","statement":"hidden","orig_error":"hidden",'
    b'"message":"Serious error when handling your request. Check logs for more details"}}'
)
DUPLICATE_2 = f"DAGRun with DAG ID: 'retrain' and DAGRun ID: '{RUN}' already exists"


@pytest.fixture
def password(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(SECRET)
    return str(path)


def airflow(**table: Any) -> Any:
    return made(**{"type": "airflow", "url": "https://airflow.example/x/", "dag": "re train"} | table)


def test_the_request_of_version_3(password: str) -> None:
    """A token first, then the run, to the byte; and both are what the OpenAPI of Airflow asks for."""
    target = airflow(username="dw", password_file=password)
    found, (sign_in, run) = answer(target, SIGNED_IN, DONE)

    assert (found.result, found.detail) == (Result.DELIVERED, f"HTTP 200: dag_run_id {RUN}")
    assert (sign_in.url, dict(sign_in.headers)) == ("https://airflow.example/x/auth/token", JSON)
    assert sign_in.body == json.dumps({"username": "dw", "password": SECRET}, separators=(",", ":")).encode()
    assert run.url == "https://airflow.example/x/api/v2/dags/re%20train/dagRuns"
    assert dict(run.headers) == {**JSON, "authorization": "Bearer jwt-1"}
    note = (
        "driftwatch.retrain.requested: fraud 7: retraining requested, rule drift: covariate change in amount, country"
    )
    wanted = {"dag_run_id": RUN, "logical_date": None, "note": note, "conf": CONF}
    assert run.body == json.dumps(wanted, separators=(",", ":")).encode()
    rules = contract("airflow3")
    assert rules.wrong(json.loads(sign_in.body), "LoginBody") == []
    assert rules.wrong(json.loads(run.body), "TriggerDAGRunPostBody") == []


def test_the_request_of_version_2(password: str) -> None:
    """The password goes along; there is no logical date and no note, which early releases did not know."""
    found, (run,) = answer(airflow(username="dw", password_file=password, api=2, dag="retrain"), DONE)

    assert found.result is Result.DELIVERED
    assert run.url == "https://airflow.example/x/api/v1/dags/retrain/dagRuns"
    assert run.headers["authorization"] == "Basic ZHc6aHVudGVyMi8idG9rJ2Vu"
    assert run.body == json.dumps({"dag_run_id": RUN, "conf": CONF}, separators=(",", ":")).encode()
    assert contract("airflow2").wrong(json.loads(run.body), "DAGRun") == []


def test_a_token_is_kept_until_it_is_refused(password: str) -> None:
    """Once 401 after that: another token and another try; it is not asked for a third time."""
    target = airflow(username="dw", password_file=password)
    refused = reply(401, b'{"detail":"Invalid JWT token"}')
    server = Server([SIGNED_IN, DONE, DONE, refused, AGAIN, DONE, refused, SIGNED_IN, refused])
    results = [target.deliver(request(f"m{n}"), now_ms=NOW_MS, ask=server.ask).result for n in range(4)]

    assert results == [Result.DELIVERED] * 3 + [Result.HTTP_ERROR]
    assert [asked.url.rpartition("/")[2] for asked in server.requests] == [
        "token", "dagRuns", "dagRuns", "dagRuns", "token", "dagRuns", "dagRuns", "token", "dagRuns",
    ]  # fmt: skip
    assert server.requests[5].headers["authorization"] == "Bearer jwt-2"


@pytest.mark.parametrize(
    ("said", "result", "detail"),
    [
        (
            reply(401, b'{"detail":"Invalid credentials"}'),
            Result.HTTP_ERROR,
            "auth/token: HTTP 401: Invalid credentials",
        ),
        (reply(307), Result.REFUSED_REDIRECT, "auth/token: HTTP 307"),
        (reply(503, retry_after="3"), Result.THROTTLED, "auth/token: HTTP 503"),
        (reply(500, SECRET.encode()), Result.HTTP_ERROR, "auth/token: HTTP 500: ***"),
        (reply(201, b"<html>"), Result.NOT_STARTED, "auth/token: HTTP 201 without a token"),
        (reply(201, b'{"access_token":7}'), Result.NOT_STARTED, "auth/token: HTTP 201 without a token"),
        (reply(201, b'{"access_token":"a\\r\\nb"}'), Result.NOT_STARTED, "auth/token: HTTP 201 without a token"),
    ],
)
def test_signing_in_fails(password: str, said: Reply, result: Result, detail: str) -> None:
    """Then no run is asked for, and the detail says why."""
    found, requests = answer(airflow(username="dw", password_file=password), said)

    assert (found.result, found.detail, len(requests)) == (result, detail, 1)


@pytest.mark.parametrize(
    ("api", "body", "result"),
    [
        (3, DUPLICATE_3, Result.DELIVERED),
        (2, json.dumps({"detail": DUPLICATE_2, "status": 409}).encode(), Result.DELIVERED),
        (2, b'{"detail":"DAGRun logical date: \'2026-01-05\' already exists"}', Result.HTTP_ERROR),
    ],
)
def test_what_is_already_there(password: str, api: int, body: bytes, result: Result) -> None:
    """A run of our id was triggered by an attempt whose answer was lost; a run of another id is no success."""
    found, _ = answer(airflow(token_file=password, api=api), reply(409, body))

    assert found.result is result
    assert found.detail.startswith("already triggered: HTTP 409" if result is Result.DELIVERED else "HTTP 409")


def test_a_recorded_refusal_fits_its_contract() -> None:
    """What is taken for "already there" is an error as Airflow describes them, of a status that it announces."""
    rules = contract("airflow3")
    assert rules.wrong(json.loads(DUPLICATE_3), "HTTPExceptionResponse") == []
    assert "409" in rules.document["responses"]
    assert "409" in contract("airflow2").document["responses"]


def test_parameters_stand_beside_the_event(password: str) -> None:
    """Constants and values of one's own are in conf; what the event says wins."""
    parameters = {"image": "trainer:3", "since": "${data.window.start}", "rows": 5, "model": "other"}
    _, (run,) = answer(airflow(token_file=password, parameters=parameters), DONE)

    assert json.loads(run.body)["conf"] == {**CONF, "image": "trainer:3", "since": "2026-01-05T10:00:00Z", "rows": 5}


def test_a_password_that_is_missing(tmp_path: Path) -> None:
    """Nothing is sent."""
    target, server = airflow(username="dw", password_file=str(tmp_path / "none")), Server([SIGNED_IN])
    for attempt in (target.check, lambda: target.deliver(request(), now_ms=NOW_MS, ask=server.ask)):
        with pytest.raises(SinkError, match="password_file"):
            attempt()
    assert not server.requests


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "say who asks"),
        ({"username": "dw"}, "write username and one of"),
        ({"password_env": "X"}, "write username and one of"),
        ({"username": "dw", "password_env": "X", "token_env": "Y"}, "not both"),
        ({"token_env": "X", "api": 4}, "write 3 or 2"),
        ({"username": "dw", "password": "hunter2"}, "secrets do not stand in this file"),
        ({"token_env": "X", "parameters": {"a": "${data.modle}"}}, "model"),
    ],
)
def test_wrong_tables(table: dict[str, Any], words: str) -> None:
    """They are refused when the configuration is read."""
    with pytest.raises(ValidationError, match=words):
        airflow(**table)
