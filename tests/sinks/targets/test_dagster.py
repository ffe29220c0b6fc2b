"""Dagster: the runs that are asked for by GraphQL, and the one that may be there already."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from driftwatch.sinks.attempts import Result
from driftwatch.sinks.targets.dagster import FIND, LAUNCH
from driftwatch.sinks.targets.target import Reply
from tests.sinks.targets.contract import contract, graphql_wrong
from tests.sinks.targets.faults import SECRET, answer, made, reply
from tests.sinks.targets.letters import ID, VALUES, request

RULES = contract("dagster").document
TYPES = RULES["types"]
NONE = reply(200, b'{"data":{"runsOrError":{"__typename":"Runs","results":[]}}}')
SOME = reply(200, b'{"data":{"runsOrError":{"__typename":"Runs","results":[{"runId":"r-0"}]}}}')
LAUNCHED = reply(200, b'{"data":{"launchRun":{"__typename":"LaunchRunSuccess","run":{"runId":"r-1"}}}}')


def dagster(**table: Any) -> Any:
    own = {"type": "dagster", "url": "https://d.example/prod/", "location": "pipelines.py", "job": "retrain"}
    return made(**own | table)


def launching(result: dict[str, Any]) -> Reply:
    return reply(200, json.dumps({"data": {"launchRun": result}}).encode())


def test_the_requests() -> None:
    """It asks for a run with the tag, then launches one: both to the byte, and as the schema asks."""
    found, (sought, launch) = answer(dagster(), NONE, LAUNCHED)

    assert (found.result, found.detail) == (Result.DELIVERED, "HTTP 200: runId r-1")
    assert sought.url == launch.url == "https://d.example/prod/graphql"
    by_tag = {"filter": {"tags": [{"key": "driftwatch/id", "value": ID}]}}
    assert sought.body == json.dumps({"query": FIND, "variables": by_tag}, separators=(",", ":")).encode()
    tags = [{"key": f"driftwatch/{name}", "value": value} for name, value in VALUES.items()]
    selector = {"repositoryLocationName": "pipelines.py", "repositoryName": "__repository__", "jobName": "retrain"}
    given = {
        "selector": selector,
        "runConfigData": {},
        "executionMetadata": {"tags": [*tags, {"key": "driftwatch/id", "value": ID}]},
    }
    wanted = {"query": LAUNCH, "variables": {"executionParams": given}}
    assert launch.body == json.dumps(wanted, separators=(",", ":")).encode()
    assert graphql_wrong(by_tag["filter"], RULES["roots"]["runsOrError"]["args"]["filter"], TYPES) == []
    assert graphql_wrong(given, RULES["roots"]["launchRun"]["args"]["executionParams"], TYPES) == []


@pytest.mark.parametrize(("query", "root"), [(FIND, "runsOrError"), (LAUNCH, "launchRun")])
def test_the_queries_ask_for_what_there_is(query: str, root: str) -> None:
    """Their fragments are on types that the answer may have, and name fields of those."""
    possible = set(TYPES[RULES["roots"][root]["type"].rstrip("!")]["possible"])
    fragments = re.findall(r"\.\.\. on (\w+) \{ (\w+)", query)
    assert fragments
    assert f"{root}(" in query
    for name, field in fragments:
        assert field in TYPES[name]["fields"]
        assert name in possible or possible.intersection(TYPES[name]["possible"])


def test_a_run_that_is_there_already() -> None:
    """An attempt whose answer was lost had launched it: no other is."""
    found, requests = answer(dagster(), SOME, LAUNCHED)

    assert (found.result, found.detail, len(requests)) == (Result.DELIVERED, "already launched: runId r-0", 1)


def test_values_as_configuration(tmp_path: Path) -> None:
    """Of an op, with their types; as tags they are text. The id's tag is ours alone."""
    (tmp_path / "token").write_text(SECRET)
    table = {"op": "train", "parameters": {"model": "${data.model}", "rows": 5, "id": "mine"}}
    _, (sought, launch) = answer(dagster(token_file=str(tmp_path / "token"), **table), NONE, LAUNCHED)

    given = json.loads(launch.body)["variables"]["executionParams"]
    assert given["runConfigData"] == {"ops": {"train": {"config": {"model": "fraud", "rows": 5, "id": "mine"}}}}
    tags = {tag["key"]: tag["value"] for tag in given["executionMetadata"]["tags"]}
    assert tags == {"driftwatch/model": "fraud", "driftwatch/rows": "5", "driftwatch/id": ID}
    assert sought.headers["Dagster-Cloud-Api-Token"] == launch.headers["Dagster-Cloud-Api-Token"] == SECRET


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (launching({"__typename": "PipelineNotFoundError", "message": "no job"}), "PipelineNotFoundError: no job"),
        (launching({"__typename": "PythonError", "message": f"a\n{SECRET}"}), "PythonError: a ***"),
        (
            launching({"__typename": "RunConfigValidationInvalid", "errors": [{"message": "Missing ops"}]}),
            'RunConfigValidationInvalid: [{"message":"Missing ops"}]',
        ),
        (reply(200, b'{"errors":[{"message":"Cannot query"}]}'), 'HTTP 200: [{"message":"Cannot query"}]'),
        (reply(200, b'{"data":null}'), 'HTTP 200: {"data":null}'),
    ],
)
def test_a_launch_that_fails_with_200(tmp_path: Path, said: Reply, detail: str) -> None:
    """What it is called says that nothing was begun, and why."""
    (tmp_path / "token").write_text(SECRET)
    found, _ = answer(dagster(token_file=str(tmp_path / "token")), NONE, said)

    assert (found.result, found.detail) == (Result.NOT_STARTED, detail)


def test_when_it_cannot_be_asked_nothing_is_launched() -> None:
    """It would be a second run."""
    failed = reply(200, b'{"data":{"runsOrError":{"__typename":"PythonError","message":"storage"}}}')
    found, requests = answer(dagster(), failed, LAUNCHED)

    assert (found.result, found.detail, len(requests)) == (Result.NOT_STARTED, "PythonError: storage", 1)


def test_a_launch_that_is_refused_by_its_status() -> None:
    """As for every target."""
    found, _ = answer(dagster(), NONE, reply(503, retry_after="2"), letter=request())

    assert (found.result, found.retry_after_ms) == (Result.THROTTLED, 2_000)
