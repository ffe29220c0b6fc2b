"""The plain webhook: a signed POST as the Standard Webhooks specification (standardwebhooks.com) describes it."""

import base64
import binascii
import hashlib
import hmac
import os
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from driftwatch.errors import SinkError
from driftwatch.ports import Letter
from driftwatch.sinks.targets.post import Post
from driftwatch.spec import DurationMs, LocatedPath, PositiveDurationMs, Spec, announced

_PREFIX = "whsec_"
_LATER = (
    "airflow", "argo", "kubeflow", "github", "gitlab", "jenkins", "prefect", "dagster", "alertmanager", "pagerduty",
    "slack", "cloudevents",
)  # fmt: skip


class WebhookSpec(Spec):
    """`[[targets]]` of type "webhook"; exactly one of `secret_file` and `secret_env` names the signing secret.

    The secret is `whsec_` and base64, or any text, whose UTF-8 bytes are then the key; it is read again at every
    attempt, so it can be rotated while the service runs.
    """

    later: ClassVar = ("approval",)
    hints: ClassVar = {"secret": "secrets do not stand in this file: write secret_file or secret_env"}

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$")
    type: Annotated[Literal["webhook"], announced(*_LATER, instead='write "webhook"')] = "webhook"
    url: str
    secret_file: LocatedPath | None = None
    secret_env: str | None = None
    actions: tuple[Literal["notify", "retrain", "rollback"], ...] = Field(
        default=("notify", "retrain", "rollback"), min_length=1
    )
    cooldown: DurationMs = 0
    timeout: PositiveDurationMs = 15_000

    @field_validator("actions", mode="before")
    @classmethod
    def _tuple(cls, actions: object) -> object:
        return tuple(actions) if isinstance(actions, list) else actions

    @field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or any(character.isspace() for character in url):
            raise ValueError('write an address that begins with "http://" or "https://" and names a host')
        return url

    @model_validator(mode="after")
    def _one_secret(self) -> "WebhookSpec":
        if bool(self.secret_file) == bool(self.secret_env):
            raise ValueError("name the signing secret by exactly one of secret_file and secret_env")
        return self


class Webhook:
    """A webhook target: it says which request a letter becomes, and never sends it."""

    def __init__(self, spec: WebhookSpec) -> None:
        self._spec = spec

    @property
    def name(self) -> str:
        """The target's name."""
        return self._spec.name

    @property
    def timeout_seconds(self) -> float:
        """How long the target may take to answer."""
        return self._spec.timeout / 1000

    def post(self, letter: Letter, *, now_ms: int) -> Post:
        """Write the signed request of an attempt made now. Raises SinkError when the secret cannot be read."""
        seconds = now_ms // 1000
        headers = {
            "content-type": "application/json",
            "user-agent": "driftwatch",
            "webhook-id": letter.id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": sign(letter.body, self._secret(), webhook_id=letter.id, seconds=seconds),
        }
        return Post(self._spec.url, headers, letter.body)

    def _secret(self) -> bytes:
        if self._spec.secret_env is not None:
            return decode_secret(
                os.environ.get(self._spec.secret_env, ""), where=f"environment {self._spec.secret_env}"
            )
        path = Path(self._spec.secret_file or "")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise SinkError(f"target {self.name}: secret_file {path}: {reason}") from error
        return decode_secret(text, where=f"secret_file {path}")


def sign(body: bytes, secret: bytes, *, webhook_id: str, seconds: int) -> str:
    """Sign a message: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`."""
    digest = hmac.new(secret, f"{webhook_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def decode_secret(text: str, *, where: str) -> bytes:
    """Turn a written secret into its key. Raises SinkError, which never shows it, when it is empty or no base64."""
    text = text.strip()
    if not text.startswith(_PREFIX):
        if not text:
            raise SinkError(f"{where}: the signing secret is empty")
        return text.encode()
    coded = text.removeprefix(_PREFIX)
    try:
        secret = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
    except binascii.Error:
        secret = b""
    if not secret:
        raise SinkError(f"{where}: what follows {_PREFIX} in the signing secret is not base64")
    return secret
