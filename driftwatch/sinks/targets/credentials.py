"""Who asks an API: nobody, the holder of a token, or a user with a password."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from pydantic import model_validator

from driftwatch.errors import SinkError
from driftwatch.sinks.targets.secret import read_secret
from driftwatch.sinks.targets.token import TokenSpec
from driftwatch.spec import LocatedPath, mistake


class LoginSpec(TokenSpec):
    """The keys that name a token, or a user and the password's file or variable; all may be left out."""

    needs_token: ClassVar = False
    hints: ClassVar = {
        **TokenSpec.hints,
        "password": "secrets do not stand in this file: write password_file or password_env",
    }

    username: str | None = None
    password_file: LocatedPath | None = None
    password_env: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        passwords = bool(self.password_file) + bool(self.password_env)
        if bool(self.username) != bool(passwords) or passwords > 1:
            raise mistake("username", "write username and one of password_file and password_env, or none of them")
        if passwords and (self.token_file or self.token_env):
            raise mistake("username", "write a token or a user with a password, not both")
        return self


@dataclass(frozen=True, slots=True)
class Credential:
    """The headers of a request that say who asks, and the words in them that nobody else may read."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


def token_of(spec: TokenSpec) -> str:
    """Read the token without a scheme before it; "" when none is named. Raises SinkError when it cannot be used."""
    token = spec.token().removeprefix("Bearer ").strip()
    if token and not sendable(token):
        raise SinkError(f"target {spec.name}: the token holds what no HTTP header can carry; write it in one line")
    return token


def password_of(spec: LoginSpec) -> str:
    """Read the password. Raises SinkError when it cannot be read."""
    return read_secret(target=spec.name, key="password", file=spec.password_file, variable=spec.password_env)


def bearer(token: str) -> Credential:
    """Ask as the holder of a token, or as nobody."""
    return Credential({"authorization": f"Bearer {token}"}, (token,)) if token else Credential()


def basic(username: str, password: str) -> Credential:
    """Ask as a user."""
    coded = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Credential({"authorization": f"Basic {coded}"}, (password, coded))


def credential_of(spec: LoginSpec) -> Credential:
    """Ask as whom the table names. Raises SinkError when the token or the password cannot be read."""
    if not spec.username:
        return bearer(token_of(spec))
    return basic(spec.username, password_of(spec))


def sendable(token: str) -> bool:
    """Whether a header can carry it."""
    return bool(token) and token.isascii() and token.isprintable()
