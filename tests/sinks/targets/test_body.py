"""The plain webhook with a body of one's own: what is sent is what is signed."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier

from driftwatch.sinks.targets.webhook import sign
from tests.sinks.targets.faults import made
from tests.sinks.targets.notices import ID, NOW_MS, notice

TABLE = {"type": "webhook", "url": "http://trainer:8080/hooks", "secret_env": "HOOK_SECRET"}


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "geheim")


def test_the_event_as_it_is() -> None:
    """Without a text of one's own, byte for byte."""
    letter = notice()

    assert made(**TABLE).request(letter, now_ms=NOW_MS).body == letter.body


def test_a_body_in_the_table() -> None:
    """The signature covers what is sent, and the type is what was written."""
    table = TABLE | {"body": '{"text": "${data.model} drifts"}', "content_type": "application/vnd.api+json"}
    asked = made(**table).request(notice(), now_ms=NOW_MS)

    assert asked.body == b'{"text": "fraud drifts"}'
    assert asked.headers["content-type"] == "application/vnd.api+json"
    seconds = NOW_MS // 1000
    expected = sign(asked.body, b"geheim", webhook_id=ID, seconds=seconds)
    assert asked.headers["webhook-signature"] == expected
    assert asked.headers["webhook-id"] == ID


def test_others_accept_the_signature() -> None:
    """The public library signs a body of one's own in the same way."""
    asked = made(**TABLE, body='{"model": ${data.model}}').request(notice(), now_ms=NOW_MS)
    moment = datetime.fromtimestamp(NOW_MS // 1000, UTC)

    signed = Verifier(b"geheim").sign(msg_id=ID, timestamp=moment, data=asked.body.decode())
    assert signed == asked.headers["webhook-signature"]


def test_a_file(tmp_path: Path) -> None:
    """It is read with the configuration: what is written to it later is for the next reload."""
    file = tmp_path / "body.json"
    file.write_text('{"model": ${data.model}}', encoding="utf-8")
    target = made(**TABLE, template_file=str(file))
    file.write_text("broken ${", encoding="utf-8")

    assert json.loads(target.request(notice(), now_ms=NOW_MS).body) == {"model": "fraud"}


@pytest.mark.parametrize(
    ("content_type", "body", "sent"),
    [
        ("text/plain; charset=utf-8", "${data.model}: ü", "fraud: ü".encode()),
        ("application/x-www-form-urlencoded", "model=${data.cause.columns}", b"model=amount"),
    ],
)
def test_other_types(content_type: str, body: str, sent: bytes) -> None:
    """A form, or plain text."""
    asked = made(**TABLE, body=body, content_type=content_type).request(notice(), now_ms=NOW_MS)

    assert (asked.body, asked.headers["content-type"]) == (sent, content_type)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"body": "{", "content_type": "application/json"}, "it makes no JSON"),
        ({"body": "x", "content_type": "text/html"}, "write"),
        ({"body": "x", "content_type": "text/plain\r\nx-evil: 1"}, "write"),
        ({"body": "{}", "template_file": "x"}, "written twice"),
        ({"template_file": "not/there"}, "No such file"),
        ({"content_type": "text/plain"}, "the event is JSON"),
    ],
)
def test_wrong_tables(changes: dict[str, str], words: str) -> None:
    """They are refused when the configuration is read."""
    with pytest.raises(ValueError, match=words):
        made(**TABLE, **changes)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    """It is refused, too."""
    (tmp_path / "body").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="it is not UTF-8 text"):
        made(**TABLE, template_file=str(tmp_path / "body"))
