"""Jenkins, as www.jenkins.io/doc/book/using/remote-access-api describes a build with parameters."""

from urllib.parse import parse_qsl

import pytest

from driftwatch.sinks.attempts import Result
from tests.sinks.targets.faults import answer, made, reply
from tests.sinks.targets.letters import VALUES

TABLE = {
    "type": "jenkins", "url": "https://jenkins:8443/ci/", "job": "risk/fraud retrain", "username": "driftwatch",
    "token_env": "JENKINS_TOKEN",
}  # fmt: skip


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JENKINS_TOKEN", "11aa")


def test_a_build() -> None:
    """A form of parameters, posted as a user; folders are in the path, and no crumb is asked for."""
    place = "https://jenkins:8443/ci/queue/item/17/"
    found, (asked,) = answer(made(**TABLE), reply(201, location=place))

    assert (found.result, found.detail) == (Result.DELIVERED, "HTTP 201: queue item 17")
    assert asked.url == "https://jenkins:8443/ci/job/risk/job/fraud%20retrain/buildWithParameters"
    assert asked.headers == {
        "content-type": "application/x-www-form-urlencoded",
        "authorization": "Basic ZHJpZnR3YXRjaDoxMWFh",
    }
    usual = {"DRIFTWATCH_" + name.removeprefix("driftwatch_").upper(): text for name, text in VALUES.items()}
    assert dict(parse_qsl(asked.body.decode(), strict_parsing=True)) == usual


def test_parameters_of_the_job() -> None:
    """Instead of the usual ones; numbers and truth values as text."""
    target = made(**TABLE, parameters={"MODEL": "${data.model}", "EPOCHS": 3, "FULL": False})
    _, (asked,) = answer(target, reply(201, location="/queue/item/1"))

    assert asked.body == b"MODEL=fraud&EPOCHS=3&FULL=false"


@pytest.mark.parametrize(
    ("status", "location", "result"),
    [
        (201, "", Result.NOT_STARTED),
        (200, "", Result.NOT_STARTED),
        (201, "https://jenkins:8443/login", Result.NOT_STARTED),
        (302, "https://jenkins:8443/queue/item/1/", Result.REFUSED_REDIRECT),
        (401, "", Result.HTTP_ERROR),
        (403, "", Result.HTTP_ERROR),
        (404, "", Result.HTTP_ERROR),
        (503, "", Result.THROTTLED),
    ],
)
def test_answers(status: int, location: str, result: Result) -> None:
    """Only a place in the queue is success."""
    found, _ = answer(made(**TABLE), reply(status, b"<html>11aa</html>", location=location))

    assert found.result is result
    assert "11aa" not in found.detail
