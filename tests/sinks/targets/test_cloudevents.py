"""CloudEvents 1.0.2: what the HTTP binding asks of both modes."""

import json
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.evaluation.events import EventType
from driftwatch.sinks.attempts import Result
from tests.sinks.targets.faults import answer, made, reply
from tests.sinks.targets.notices import ID, notice

TABLE = {"type": "cloudevents", "url": "http://broker:8080/default"}


def asked_of(letter, **table):
    _, (asked,) = answer(made(**TABLE | table), reply(202), letter=letter)
    return asked


def test_binary_mode() -> None:
    """Attributes are headers, the body is the data alone; no ce-datacontenttype."""
    letter = notice()
    asked = asked_of(letter)

    assert asked.url == TABLE["url"]
    assert asked.headers == {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": ID,
        "ce-source": "/driftwatch/fraud",
        "ce-type": "io.driftwatch.alert.firing.v1",
        "ce-time": "2026-01-05T11:00:00Z",
        "ce-subject": "fraud/7",
    }
    assert asked.body == json.dumps(json.loads(letter.body)["data"], separators=(",", ":")).encode()


def test_structured_mode() -> None:
    """One JSON object holds all."""
    letter = notice(kind=EventType.RETRAIN)
    asked = asked_of(letter, mode="structured", source="https://driftwatch.example/eu/")
    event = json.loads(letter.body)

    assert asked.headers == {"content-type": "application/cloudevents+json; charset=utf-8"}
    expected = {
        "specversion": "1.0",
        "id": ID,
        "source": "https://driftwatch.example/eu/fraud",
        "type": "io.driftwatch.retrain.requested.v1",
        "time": event["timestamp"],
        "subject": "fraud/7",
        "datacontenttype": "application/json",
        "data": event["data"],
    }
    assert asked.body == json.dumps(expected, separators=(",", ":")).encode()


@given(model=st.text(min_size=1, max_size=30), version=st.text(max_size=30))
def test_headers_hold_any_name(model: str, version: str) -> None:
    """Printable ASCII without space, quotation mark and bare percent sign, from which the attribute comes back."""
    binary = asked_of(notice(model=model, version=version))
    structured = json.loads(asked_of(notice(model=model, version=version), mode="structured").body)

    for name in ("source", "subject", "id", "type", "time"):
        written = binary.headers.get(f"ce-{name}", "")
        assert written.isascii()
        assert not {'"', " "} & {*written}
        assert written.isprintable()
        assert unquote(written) == structured.get(name, "")


def test_a_token() -> None:
    """It is shown where one is named."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROKER_TOKEN", "abc")
        for mode in ("binary", "structured"):
            assert asked_of(notice(), token_env="BROKER_TOKEN", mode=mode).headers["authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    ("status", "result"), [(200, Result.DELIVERED), (202, Result.DELIVERED), (204, Result.DELIVERED),
                           (301, Result.REFUSED_REDIRECT), (410, Result.GONE), (415, Result.HTTP_ERROR)]
)  # fmt: skip
def test_answers(status: int, result: Result) -> None:
    """2xx is success."""
    assert answer(made(**TABLE), reply(status), letter=notice())[0].result is result
