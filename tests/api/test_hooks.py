"""POST /v1/hooks/mlflow: what is verified, and what becomes of it."""

from dataclasses import dataclass, field

import msgspec
import pytest

from driftwatch.api.app import add_operator
from driftwatch.api.hooks import mlflow_signature
from driftwatch.api.mlflow_spec import MlflowSpec
from driftwatch.stream.operations import Deployed, Operation
from tests.api.fakes import Service

NOW_MS, SECRET = 1_767_571_200_000, "s3cret"
SPEC = MlflowSpec(secret_env="ANY", models={"fraud-detector": "fraud"})
MOVED = {
    "entity": "model_version_alias", "action": "created", "timestamp": "2026-01-05T00:00:00Z",
    "data": {"name": "fraud-detector", "alias": "champion", "version": "3"},
}  # fmt: skip


@dataclass
class FakeOperator:
    """Remembers what it was told."""

    told: dict[str, Operation] = field(default_factory=dict)

    def knows_model(self, model: str) -> bool:
        return model == "fraud"

    def alert_stands(self, alert: str) -> bool:
        return alert == "a"

    def incident_is_open(self, incident: str) -> bool:
        return incident == "i"

    def tell(self, operation: Operation, *, key: str = "") -> bool:
        new = key not in self.told
        self.told.setdefault(key, operation)
        return new


@pytest.fixture
def operator() -> FakeOperator:
    return FakeOperator()


def served(operator: FakeOperator, mlflow: MlflowSpec | None) -> Service:
    """The application with these doors."""
    service = Service()
    add_operator(service.app, operator, clock=lambda: NOW_MS, mlflow=mlflow, secret=lambda: SECRET)
    return service


@pytest.fixture
def client(operator: FakeOperator) -> Service:
    return served(operator, SPEC)


def send(client: Service, document: object = MOVED, *, at: int = NOW_MS // 1000, secret: str = SECRET, **headers):
    """Post it as MLflow does; headers: in place of its own, by the last word of their names."""
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    own = {"delivery_id": "d1", "timestamp": str(at)} | headers
    signature = mlflow_signature(body, delivery=own["delivery_id"], stamp=own["timestamp"], secret=secret)
    own = {"signature": signature} | own
    named = {f"x-mlflow-{name.replace('_', '-')}": value for name, value in own.items()}
    return client.post("/v1/hooks/mlflow", content=body, headers=named)


def test_a_moved_alias_deploys_its_version_once(client, operator):
    """The same delivery again is answered the same."""
    first, again = send(client), send(client)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json() == {"heard": True, "model": "fraud", "version": "3"}
    assert operator.told == {"mlflow d1": Deployed("fraud", "3", NOW_MS, "", "mlflow")}


@pytest.mark.parametrize(
    "changed",
    [
        {"action": "deleted"},
        {"entity": "model_version"},
        {"data": MOVED["data"] | {"alias": "challenger"}},
        {"data": MOVED["data"] | {"name": "another"}},
        {"data": {}},
    ],
)
def test_anything_else_is_acknowledged_and_changes_nothing(client, operator, changed):
    """Or the registry would send it again."""
    answer = send(client, MOVED | changed)
    assert (answer.status_code, answer.json(), operator.told) == (200, {"heard": False}, {})


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"secret": "another"}, 401),
        ({"signature": ""}, 401),
        ({"signature": "v1,AAAA"}, 401),
        ({"delivery_id": ""}, 401),
        ({"at": NOW_MS // 1000 - 301}, 401),
        ({"at": NOW_MS // 1000 + 301}, 401),
        ({"at": NOW_MS // 1000 - 300}, 200),
        ({"timestamp": "soon"}, 401),
        ({"document": b"[]"}, 400),
        ({"document": b"{"}, 400),
    ],
)
def test_what_is_refused(client, operator, how, status):
    """Whatever is not signed with the secret, now."""
    answer = send(client, **how)
    assert answer.status_code == status
    assert bool(operator.told) is (status == 200)


def test_without_a_table_there_is_no_hook(operator):
    """404, in the form of every error."""
    answer = send(served(operator, None))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_hook")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("models/fraud/retrained", {"version": "2"}, 200),
        ("models/fraud/retrained", {"version": "2", "time": "2026-01-04T00:00:00Z", "author": "ci"}, 200),
        ("models/fraud/retrained", {"version": ""}, 400),
        ("models/fraud/retrained", {"version": "2", "time": "yesterday"}, 400),
        ("models/fraud/retrained", {"version": "2", "more": 1}, 400),
        ("models/other/retrained", {"version": "2"}, 404),
        ("alerts/a/resolve", {"author": "ann"}, 200),
        ("alerts/b/resolve", {"author": "ann"}, 404),
        ("alerts/a/resolve", {}, 400),
        ("incidents/i/close", {"author": "ann", "comment": "known"}, 200),
        ("incidents/j/close", {"author": "ann"}, 404),
    ],
)
def test_what_people_say(client, operator, path, body, status):
    """Each door takes its own words, of what there is."""
    assert client.post(f"/api/v1/{path}", json=body).status_code == status
    assert len(operator.told) == (status == 200)
