"""How a run is started: the address of the API, the name of the run, and the values that it is given."""

from typing import Annotated

import msgspec
from pydantic import AfterValidator, Field

from driftwatch.sinks.targets.pipeline import PipelineSpec
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.spec import Address
from driftwatch.sinks.targets.template import Form, Template
from driftwatch.spec import mistake

Scalar = str | int | float | bool

STANDARD: dict[str, Scalar] = {
    "driftwatch_id": "${id}",
    "event": "${type}",
    "alert_id": "${data.alert.id}",
    "model": "${data.model}",
    "version": "${data.version}",
    "cause": "${data.cause.kind}",
    "columns": "${data.cause.columns}",
    "training_start": "${data.suggested_training_range.start}",
    "training_end": "${data.suggested_training_range.end}",
}
"""What is passed when `parameters` is left out: who asks, about what, why, and which rows to train on."""

ENVIRONMENT: dict[str, Scalar] = {
    f"DRIFTWATCH_{name.removeprefix('driftwatch_').upper()}": text for name, text in STANDARD.items()
}
"""The same where the names become those of environment variables: DRIFTWATCH_MODEL and the like."""

JSON = {"content-type": "application/json", "accept": "application/json", "user-agent": "driftwatch"}


def _plain(url: str) -> str:
    if "?" in url or "#" in url:
        raise ValueError('write the address that the paths of its API are put after, without "?" and "#"')
    return url.rstrip("/")


def _usable(parameters: dict[str, Scalar]) -> dict[str, Scalar]:
    for name, value in parameters.items():
        try:
            _template(value)
        except ValueError as error:
            raise mistake(name, str(error)) from error
    return parameters


BaseAddress = Annotated[Address, AfterValidator(_plain)]
"""An address that paths are put after; it has no slash at its end."""

Values = Annotated[dict[str, Scalar], AfterValidator(_usable)]
"""Names → numbers, true, false, and texts in which `${data.model}` stands for what the event says."""


class StartedSpec(PipelineSpec):
    """The keys of a target that has an API to start runs by."""

    url: BaseAddress


class ValuedSpec(StartedSpec):
    """The same, of runs that take values; parameters: instead of the standard ones."""

    parameters: Values = Field(default=STANDARD)


def values(parameters: dict[str, Scalar], said: Said) -> dict[str, Scalar]:
    """Give the values of one event; a text stands for what is not said, too: ""."""
    return {
        name: _template(value).render(said) if isinstance(value, str) else value for name, value in parameters.items()
    }


def text_of(value: Scalar) -> str:
    """A value as text, as JSON writes numbers, true and false."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def run_name(said: Said) -> str:
    """The name of the run: the same on every attempt, another for every request."""
    return f"driftwatch__{said.id}"


def _template(value: Scalar) -> Template:
    return Template(value if isinstance(value, str) else "", form=Form.TEXT)
