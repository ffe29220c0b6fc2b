"""The application as a whole: errors have one form, and everything is described."""

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/metrics/", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("GET", "/redoc", 404, "not_found"),
        ("GET", "/v1/predictions", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/alerts", 405, "method_not_allowed"),
        ("POST", "/", 405, "method_not_allowed"),
        ("GET", "/api/v1/reports?limit=x", 400, "bad_filter"),
        ("POST", "/v1/labels", 400, "empty_body"),
    ],
)
def test_every_error_has_the_same_form(service, method, path, status, code):
    """A word for programs and a line for people, whoever found the fault."""
    answer = service.ask(method, path)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"code", "message"}
    assert answer.json()["error"]["code"] == code


def test_a_wrong_method_says_which_is_right(service):
    """RFC 9110 asks for Allow."""
    assert service.get("/v1/labels").headers["Allow"] == "POST"


def test_everything_is_described(service):
    """Every route has a summary, a sentence and its errors; every filter says what it does."""
    document = service.get("/openapi.json").json()

    assert set(document["paths"]) == {
        "/v1/predictions", "/v1/labels", "/api/v1/models", "/api/v1/reports", "/api/v1/alerts", "/api/v1/deliveries",
        "/api/v1/incidents", "/api/v1/status", "/-/healthy", "/-/ready", "/metrics",
    }  # fmt: skip
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["description"].endswith(".")
        if "422" in operation["responses"]:  # ours, and not the framework's form that is never sent
            assert "ErrorDocument" in str(operation["responses"]["422"])
        assert all(parameter["description"] for parameter in operation.get("parameters", []))
    assert document["info"]["version"] == "1.2.3"
    assert "gzip" in document["paths"]["/v1/labels"]["post"]["requestBody"]["description"]
    error = document["paths"]["/v1/labels"]["post"]["responses"]["503"]["content"]["application/json"]["schema"]
    assert error == {"$ref": "#/components/schemas/ErrorDocument"}


def test_the_configuration_needs_no_web_framework():
    """`driftwatch replay` reads the same configuration and must not pay for a server it does not start."""
    code = "import sys, json, driftwatch.api.listen; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)

    assert not {"fastapi", "starlette", "uvicorn"} & set(json.loads(ran.stdout))
