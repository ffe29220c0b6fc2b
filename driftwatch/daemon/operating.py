"""What is said about running models over HTTP: stored in the durable inbox, heard by the engine like any event."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

from driftwatch.config import Config
from driftwatch.errors import ConfigError, SinkError
from driftwatch.evaluation.casebook import Casebook
from driftwatch.ports.streams import Clock, Inbox, Keyed, Repeated
from driftwatch.sinks.board import Board
from driftwatch.sinks.targets.secret import read_secret
from driftwatch.stream.operations import Operation, write_operation
from driftwatch.stream.raw import Stream


@dataclass(frozen=True, slots=True)
class DurableOperator:
    """The Operator on the inbox. What stands is asked of memory."""

    inbox: Inbox
    models: Collection[str]
    board: Board
    casebook: Casebook
    clock: Clock

    def knows_model(self, model: str) -> bool:
        """Say whether the model is watched."""
        return model in self.models

    def alert_stands(self, alert: str) -> bool:
        """Say whether the alert is pending or firing."""
        return alert in self.board.picture.alerts

    def incident_is_open(self, incident: str) -> bool:
        """Say whether it is."""
        return any(each.id == incident for each in list(self.casebook.open.values()))

    def tell(self, operation: Operation, *, key: str = "") -> bool:
        """Store it; whether it was new under its key."""
        body, received_ms = write_operation(operation), self.clock()
        keyed = Keyed(key, hashlib.blake2b(body, digest_size=16).digest(), received_ms) if key else None
        try:
            self.inbox.append(Stream.OPERATIONS, body, received_ms=received_ms, keyed=keyed)
        except Repeated:
            return False
        return True


def mlflow_secret(config: Config) -> Callable[[], str]:
    """What reads the secret of `[hooks.mlflow]`, at every webhook; it raises SinkError."""

    def read() -> str:
        spec = config.hooks.mlflow
        assert spec is not None
        return read_secret(target="hooks.mlflow", key="secret", file=spec.secret_file, variable=spec.secret_env)

    return read


def check_hooks(config: Config) -> None:
    """Read the secret once; ConfigError when it is not there, or a model is not."""
    spec = config.hooks.mlflow
    if spec is None:
        return
    for registered, model in spec.models.items():
        if model not in {each.name for each in config.models}:
            raise ConfigError(f'hooks.mlflow.models.{registered}: no model is called "{model}"; write the name of one')
    try:
        mlflow_secret(config)()
    except SinkError as error:
        raise ConfigError(f"hooks.mlflow: {error}; make it readable or name another") from error
