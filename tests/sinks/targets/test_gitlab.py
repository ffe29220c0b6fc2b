"""GitLab, as docs.gitlab.com/ci/triggers describes the trigger of a pipeline, and what its answers mean."""

from urllib.parse import parse_qsl

import pytest

from driftwatch.sinks.attempts import Result
from tests.sinks.targets.faults import answer, made, reply
from tests.sinks.targets.letters import ALERT, ID

TABLE = {"type": "gitlab", "project": "risk/fraud", "token_env": "TRIGGER_TOKEN"}


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIGGER_TOKEN", "glptt-to&ken")


def test_variables() -> None:
    """A form with the token, the ref, and the usual variables."""
    found, (asked,) = answer(made(**TABLE), reply(201, b'{"id": 257, "web_url": "https://x"}'))

    assert (found.result, found.detail) == (Result.DELIVERED, "HTTP 201: pipeline 257")
    assert asked.url == "https://gitlab.com/api/v4/projects/risk%2Ffraud/trigger/pipeline"
    assert asked.headers == {"content-type": "application/x-www-form-urlencoded"}
    assert asked.body.startswith(b"token=glptt-to%26ken&ref=main&variables%5BDRIFTWATCH_ID%5D=")
    assert dict(parse_qsl(asked.body.decode(), keep_blank_values=True, strict_parsing=True)) == {
        "token": "glptt-to&ken",
        "ref": "main",
        "variables[DRIFTWATCH_ID]": ID,
        "variables[DRIFTWATCH_EVENT]": "driftwatch.retrain.requested",
        "variables[DRIFTWATCH_ALERT_ID]": ALERT,
        "variables[DRIFTWATCH_MODEL]": "fraud",
        "variables[DRIFTWATCH_VERSION]": "7",
        "variables[DRIFTWATCH_CAUSE]": "covariate",
        "variables[DRIFTWATCH_COLUMNS]": "amount, country",
        "variables[DRIFTWATCH_TRAINING_START]": "2026-01-05T09:00:00Z",
        "variables[DRIFTWATCH_TRAINING_END]": "2026-01-05T11:00:00Z",
    }


def test_inputs() -> None:
    """Those that the pipeline declares, for it takes no others; the project may be a number."""
    table = TABLE | {"url": "http://gitlab:8080/", "project": 42, "ref": "release", "passed": "inputs"}
    _, (asked,) = answer(made(**table, parameters={"model": "${data.model}", "full": True}), reply(201, b'{"id": 1}'))

    assert asked.url == "http://gitlab:8080/api/v4/projects/42/trigger/pipeline"
    assert asked.body == b"token=glptt-to%26ken&ref=release&inputs%5Bmodel%5D=fraud&inputs%5Bfull%5D=true"


def test_no_variables() -> None:
    """A project that allows nobody to set variables is sent none."""
    _, (asked,) = answer(made(**TABLE, parameters={}), reply(201, b'{"id": 1}'))

    assert asked.body == b"token=glptt-to%26ken&ref=main"


@pytest.mark.parametrize(
    ("status", "body", "result", "detail"),
    [
        (201, b"{}", Result.NOT_STARTED, "HTTP 201 without a pipeline"),
        (200, b"<html>sign in</html>", Result.NOT_STARTED, "HTTP 200 without a pipeline"),
        (400, b'{"message": {"base": ["Insufficient permissions to set pipeline variables"]}}', Result.HTTP_ERROR,
         'HTTP 400: {"base":["Insufficient permissions to set pipeline variables"]}'),
        (404, b'{"message": "404 Not Found, glptt-to&ken"}', Result.HTTP_ERROR, "HTTP 404: 404 Not Found, ***"),
        (502, b"", Result.THROTTLED, "HTTP 502"),
    ],
)  # fmt: skip
def test_answers(status: int, body: bytes, result: Result, detail: str) -> None:
    """Only what names a pipeline is success; words that come back do not show the token."""
    found, _ = answer(made(**TABLE), reply(status, body))

    assert (found.result, found.detail) == (result, detail)
