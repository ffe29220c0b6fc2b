"""Kinds of targets whose receivers ask who is there: the token's keys, and how it is read."""

from typing import ClassVar, Self

from pydantic import model_validator

from driftwatch.sinks.targets.secret import read_secret
from driftwatch.sinks.targets.spec import TargetSpec
from driftwatch.spec import LocatedPath


class TokenSpec(TargetSpec):
    """Adds `token_file` and `token_env`: exactly one of them names the token, or at most one where none is needed."""

    hints: ClassVar = {"token": "secrets do not stand in this file: write token_file or token_env"}
    needs_token: ClassVar[bool] = True

    token_file: LocatedPath | None = None
    token_env: str | None = None

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        named = bool(self.token_file) + bool(self.token_env)
        if named > 1 or named < self.needs_token:
            most = "exactly" if self.needs_token else "at most"
            raise ValueError(f"name the token by {most} one of token_file and token_env")
        return self

    def token(self) -> str:
        """Read the token, "" where none is named. Raises SinkError, which never shows it, when it cannot be read."""
        if not self.token_file and not self.token_env:
            return ""
        return read_secret(target=self.name, key="token", file=self.token_file, variable=self.token_env)
