"""Airflow 3: a DAG run really appears, once for every request."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ecosystem.conftest import PASSWORD, USER
from tests.ecosystem.posting import Desk
from tests.ecosystem.servers import Server
from tests.sinks.targets.contract import contract
from tests.sinks.targets.letters import DATA, ID, request

pytestmark = pytest.mark.ecosystem


def desk(directory: Path, airflow: Server, password: str, **table: Any) -> Desk:
    return Desk(
        directory,
        **{"type": "airflow", "url": airflow.url, "dag": "retrain", "username": USER, "password_file": password}
        | table,
    )


@pytest.fixture
def runs(airflow: Server) -> Iterator[Any]:
    """What Airflow says of its runs."""
    with httpx.Client(base_url=airflow.url, trust_env=False) as client:
        token = client.post("/auth/token", json={"username": USER, "password": PASSWORD}).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield lambda: {
            each["dag_run_id"]: each for each in client.get("/api/v2/dags/retrain/dagRuns").json()["dag_runs"]
        }


def test_one_run_of_a_request_that_is_sent_twice(tmp_path: Path, airflow: Server, password: str, runs: Any) -> None:
    """The process ends between the request and its note of it; the next one asks again, and there is one run."""
    office = desk(tmp_path, airflow, password, parameters={"image": "trainer:3"})
    office.put(request())
    first, second = office.deliver(forgetful=True), office.deliver()
    office.close()

    run = runs()[f"driftwatch__{ID}"]
    assert (first, second, len(runs())) == ({"delivered": 1}, {"delivered": 1}, 1)
    assert run["conf"] == {"image": "trainer:3", **DATA, "id": ID, "type": "driftwatch.retrain.requested"}
    assert run["note"].startswith("driftwatch.retrain.requested: fraud 7")


def test_each_request_is_a_run(tmp_path: Path, airflow: Server, password: str, runs: Any) -> None:
    """Others, and a repetition on purpose, are others; the token is asked for once."""
    before = len(runs())
    office = desk(tmp_path, airflow, password)
    office.put(request("msg_other"), request("msg_again", repeats=1))
    results = office.deliver()
    office.close()

    assert (results, len(runs()) - before) == ({"delivered": 2}, 2)
    assert {"driftwatch__msg_other", "driftwatch__msg_again_1"} <= runs().keys()


@pytest.mark.parametrize(("table", "password_text"), [({"dag": "no such"}, PASSWORD), ({}, "wrong")])
def test_what_airflow_refuses(
    tmp_path: Path, airflow: Server, password: str, table: dict[str, Any], password_text: str
) -> None:
    """An unknown DAG (404) and a wrong password (401) are retried."""
    Path(password).write_text(password_text)
    office = desk(tmp_path, airflow, password, **table)
    office.put(request())
    results = office.deliver()
    states = [item["state"] for item in office.letters()]
    office.close()

    assert (results, states) == ({"http_error": 1}, ["pending"])


def test_the_contract_is_the_servers_own(airflow: Server) -> None:
    """The excerpt that other tests check requests against is what this release says of itself."""
    recorded = contract("airflow3").schemas
    served = httpx.get(f"{airflow.url}/openapi.json", trust_env=False, timeout=60).json()["components"]["schemas"]
    served |= httpx.get(f"{airflow.url}/auth/openapi.json", trust_env=False, timeout=60).json()["components"]["schemas"]
    assert recorded == {name: served[name] for name in recorded}
