"""The webhook target: what may be configured, where its secret comes from, and that others accept its signature."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from driftwatch.errors import SinkError
from driftwatch.sinks.targets.webhook import Webhook, WebhookSpec, decode_secret, sign
from tests.store.examples import letter

GOOD = {"name": "retrain", "url": "http://trainer:8080/hooks", "secret_file": "/run/secrets/hook"}
NOW = 1_767_607_200_999


def test_defaults() -> None:
    """A name, an address and a secret are enough."""
    spec = WebhookSpec.model_validate(GOOD)

    assert (spec.actions, spec.cooldown, spec.timeout) == (("notify", "retrain", "rollback"), 0, 15_000)


def test_everything_written() -> None:
    """Every key of the contract that this kind of target has is read."""
    written = {"type": "webhook", "actions": ["retrain"], "cooldown": "6h", "timeout": "5s"}
    spec = WebhookSpec.model_validate(GOOD | written)

    assert (spec.actions, spec.cooldown, spec.timeout) == (("retrain",), 6 * 3_600_000, 5_000)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"secret_file": None}, "exactly one of secret_file and secret_env"),
        ({"secret_env": "HOOK"}, "exactly one of secret_file and secret_env"),
        ({"secret_file": ""}, "exactly one of secret_file and secret_env"),
        ({"secret": "whsec_x"}, "write secret_file or secret_env"),
        ({"url": "trainer:8080"}, "begins with"),
        ({"url": "ftp://trainer/"}, "begins with"),
        ({"url": "http://"}, "begins with"),
        ({"url": "http://trainer:99999/"}, "begins with"),
        ({"url": "http://trainer:0/"}, "begins with"),
        ({"url": "http://[::1"}, "begins with"),
        ({"url": "http://trainer/a b"}, "begins with"),
        ({"actions": []}, "at least 1 item"),
        ({"actions": ["page"]}, "'notify', 'retrain' or 'rollback'"),
        ({"cooldown": 5}, "write a duration as text"),
        ({"timeout": "0s"}, "longer than zero"),
        ({"type": "slack"}, "'webhook'"),
        ({"name": ""}, "name"),
        ({"name": 'a"b'}, "name"),
    ],
)
def test_wrong_specs(changes: dict[str, Any], words: str) -> None:
    """Each mistake is named."""
    with pytest.raises(ValueError, match=words):
        WebhookSpec.model_validate(GOOD | changes)


@pytest.mark.parametrize(
    "secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaQ", "grün"]
)
def test_others_accept_the_signature(tmp_path: Path, secret: str) -> None:
    """The public Standard Webhooks library accepts what is sent, with a coded secret, padded or not, or plain."""
    (tmp_path / "secret").write_text(secret + "\n", encoding="utf-8")
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    spec = WebhookSpec.model_validate(GOOD | {"secret_file": str(tmp_path / "secret")})
    post = Webhook(spec).request(letter(body='{"type":"ü"}'.encode()), now_ms=now_ms)

    key = secret if secret.startswith("whsec_") else secret.encode()
    assert Verifier(key).verify(post.body, dict(post.headers)) == {"type": "ü"}
    assert post.url == GOOD["url"]
    assert post.headers["content-type"] == "application/json"


@given(secret=st.binary(min_size=1, max_size=80), body=st.text(), seconds=st.integers(0, 4_000_000_000))
def test_signing_agrees_with_the_public_library(secret: bytes, body: str, seconds: int) -> None:
    """For any key, body and time the signature is the one that the library would make."""
    moment = datetime.fromtimestamp(seconds, UTC)

    assert sign(body.encode(errors="ignore"), secret, webhook_id="msg_1", seconds=seconds) == Verifier(secret).sign(
        msg_id="msg_1", timestamp=moment, data=body.encode(errors="ignore").decode()
    )


def test_the_time_is_that_of_the_attempt() -> None:
    """The same letter keeps its id, while time and signature are those of each attempt."""
    target = Webhook(WebhookSpec.model_validate(GOOD | {"secret_file": None, "secret_env": "HOOK"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOOK", "plain")
        first, second = (target.request(letter(), now_ms=now_ms).headers for now_ms in (NOW, NOW + 5_000))

    assert first["webhook-id"] == second["webhook-id"] == "msg_1"
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1767607200", "1767607205")
    assert first["webhook-signature"] != second["webhook-signature"]


def test_a_rotated_secret_is_used_at_once(tmp_path: Path) -> None:
    """The file is read again at every attempt."""
    file = tmp_path / "secret"
    target = Webhook(WebhookSpec.model_validate(GOOD | {"secret_file": str(file)}))
    signatures = []
    for secret in ("old", "new"):
        file.write_text(secret)
        signatures.append(target.request(letter(), now_ms=NOW).headers["webhook-signature"])

    assert signatures == [sign(letter().body, key, webhook_id="msg_1", seconds=NOW // 1000) for key in (b"old", b"new")]


@pytest.mark.parametrize(
    ("written", "newest", "old"),
    [
        ("whsec_bmV3ZXI=\nwhsec_b2xkZXI=\n", "whsec_bmV3ZXI=", "whsec_b2xkZXI="),
        ("whsec_bmV3ZXI= whsec_b2xkZXI=", "whsec_bmV3ZXI=", "whsec_b2xkZXI="),
        ("a new phrase\r\n\r\nan old one", b"a new phrase", b"an old one"),
        ("whsec_bmV3ZXI=\nan old phrase", "whsec_bmV3ZXI=", b"an old phrase"),
    ],
)
@pytest.mark.parametrize("by", ["file", "variable"])
def test_while_secrets_are_rotated_both_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, written: str, newest: str | bytes, old: str | bytes, by: str
) -> None:
    """There is a signature for each, the newest first: the public library accepts either secret and no other."""
    (tmp_path / "secret").write_text(written, encoding="utf-8", newline="")
    monkeypatch.setenv("HOOK", written)
    named = {"secret_file": str(tmp_path / "secret")} if by == "file" else {"secret_file": None, "secret_env": "HOOK"}
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    post = Webhook(WebhookSpec.model_validate(GOOD | named)).request(letter(body=b'{"a":1}'), now_ms=now_ms)

    for secret in (newest, old):
        assert Verifier(secret).verify(post.body, dict(post.headers)) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Verifier(b"another").verify(post.body, dict(post.headers))
    first, second = post.headers["webhook-signature"].split(" ")
    assert Verifier(newest).verify(post.body, post.headers | {"webhook-signature": first})
    assert Verifier(old).verify(post.body, post.headers | {"webhook-signature": second})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a\nb\nc\nd\ne", "there are 5 secrets; keep at most 4"),
        (b"fine\nwhsec_????", "is not base64"),
        (None, r"target retrain: secret_file .*: No such file or directory"),
        (b"", "the secret is empty"),
        (b" \n", "the secret is empty"),
        (b"whsec_", "is not base64"),
        (b"whsec_????", "is not base64"),
        (b"\xff\xfe", "it is not UTF-8 text"),
    ],
)
def test_an_unreadable_secret(tmp_path: Path, content: bytes | None, words: str) -> None:
    """It is a SinkError that says where and why, and never shows the secret."""
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    target = Webhook(WebhookSpec.model_validate(GOOD | {"secret_file": str(file)}))
    with pytest.raises(SinkError, match=words) as caught:
        target.request(letter(), now_ms=NOW)

    assert "????" not in str(caught.value)


def test_an_unset_environment_variable() -> None:
    """Its name is in the message."""
    target = Webhook(WebhookSpec.model_validate(GOOD | {"secret_file": None, "secret_env": "DRIFTWATCH_NOT_SET"}))
    with pytest.raises(SinkError, match="environment DRIFTWATCH_NOT_SET: it is not set"):
        target.request(letter(), now_ms=NOW)


def test_a_coded_secret_is_decoded() -> None:
    """What follows the prefix is base64; any other text is the key itself."""
    assert decode_secret("whsec_aGVsbG8=", where="test") == b"hello"
    assert decode_secret("aGVsbG8=", where="test") == b"aGVsbG8="
