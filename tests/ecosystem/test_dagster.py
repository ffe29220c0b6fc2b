"""Dagster: a run really appears, once for every request."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ecosystem.posting import Desk
from tests.ecosystem.servers import Server
from tests.sinks.targets.letters import ID, VALUES, request

pytestmark = pytest.mark.ecosystem

RUNS = "{ runsOrError { ... on Runs { results { runId jobName runConfigYaml tags { key value } } } } }"


def runs(dagster: Server) -> list[dict[str, Any]]:
    answer = httpx.post(f"{dagster.url}/graphql", json={"query": RUNS}, trust_env=False, timeout=60).raise_for_status()
    found: list[dict[str, Any]] = answer.json()["data"]["runsOrError"]["results"]
    return found


def desk(directory: Path, dagster: Server, **table: Any) -> Desk:
    own = {"type": "dagster", "url": dagster.url, "location": "pipelines.py", "job": "retrain", "op": "train"}
    return Desk(directory, **own | table)


def test_one_run_of_a_request_that_is_sent_twice(tmp_path: Path, dagster: Server) -> None:
    """The process ends between the request and its note of it; the next one finds the run by its tag."""
    before = len(runs(dagster))
    office = desk(tmp_path, dagster)
    office.put(request())
    first, second = office.deliver(forgetful=True), office.deliver()
    office.close()

    tags = [{tag["key"]: tag["value"] for tag in each["tags"]} for each in runs(dagster)]
    assert (first, second, len(tags) - before) == ({"delivered": 1}, {"delivered": 1}, 1)
    (ours,) = [each for each in tags if each.get("driftwatch/id") == ID]
    assert {f"driftwatch/{name}": value for name, value in VALUES.items()}.items() <= ours.items()
    assert "model: fraud" in runs(dagster)[0]["runConfigYaml"]


@pytest.mark.parametrize(
    "table",
    [{"job": "no_such"}, {"location": "no_such"}, {"op": ""}, {"parameters": {"model": 3}}],
    ids=["no such job", "no such location", "configuration is missing", "configuration does not fit"],
)
def test_what_dagster_refuses(tmp_path: Path, dagster: Server, table: dict[str, Any]) -> None:
    """It answers 200 and says by __typename that there is no run: retried."""
    before = len(runs(dagster))
    office = desk(tmp_path, dagster, **table)
    office.put(request("msg_refused"))
    results = office.deliver()
    office.close()

    assert (results, len(runs(dagster))) == ({"not_started": 1}, before)
