"""Prefect 3: a flow run really appears, once for every request."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ecosystem.conftest import PASSWORD, USER
from tests.ecosystem.posting import Desk
from tests.ecosystem.servers import Server
from tests.sinks.targets.contract import contract
from tests.sinks.targets.letters import ID, VALUES, request

pytestmark = pytest.mark.ecosystem


class Flow:
    """A flow with one deployment, which takes the standard values and no others."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        flow = client.post("/flows/", json={"name": "retrain"}).raise_for_status().json()["id"]
        takes = {"type": "object", "properties": {name: {"type": "string"} for name in VALUES}, "required": [*VALUES]}
        deployment = {"name": "nightly", "flow_id": flow, "parameter_openapi_schema": takes}
        self.deployment = client.post("/deployments/", json=deployment).raise_for_status().json()["id"]

    def runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.post("/flow_runs/filter", json={}).raise_for_status().json()
        return found


@pytest.fixture
def flow(prefect: Server) -> Iterator[Flow]:
    with httpx.Client(base_url=f"{prefect.url}/api", auth=(USER, PASSWORD), trust_env=False) as client:
        yield Flow(client)


def desk(directory: Path, prefect: Server, flow: Flow, **table: Any) -> Desk:
    own = {"type": "prefect", "url": f"{prefect.url}/api", "deployment": flow.deployment, "username": USER}
    return Desk(directory, **own | table)


def test_one_run_of_a_request_that_is_sent_twice(tmp_path: Path, prefect: Server, flow: Flow, password: str) -> None:
    """The process ends between the request and its note of it; the next one asks again, and there is one run."""
    before = len(flow.runs())
    office = desk(tmp_path, prefect, flow, password_file=password)
    office.put(request())
    first, second = office.deliver(forgetful=True), office.deliver()
    office.close()

    (run,) = [each for each in flow.runs() if each["idempotency_key"] == ID]
    assert (first, second, len(flow.runs()) - before) == ({"delivered": 1}, {"delivered": 1}, 1)
    assert (run["parameters"], run["name"], run["tags"]) == (VALUES, f"driftwatch__{ID}", ["driftwatch"])


@pytest.mark.parametrize(
    ("table", "password_text"),
    [({"parameters": {"model": "fraud"}}, PASSWORD), ({"deployment": "0" * 32}, PASSWORD), ({}, "wrong")],
    ids=["parameters that do not fit", "no such deployment", "wrong password"],
)
def test_what_prefect_refuses(
    tmp_path: Path, prefect: Server, flow: Flow, password: str, table: dict[str, Any], password_text: str
) -> None:
    """Parameters that the flow does not take (409), an unknown deployment (404), a wrong password (401): retried."""
    before = len(flow.runs())
    Path(password).write_text(password_text)
    office = desk(tmp_path, prefect, flow, password_file=password, **table)
    office.put(request("msg_refused"))
    results = office.deliver()
    office.close()

    assert (results, len(flow.runs())) == ({"http_error": 1}, before)


def test_the_contract_is_the_servers_own(prefect: Server) -> None:
    """The excerpt that other tests check requests against is what this release says of itself."""
    recorded = contract("prefect").schemas
    served = httpx.get(f"{prefect.url}/openapi.json", trust_env=False, timeout=60).json()["components"]["schemas"]
    assert recorded == {name: served[name] for name in recorded}
