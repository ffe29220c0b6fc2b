"""GitHub, as docs.github.com/en/rest (API version 2022-11-28) describes its two requests, and what its answers mean."""

import json

import pytest

from driftwatch.sinks.attempts import Result
from tests.sinks.targets.faults import NOW_MS, answer, made, reply
from tests.sinks.targets.letters import DATA, ID, request

DISPATCH = {"type": "github", "repository": "risk/fraud", "token_env": "GITHUB_TOKEN"}
WORKFLOW = DISPATCH | {"event": "workflow_dispatch", "workflow": "retrain.yml"}
MOST_KEYS, MOST_INPUTS, LONGEST_TYPE = 10, 25, 100
"""Of `client_payload`, of `inputs`, and of `event_type`: the limits that the documentation names."""
HEADERS = {
    "accept": "application/vnd.github+json",
    "content-type": "application/json",
    "user-agent": "driftwatch",
    "x-github-api-version": "2022-11-28",
    "authorization": "Bearer ghp_token",
}


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_token")


def test_repository_dispatch() -> None:
    """An event of the repository; the whole of driftwatch's in `client_payload`."""
    found, (asked,) = answer(made(**DISPATCH), reply(204))
    event = {"type": "driftwatch.retrain.requested", "timestamp": "2026-01-05T11:00:00Z", "data": DATA}

    assert found.result is Result.DELIVERED
    assert asked.url == "https://api.github.com/repos/risk/fraud/dispatches"
    assert asked.headers == HEADERS
    expected = {"event_type": "driftwatch.retrain.requested", "client_payload": {"id": ID, **event}}
    assert asked.body == json.dumps(expected, separators=(",", ":")).encode()
    assert len(expected["client_payload"]) <= MOST_KEYS
    assert len(expected["event_type"]) <= LONGEST_TYPE


def test_workflow_dispatch() -> None:
    """One run of a workflow, whose inputs are texts."""
    parameters = {"model": "${data.model}", "epochs": 3, "full": True, "columns": "${data.cause.columns}"}
    target = made(**WORKFLOW, url="https://github.example/api/v3/", ref="release", parameters=parameters)
    _, (asked,) = answer(target, reply(204))

    assert asked.url == "https://github.example/api/v3/repos/risk/fraud/actions/workflows/retrain.yml/dispatches"
    assert asked.headers == HEADERS
    assert asked.body == (
        b'{"ref":"release","inputs":{"model":"fraud","epochs":"3","full":"true","columns":"amount, country"}}'
    )


def test_usual_inputs() -> None:
    """Few, for a workflow refuses inputs that it does not declare."""
    _, (asked,) = answer(made(**WORKFLOW), reply(204))

    assert json.loads(asked.body) == {"ref": "main", "inputs": {"driftwatch_id": ID, "model": "fraud", "version": "7"}}


@pytest.mark.parametrize(
    ("status", "body", "result", "detail"),
    [
        (204, b"", Result.DELIVERED, "HTTP 204"),
        (200, b'{"workflow_run_id": 42, "run_url": "https://x"}', Result.DELIVERED, "HTTP 200: run 42"),
        (200, b"<html>sign in</html>", Result.NOT_STARTED, "HTTP 200 without a run"),
        (202, b"[1]", Result.NOT_STARTED, "HTTP 202 without a run"),
        (401, b'{"message": "Bad credentials"}', Result.HTTP_ERROR, "HTTP 401: Bad credentials"),
        (404, b'{"message": "Not Found"}', Result.HTTP_ERROR, "HTTP 404: Not Found"),
        (422, b'{"message": "Unexpected inputs provided: [\\"x\\"]"}', Result.HTTP_ERROR,
         'HTTP 422: Unexpected inputs provided: ["x"]'),
    ],
)  # fmt: skip
def test_answers(status: int, body: bytes, result: Result, detail: str) -> None:
    """Only what says that something was begun is success."""
    found, _ = answer(made(**WORKFLOW), reply(status, body))

    assert (found.result, found.detail) == (result, detail)


@pytest.mark.parametrize(
    ("status", "headers", "wait_ms"),
    [
        (403, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(NOW_MS // 1000 + 90)}, 90_000),
        (429, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(NOW_MS // 1000 - 5)}, 1_000),
        (429, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "soon"}, 60_000),
        (429, {"x_ratelimit_remaining": "0"}, 60_000),
        (403, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "9" * 99}, 86_400_000),
        (403, {"retry_after": "30"}, 30_000),
    ],
)
def test_rate_limits(status: int, headers: dict[str, str], wait_ms: int) -> None:
    """An exhausted limit is waited for, until the time that GitHub names."""
    found, _ = answer(made(**DISPATCH), reply(status, **headers))

    assert (found.result, found.retry_after_ms) == (Result.THROTTLED, wait_ms)


def test_an_event_type_of_ones_own() -> None:
    """What workflows wait for may be called otherwise; a rollback is another type by itself."""
    _, (asked,) = answer(made(**DISPATCH, event_type="retrain"), reply(204))
    assert json.loads(asked.body)["event_type"] == "retrain"

    _, (asked,) = answer(made(**DISPATCH), reply(204), letter=request(kind="rollback"))
    assert json.loads(asked.body)["event_type"] == "driftwatch.rollback.requested"


def test_too_many_inputs() -> None:
    """GitHub would refuse every request."""
    with pytest.raises(ValueError, match=f"at most {MOST_INPUTS} inputs"):
        made(**WORKFLOW, parameters={f"x{n}": n for n in range(MOST_INPUTS + 1)})
    assert made(**WORKFLOW, parameters={f"x{n}": n for n in range(MOST_INPUTS)})
