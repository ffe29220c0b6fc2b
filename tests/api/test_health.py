"""Probes and scrapes."""

import pytest

from driftwatch.api.health import OPENMETRICS_TYPE, TEXT_TYPE, wants_openmetrics

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_depends_on_nothing(service, method):
    """Whatever is broken, the process answers that it lives."""
    service.overview.error = RuntimeError("all is lost")
    service.history.error = RuntimeError("all is lost")

    answer = service.ask(method, "/-/healthy")

    assert answer.status_code == 200
    assert answer.text == ("driftwatch is healthy\n" if method == "GET" else "")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_readiness_follows_the_service(service, method):
    """503 with the reason until it serves."""
    ready = service.ask(method, "/-/ready")
    service.overview.readiness = (False, "kafka: no broker answers")
    waiting = service.ask(method, "/-/ready")

    assert (ready.status_code, waiting.status_code) == (200, 503)
    if method == "GET":
        assert ready.text == "driftwatch is ready\n"
        assert waiting.text == "driftwatch is not ready: kafka: no broker answers\n"


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        (PROMETHEUS_2, True),
        (PROMETHEUS_3, True),
        ("text/plain, application/openmetrics-text;q=0.5", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=x", False),
        ("Application/OpenMetrics-Text ; Q=1", True),
    ],
)
def test_the_format_is_negotiated(service, accept, openmetrics):
    """OpenMetrics only for who asks for it; the type of the answer says which it is."""
    answer = service.get("/metrics", headers={"Accept": accept})

    assert wants_openmetrics(accept) is openmetrics
    assert answer.headers["Content-Type"] == (OPENMETRICS_TYPE if openmetrics else TEXT_TYPE)
    assert answer.content == (b"# EOF\n" if openmetrics else b"up 1\n")
