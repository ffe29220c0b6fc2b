"""Prefect: the flow runs that are asked for."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from driftwatch.sinks.attempts import Result
from tests.sinks.targets.contract import contract
from tests.sinks.targets.faults import SECRET, answer, made, reply
from tests.sinks.targets.letters import ID, VALUES

DEPLOYMENT = "7d0b3d1e-4c3f-4d9b-8a43-0a6f0f4a6f10"
RUN = "0f6f7a52-9f6c-4ad3-9d0f-1a1bb4a7e9fd"


def prefect(**table: Any) -> Any:
    return made(**{"type": "prefect", "url": "https://p.example/api/", "deployment": DEPLOYMENT.upper()} | table)


@pytest.mark.parametrize("status", [201, 200])
def test_the_request(status: int) -> None:
    """To the byte, and as its OpenAPI asks. 201 is a new run, 200 the one that this key has already."""
    found, (run,) = answer(prefect(), reply(status, json.dumps({"id": RUN}).encode()))

    assert (found.result, found.detail) == (Result.DELIVERED, f"HTTP {status}: id {RUN}")
    assert run.url == f"https://p.example/api/deployments/{DEPLOYMENT}/create_flow_run"
    assert "authorization" not in run.headers
    wanted = {"name": f"driftwatch__{ID}", "parameters": VALUES, "tags": ["driftwatch"], "idempotency_key": ID}
    assert run.body == json.dumps(wanted, separators=(",", ":")).encode()
    assert contract("prefect").wrong(json.loads(run.body), "DeploymentFlowRunCreate") == []


def test_parameters_of_ones_own() -> None:
    """They stand instead of the standard ones, for flows that take no others, and keep their types."""
    parameters = {"about": "${data.model}/${data.version}", "rows": 5, "fast": True, "share": 0.5}
    _, (run,) = answer(prefect(parameters=parameters), reply(500))

    assert json.loads(run.body)["parameters"] == {"about": "fraud/7", "rows": 5, "fast": True, "share": 0.5}


def test_a_conflict_is_no_duplicate() -> None:
    """Prefect says 409 when parameters do not fit the flow's."""
    found, _ = answer(prefect(), reply(409, b'{"detail":"Error creating flow run: Validation failed"}'))

    assert (found.result, found.detail) == (
        Result.HTTP_ERROR,
        "HTTP 409: Error creating flow run: Validation failed",
    )


def test_who_asks(tmp_path: Path) -> None:
    """A token of the cloud, or the two halves of a server's auth string; neither comes back in the detail."""
    (tmp_path / "secret").write_text(SECRET)
    _, (by_token,) = answer(prefect(token_file=str(tmp_path / "secret")), reply(500))
    echo = reply(401, json.dumps({"exception_message": f"{SECRET} ZHc6aHVudGVyMi8idG9rJ2Vu"}).encode())
    found, (by_login,) = answer(prefect(username="dw", password_file=str(tmp_path / "secret")), echo)

    assert by_token.headers["authorization"] == f"Bearer {SECRET}"
    assert by_login.headers["authorization"] == "Basic ZHc6aHVudGVyMi8idG9rJ2Vu"
    assert found.detail == "HTTP 401: *** ***"


def test_a_deployment_is_named_by_its_id() -> None:
    """A name would have to be looked up first."""
    with pytest.raises(ValidationError, match="prefect deployment inspect"):
        prefect(deployment="flow/nightly")
