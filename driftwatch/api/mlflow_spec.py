"""`[hooks.mlflow]`: which registered models of MLflow are which models here."""

from typing import Self

from pydantic import Field, model_validator

from driftwatch.spec import LocatedPath, PositiveDurationMs, Spec, duration_ms


class MlflowSpec(Spec):
    """`[hooks.mlflow]`: webhooks of an MLflow registry, version 3 or later, at POST /v1/hooks/mlflow.

    models: registered name → model. alias: moving it to a version deploys that; events have to call it the same.
    tolerance: how far the time of a webhook may be from this machine's.
    """

    secret_file: LocatedPath | None = None
    secret_env: str | None = None
    models: dict[str, str] = Field(min_length=1)
    alias: str = Field(default="champion", min_length=1)
    tolerance: PositiveDurationMs = duration_ms("5m")

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if bool(self.secret_file) == bool(self.secret_env):
            raise ValueError("name the secret by exactly one of secret_file and secret_env")
        return self


class HooksSpec(Spec):
    """`[hooks]`: other systems that tell of models."""

    mlflow: MlflowSpec | None = None
