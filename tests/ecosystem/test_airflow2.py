"""Airflow 2: a DAG run really appears, once for every request."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ecosystem.conftest import PASSWORD, USER
from tests.ecosystem.posting import Desk
from tests.ecosystem.servers import Server
from tests.sinks.targets.letters import DATA, ID, request

pytestmark = pytest.mark.ecosystem


def desk(directory: Path, airflow: Server, password: str, **table: Any) -> Desk:
    own = {"type": "airflow", "api": 2, "url": airflow.url, "dag": "retrain", "username": USER}
    return Desk(directory, **own | {"password_file": password} | table)


def runs(airflow: Server) -> list[dict[str, Any]]:
    url = f"{airflow.url}/api/v1/dags/retrain/dagRuns"
    answer = httpx.get(url, auth=(USER, PASSWORD), trust_env=False, timeout=60).raise_for_status()
    found: list[dict[str, Any]] = answer.json()["dag_runs"]
    return found


def test_one_run_of_a_request_that_is_sent_twice(tmp_path: Path, airflow_2: Server, password: str) -> None:
    """The process ends between the request and its note of it; the next one asks again, and there is one run."""
    office = desk(tmp_path, airflow_2, password)
    office.put(request())
    first, second = office.deliver(forgetful=True), office.deliver()
    office.close()

    (run,) = runs(airflow_2)
    assert (first, second) == ({"delivered": 1}, {"delivered": 1})
    assert run["dag_run_id"] == f"driftwatch__{ID}"
    assert run["conf"] == {**DATA, "id": ID, "type": "driftwatch.retrain.requested"}


@pytest.mark.parametrize(("table", "password_text"), [({"dag": "no such"}, PASSWORD), ({}, "wrong")])
def test_what_airflow_refuses(
    tmp_path: Path, airflow_2: Server, password: str, table: dict[str, Any], password_text: str
) -> None:
    """An unknown DAG (404) and a wrong password (403) are retried."""
    Path(password).write_text(password_text)
    office = desk(tmp_path, airflow_2, password, **table)
    office.put(request("msg_refused"))
    results = office.deliver()
    office.close()

    assert results == {"http_error": 1}
