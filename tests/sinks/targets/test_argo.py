"""Argo Workflows: events for bindings, and workflows submitted under a name of ours."""

import json
import re
from typing import Any

import pytest
from pydantic import ValidationError

from driftwatch.sinks.attempts import Result
from tests.sinks.targets.contract import contract
from tests.sinks.targets.faults import answer, made, reply
from tests.sinks.targets.letters import DATA, ID, VALUES, request

NAME = "driftwatch-msg-6590cdb2661ef159844a2cae42c0533f"
SUBMITTED = reply(200, json.dumps({"metadata": {"name": NAME, "namespace": "ml"}}).encode())
SUBMIT = "io.argoproj.workflow.v1alpha1.WorkflowSubmitRequest"


def argo(mode: str, **table: Any) -> Any:
    own = {"type": "argo", "url": "https://argo.example/", "mode": mode, "namespace": "ml"}
    return made(**own | ({"template": "retrain"} if mode == "submit" else {}) | table)


def test_a_submission(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the byte, and as its Swagger asks; the token is as ARGO_TOKEN has it."""
    monkeypatch.setenv("ARGO_TOKEN", "Bearer abc")
    found, (asked,) = answer(argo("submit", token_env="ARGO_TOKEN", service_account="trainer"), SUBMITTED)

    assert (found.result, found.detail) == (Result.DELIVERED, f"HTTP 200: name {NAME}")
    assert asked.url == "https://argo.example/api/v1/workflows/ml/submit"
    assert asked.headers["authorization"] == "Bearer abc"
    options = {
        "name": NAME,
        "labels": "driftwatch-id=msg-6590cdb2661ef159844a2cae42c0533f",
        "parameters": [f"{name}={value}" for name, value in VALUES.items()],
        "serviceAccount": "trainer",
    }
    wanted = {"resourceKind": "WorkflowTemplate", "resourceName": "retrain", "submitOptions": options}
    assert asked.body == json.dumps(wanted, separators=(",", ":")).encode()
    assert contract("argo").wrong(json.loads(asked.body), SUBMIT) == []


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (b'{"code":6,"message":"workflows.argoproj.io \\"x\\" already exists"}', Result.DELIVERED),
        (b'{"code":10,"message":"the object has been modified"}', Result.HTTP_ERROR),
    ],
)
def test_a_workflow_that_is_there_already(body: bytes, result: Result) -> None:
    """An attempt whose answer was lost had submitted it; another conflict is no success."""
    found, _ = answer(argo("submit"), reply(409, body))

    assert found.result is result
    assert contract("argo").wrong(json.loads(body), "grpc.gateway.runtime.Error") == []


@pytest.mark.parametrize("identity", [ID, f"{ID}_12", "x" * 80, "Ümlaut", "_", "a_", "MSG_A"])
def test_names_are_what_kubernetes_takes(identity: str) -> None:
    """63 letters, digits and hyphens, whatever the id; others for other ids."""
    _, (asked,) = answer(argo("submit"), SUBMITTED, letter=request(identity))
    options = json.loads(asked.body)["submitOptions"]

    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", options["name"])
    assert re.fullmatch(r"driftwatch-id=[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", options["labels"])


def test_parameters_as_text() -> None:
    """Argo takes name=value."""
    _, (asked,) = answer(argo("submit", parameters={"a": "x=y", "rows": 5, "fast": True}), SUBMITTED)

    assert json.loads(asked.body)["submitOptions"]["parameters"] == ["a=x=y", "rows=5", "fast=true"]


@pytest.mark.parametrize(("discriminator", "path"), [("", "ml/"), ("drift watch", "ml/drift%20watch")])
def test_an_event(discriminator: str, path: str) -> None:
    """The event itself with its id; without a discriminator the path ends in a slash. The answer is an empty object."""
    table = {"discriminator": discriminator} if discriminator else {}
    found, (asked,) = answer(argo("events", **table), reply(200, b"{}"))

    assert (found.result, found.detail) == (Result.DELIVERED, "HTTP 200")
    assert asked.url == f"https://argo.example/api/v1/events/{path}"
    event = {"id": ID, "type": "driftwatch.retrain.requested", "timestamp": "2026-01-05T11:00:00Z", "data": DATA}
    assert asked.body == json.dumps(event, separators=(",", ":")).encode()
    assert contract("argo").wrong({}, "io.argoproj.workflow.v1alpha1.EventResponse") == []


def test_a_full_queue() -> None:
    """Argo answers so when too many events wait: it is left alone for a while."""
    found, _ = answer(argo("events"), reply(503, b'{"code":14,"message":"operation queue full"}'))

    assert (found.result, found.detail) == (Result.THROTTLED, "HTTP 503: operation queue full")


@pytest.mark.parametrize(
    ("mode", "table", "words"),
    [
        ("events", {"template": "retrain"}, 'this is for mode = "submit"'),
        ("events", {"parameters": {"a": "b"}}, 'this is for mode = "submit"'),
        ("submit", {"discriminator": "x"}, 'this is for mode = "events"'),
        ("submit", {"template": ""}, "write the name of the template"),
        ("start", {}, "events"),
    ],
)
def test_wrong_tables(mode: str, table: dict[str, Any], words: str) -> None:
    """Keys of the other mode would be without effect."""
    with pytest.raises(ValidationError, match=words):
        argo(mode, **table)
