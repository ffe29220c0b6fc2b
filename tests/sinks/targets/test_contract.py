"""The check of requests against excerpts finds what is wrong, so that finding nothing says something."""

import json
from typing import Any

import pytest

from tests.sinks.targets.contract import FOLDER, contract, graphql_wrong

RUN = {"logical_date": None}
TYPES = contract("dagster").document["types"]


@pytest.mark.parametrize(
    ("name", "schema", "value", "wrong"),
    [
        ("airflow3", "TriggerDAGRunPostBody", RUN, []),
        ("airflow3", "TriggerDAGRunPostBody", {}, ["TriggerDAGRunPostBody.logical_date: missing"]),
        ("airflow3", "TriggerDAGRunPostBody", RUN | {"dagrun": 1}, ["TriggerDAGRunPostBody.dagrun: unknown"]),
        ("airflow3", "TriggerDAGRunPostBody", RUN | {"conf": []}, ["TriggerDAGRunPostBody.conf: none of anyOf"]),
        (
            "airflow3",
            "TriggerDAGRunPostBody",
            {"logical_date": "x"},
            ["TriggerDAGRunPostBody.logical_date: none of anyOf"],
        ),
        ("airflow2", "DAGRun", {"conf": "x"}, ["DAGRun.conf: no object"]),
        ("airflow2", "DAGRun", {"dag_run_id": None, "run_type": "x"}, ["DAGRun.run_type: not one of the enum"]),
        ("prefect", "DeploymentFlowRunCreate", {"tags": "x"}, ["DeploymentFlowRunCreate.tags: no array"]),
        ("prefect", "DeploymentFlowRunCreate", {"tags": [1]}, ["DeploymentFlowRunCreate.tags[]: no string"]),
        ("kubeflow", "v2beta1Run", {"runtime_config": {"values": {}}}, ["v2beta1Run.runtime_config.values: unknown"]),
        ("kubeflow", "v2beta1Run", {"created_at": "x"}, ["v2beta1Run.created_at: no date-time"]),
    ],
)
def test_what_is_wrong(name: str, schema: str, value: Any, wrong: list[str]) -> None:
    """A key that is missing, unknown or of another type, at its place."""
    if name in {"kubeflow", "airflow2"}:  # of Swagger without additionalProperties everything may be more
        assert [each for each in contract(name).wrong(value, schema) if "unknown" in each or each in wrong] == wrong
    else:
        assert contract(name).wrong(value, schema) == wrong


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ({"key": "a", "value": "b"}, []),
        ({"key": "a"}, ["$.value: missing"]),
        ({"key": "a", "value": 1}, ["$.value: no String"]),
        ({"key": "a", "value": "b", "more": 1}, ["$.more: unknown"]),
    ],
)
def test_what_is_wrong_of_a_variable(value: Any, wrong: list[str]) -> None:
    """Of GraphQL likewise."""
    assert graphql_wrong(value, "ExecutionTag!", TYPES) == wrong


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_an_excerpt_says_where_it_is_from(path: Any) -> None:
    """Source, version and licence."""
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["source"]
    assert document["version"]
    assert document["licence"] == "Apache-2.0"
