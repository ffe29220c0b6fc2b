"""Slack, as docs.slack.dev describes incoming webhooks: the message, its escapes, and what the answers mean."""

import json

import pytest

from driftwatch.errors import SinkError
from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.incidents import Phase
from driftwatch.sinks.attempts import Result
from tests.sinks.targets.faults import answer, made, reply
from tests.sinks.targets.notices import end, incident, notice, turn

URL = "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
TABLE = {"type": "slack", "url_env": "SLACK_URL"}


@pytest.fixture(autouse=True)
def address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_URL", URL)


def said(letter) -> dict:
    _, (asked,) = answer(made(**TABLE), reply(200, b"ok"), letter=letter)
    return json.loads(asked.body)


def test_a_message() -> None:
    """A line for the notification, the same and the details for the channel."""
    letter = notice("amount", "age", base="https://d.example/a")
    found, (asked,) = answer(made(**TABLE), reply(200, b"ok"), letter=letter)
    line = ":warning: fraud 7: alert, rule drift: covariate change in amount, age"
    links = json.loads(letter.body)["data"]["links"]
    small = " · ".join(
        ["severity warning, 2 alerts", *(f"<{link.replace('&', '&amp;')}|{name}>" for name, link in links.items())]
    )
    expected = {
        "text": line,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": line}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": small}]},
        ],
    }

    assert found.result is Result.DELIVERED
    assert (asked.url, asked.headers) == (URL, {"content-type": "application/json"})
    assert asked.body == json.dumps(expected, separators=(",", ":"), ensure_ascii=False).encode()


def test_what_means_something_to_slack_is_escaped() -> None:
    """A name cannot mention a channel, or hide where a link leads."""
    message = said(notice("<!channel> & <http://evil|x>", segment="a<b"))

    assert "in &lt;!channel&gt; &amp; &lt;http://evil|x&gt;" in message["text"]
    assert "segment a&lt;b" in message["blocks"][1]["elements"][0]["text"]


def test_ends_and_incidents_look_otherwise() -> None:
    """Good news and bad news can be told apart at a glance."""
    assert said(end("amount"))["text"] == ":white_check_mark: fraud 7: resolved, rule drift"
    assert "2 still firing" in said(end("amount", still_firing=2))["blocks"][1]["elements"][0]["text"]
    bad = turn(EventType.NOT_RECOVERED, incident(Phase.NOT_RECOVERED))
    assert said(bad)["text"].startswith(":rotating_light: fraud 7: not recovered")


def test_long_names_are_cut() -> None:
    """Slack refuses a section of more than 3000 characters."""
    message = said(notice(*("<" * 1000 + str(n) for n in range(5))))

    assert len(message["blocks"][0]["text"]["text"]) == 3000


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, b"ok", Result.DELIVERED),
        (200, b"<html>sign in</html>", Result.NOT_STARTED),
        (200, b"", Result.NOT_STARTED),
        (400, b"invalid_payload", Result.HTTP_ERROR),
        (403, b"invalid_token", Result.HTTP_ERROR),
        (404, b"no_service", Result.GONE),
        (410, b"channel_is_archived", Result.GONE),
        (429, b"", Result.THROTTLED),
        (500, b"rollup_error", Result.HTTP_ERROR),
    ],
)
def test_answers(status: int, body: bytes, result: Result) -> None:
    """Only "ok" is success; a channel that is gone is not asked again."""
    assert answer(made(**TABLE), reply(status, body), letter=notice())[0].result is result


@pytest.mark.parametrize(
    "text", ["hooks.slack.com/services/T/B/hunter2", "https://", "https://a b/hunter2", "file:///x"]
)
def test_what_is_no_address(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """It is refused at the start, and not shown."""
    monkeypatch.setenv("SLACK_URL", text)
    with pytest.raises(SinkError, match="environment SLACK_URL: it is no address") as refused:
        made(**TABLE).check()
    assert "hunter2" not in str(refused.value)
