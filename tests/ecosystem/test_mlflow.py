"""MLflow 3: its registry tells us that an alias has moved, and the open incident goes on with that version."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from driftwatch.config import load
from driftwatch.daemon.service import Service
from tests.ecosystem.servers import Product, Server, free_port
from tests.receiver import Received, Receiver
from tests.scenarios import events, world
from tests.servers.broker import wait_until

pytestmark = pytest.mark.ecosystem

MLFLOW = Product("mlflow", ("mlflow==3.17.2",))
SECRET, KEY = "only-for-tests", "S4v3ZQ0f6tqk1Qk3ixbH8qBTbYq5l3m3h0w4v8m2m1E="
NAME = "fraud-detector"
WAIT_SECONDS = 60.0


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A registry that may send webhooks to this machine, and over HTTP."""
    folder, programs, port = tmp_path_factory.mktemp("mlflow"), MLFLOW.install(), free_port()
    settings = {
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": KEY,
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        "MLFLOW_WEBHOOK_CACHE_TTL": "1",
        "PATH": f"{programs}:/usr/bin:/bin",
    }
    command = [
        str(programs / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    with Server(command, folder, settings, port, "/health") as server:
        yield server


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service that expects webhooks of that registry."""
    monkeypatch.setenv("MLFLOW_SECRET", SECRET)
    reference = world.write_reference(tmp_path)
    hook = f'[hooks.mlflow]\nsecret_env = "MLFLOW_SECRET"\nmodels = {{ "{NAME}" = "{events.MODEL}" }}\n'
    running = Service(load(world.configuration(tmp_path, reference, targets=hook), {}))
    try:
        running.start()
        yield running
    finally:
        running.stop()


def post(client: httpx.Client, path: str, **body: object) -> None:
    """Ask the registry for something."""
    answer = client.post(f"/api/2.0/mlflow/{path}", json=body)
    assert answer.status_code == 200, answer.text


def actions(received: list[Received]) -> list[tuple[str, str, str]]:
    """What the registry has told: entity, action and version."""
    told = [json.loads(each.body) for each in received]
    return [(each["entity"], each["action"], str(each["data"].get("version", ""))) for each in told]


def test_moving_the_alias_deploys_a_version(mlflow: Server, service: Service) -> None:
    """What the registry has signed is verified; a move tells of the new place alone; the same again changes nothing."""
    with Receiver() as receiver, httpx.Client(base_url=mlflow.url, trust_env=False, timeout=30.0) as client:
        kinds = [("MODEL_VERSION", "CREATED"), ("MODEL_VERSION_ALIAS", "CREATED"), ("MODEL_VERSION_ALIAS", "DELETED")]
        answer = client.post("/api/2.0/mlflow/webhooks", json={
            "name": "driftwatch", "url": receiver.url, "secret": SECRET, "status": "ACTIVE",
            "events": [{"entity": entity, "action": action} for entity, action in kinds],
        })  # fmt: skip
        assert answer.status_code == 200, answer.text
        post(client, "registered-models/create", name=NAME)
        steps = [
            ("model-versions/create", {"source": "s3://models/fraud"}),
            ("model-versions/create", {"source": "s3://models/fraud"}),
            ("registered-models/alias", {"alias": "champion", "version": "1"}),
            ("registered-models/alias", {"alias": "champion", "version": "2"}),
            ("registered-models/alias", {"alias": "challenger", "version": "1"}),
        ]
        for number, (path, body) in enumerate(steps, start=1):
            post(client, path, name=NAME, **body)
            receiver.wait(number, timeout_seconds=WAIT_SECONDS)
        received = receiver.wait(len(steps))
    created, moved = "model_version", "model_version_alias"
    assert actions(received) == [
        (created, "created", "1"), (created, "created", "2"),
        (moved, "created", "1"), (moved, "created", "2"), (moved, "created", "1"),
    ]  # fmt: skip

    answers = [forwarded(service, each) for each in received]
    assert [answer.status_code for answer in answers] == [200] * len(received), answers[0].text
    deployments = [answer.json().get("version") for answer in answers]
    assert deployments == [None, None, "1", "2", None]
    wait_until(service.caught_up, seconds=WAIT_SECONDS, what="the deployments to be heard")
    heard = service.engine.positions["http/operations"]
    assert [forwarded(service, each).json() for each in received] == [answer.json() for answer in answers]
    wait_until(service.caught_up, seconds=WAIT_SECONDS, what="nothing")
    assert service.engine.positions["http/operations"] == heard
    forged = replace(received[2], body=received[2].body.replace(b'"1"', b'"9"'))
    assert forwarded(service, forged).status_code == 401


def forwarded(service: Service, request: Received) -> httpx.Response:
    """Give a webhook to our door, as it came."""
    kept = {name: value for name, value in request.headers.items() if name.startswith(("x-mlflow", "content-type"))}
    url = f"http://127.0.0.1:{service.port}/v1/hooks/mlflow"
    return httpx.post(url, content=request.body, headers=kept, trust_env=False)
