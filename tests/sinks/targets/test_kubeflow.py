"""Kubeflow Pipelines: the runs that are asked for."""

import json
from pathlib import Path
from typing import Any

from driftwatch.sinks.attempts import Result
from driftwatch.sinks.targets.target import MAX_REPLY_BYTES
from tests.sinks.targets.contract import contract
from tests.sinks.targets.faults import answer, made, reply
from tests.sinks.targets.letters import ID, VALUES

PIPELINE, RUN = "9f6c4ad3-7d0b-4d9b-8a43-0a6f0f4a6f10", "0f6f7a52-9f6c-4ad3-9d0f-1a1bb4a7e9fd"
DONE = reply(200, json.dumps({"run_id": RUN, "state": "PENDING"}).encode())


def kubeflow(**table: Any) -> Any:
    return made(**{"type": "kubeflow", "url": "https://k.example/pipeline/", "pipeline": PIPELINE} | table)


def test_the_request(tmp_path: Path) -> None:
    """To the byte, and as its Swagger asks; a token may have its scheme before it."""
    (tmp_path / "token").write_text("Bearer abc\n")
    found, (run,) = answer(kubeflow(token_file=str(tmp_path / "token")), DONE)

    assert (found.result, found.detail) == (Result.DELIVERED, f"HTTP 200: run_id {RUN}")
    assert run.url == "https://k.example/pipeline/apis/v2beta1/runs"
    assert run.headers["authorization"] == "Bearer abc"
    wanted = {
        "display_name": f"driftwatch__{ID}",
        "description": "driftwatch.retrain.requested, asked for by driftwatch",
        "pipeline_version_reference": {"pipeline_id": PIPELINE},
        "runtime_config": {"parameters": VALUES},
    }
    assert run.body == json.dumps(wanted, separators=(",", ":")).encode()
    assert contract("kubeflow").wrong(json.loads(run.body), "v2beta1Run") == []


def test_the_request_with_all_that_can_be_said() -> None:
    """Version, experiment, service account, and parameters that keep their types."""
    table = {"pipeline_version": "v", "experiment": "e", "service_account": "s", "parameters": {"rows": 5}}
    _, (run,) = answer(kubeflow(**table), DONE)

    body = json.loads(run.body)
    assert body["pipeline_version_reference"] == {"pipeline_id": PIPELINE, "pipeline_version_id": "v"}
    assert (body["experiment_id"], body["service_account"]) == ("e", "s")
    assert body["runtime_config"] == {"parameters": {"rows": 5}}
    assert contract("kubeflow").wrong(body, "v2beta1Run") == []


def test_a_long_answer_is_believed() -> None:
    """An answer with the whole pipeline in it is read in part; asking again would begin a second run."""
    body = b'{"pipeline_spec":"' + b"x" * MAX_REPLY_BYTES
    found, _ = answer(kubeflow(), reply(200, body[:MAX_REPLY_BYTES]))

    assert (found.result, found.detail) == (Result.DELIVERED, "HTTP 200: a long answer")


def test_parameters_that_the_pipeline_does_not_take() -> None:
    """It says so, and the detail repeats it."""
    found, _ = answer(kubeflow(), reply(400, b'{"code":3,"message":"parameter(s) provided are not required: cause"}'))

    assert found.detail == "HTTP 400: parameter(s) provided are not required: cause"
