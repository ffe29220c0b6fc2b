"""The plain webhook: a signed POST as the Standard Webhooks specification (standardwebhooks.com) describes it."""

import base64
import binascii
import hashlib
import hmac
from typing import ClassVar, Literal

from pydantic import model_validator

from driftwatch.errors import SinkError
from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer
from driftwatch.sinks.targets.body import BodySpec
from driftwatch.sinks.targets.secret import read_secret
from driftwatch.sinks.targets.spec import Address
from driftwatch.sinks.targets.target import Ask, Request
from driftwatch.spec import LocatedPath

_PREFIX = "whsec_"
_MAX_SECRETS = 4
"""So many may be valid at once while they are rotated."""


class WebhookSpec(BodySpec):
    """`[[targets]]` of type "webhook"; exactly one of `secret_file` and `secret_env` names the signing secret.

    The secret is `whsec_` and base64, or a line of any text, whose UTF-8 bytes are then the key. It is read again at
    every attempt, so it can be rotated while the service runs: of several, one a line and the newest first, each signs.
    """

    hints: ClassVar = {"secret": "secrets do not stand in this file: write secret_file or secret_env"}

    type: Literal["webhook"] = "webhook"
    url: Address
    secret_file: LocatedPath | None = None
    secret_env: str | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> "WebhookSpec":
        if bool(self.secret_file) == bool(self.secret_env):
            raise ValueError("name the signing secret by exactly one of secret_file and secret_env")
        return self


class Webhook:
    """A webhook target."""

    def __init__(self, spec: WebhookSpec) -> None:
        self._spec = spec

    @property
    def spec(self) -> WebhookSpec:
        """What the configuration says of it."""
        return self._spec

    def check(self) -> None:
        """Read the secrets once. Raises SinkError when one cannot be read."""
        self._secrets()

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt, now. Raises SinkError when the secret cannot be read."""
        return ask(self.request(letter, now_ms=now_ms)).judged(now_ms=now_ms)

    def request(self, letter: Letter, *, now_ms: int) -> Request:
        """Write the signed request of an attempt made now. Raises SinkError when the secret cannot be read."""
        seconds, body = now_ms // 1000, self._spec.written(letter)
        signatures = [sign(body, secret, webhook_id=letter.sent_as, seconds=seconds) for secret in self._secrets()]
        headers = {
            "content-type": self._spec.content_type,
            "user-agent": "driftwatch",
            "webhook-id": letter.sent_as,
            "webhook-timestamp": str(seconds),
            "webhook-signature": " ".join(signatures),
        }
        return Request(self._spec.url, headers, body)

    def _secrets(self) -> tuple[bytes, ...]:
        spec = self._spec
        text = read_secret(target=spec.name, key="secret", file=spec.secret_file, variable=spec.secret_env)
        named = f"environment {spec.secret_env}" if spec.secret_env else f"secret_file {spec.secret_file}"
        where = f"target {spec.name}: {named}"
        secrets = tuple(decode_secret(each, where=where) for each in separated(text))
        if len(secrets) > _MAX_SECRETS:
            raise SinkError(f"{where}: there are {len(secrets)} secrets; keep at most {_MAX_SECRETS}")
        return secrets


def sign(body: bytes, secret: bytes, *, webhook_id: str, seconds: int) -> str:
    """Sign a message: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`."""
    digest = hmac.new(secret, f"{webhook_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def separated(text: str) -> list[str]:
    """Tell secrets apart: by lines, and coded ones, which hold no spaces, by any white space."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    coded = text.split()
    return coded if all(each.startswith(_PREFIX) for each in coded) else lines


def decode_secret(text: str, *, where: str) -> bytes:
    """Turn a written secret into its key. Raises SinkError, which never shows it, when it is empty or no base64."""
    if not text.startswith(_PREFIX):
        if not text:
            raise SinkError(f"{where}: the secret is empty")
        return text.encode()
    coded = text.removeprefix(_PREFIX)
    try:
        secret = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
    except binascii.Error:
        secret = b""
    if not secret:
        raise SinkError(f"{where}: what follows {_PREFIX} in the secret is not base64")
    return secret
