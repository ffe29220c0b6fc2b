"""A job whose one op takes exactly what driftwatch gives."""

from dagster import Config, Definitions, job, op


class Request(Config):
    """The standard values."""

    driftwatch_id: str
    event: str
    alert_id: str
    model: str
    version: str
    cause: str
    columns: str
    training_start: str
    training_end: str


@op
def train(config: Request) -> None:
    """Train nothing."""


@job
def retrain() -> None:
    """Train."""
    train()


definitions = Definitions(jobs=[retrain])
