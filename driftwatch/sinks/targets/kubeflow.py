"""Kubeflow Pipelines, by its v2beta1 API: a request becomes a run of a pipeline.

The API knows no idempotency: what was sent twice because an answer was lost runs twice, under the same name and with
the same `driftwatch_id`, by which a pipeline can tell.
"""

from typing import Any, ClassVar, Literal

import msgspec
from pydantic import Field

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer
from driftwatch.sinks.targets.credentials import bearer, token_of
from driftwatch.sinks.targets.replies import begun
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.started import JSON, ValuedSpec, run_name, values
from driftwatch.sinks.targets.target import Ask, Request
from driftwatch.sinks.targets.token import TokenSpec


class KubeflowSpec(ValuedSpec, TokenSpec):
    """`[[targets]]` of type "kubeflow".

    url: what stands before "/apis/v2beta1". token_file: in a cluster the projected token of a service account with the
    audience pipelines.kubeflow.org. pipeline_version: without it the latest. experiment: without it the default one.
    """

    needs_token: ClassVar = False

    type: Literal["kubeflow"]
    pipeline: str = Field(min_length=1)
    pipeline_version: str = ""
    experiment: str = ""
    service_account: str = ""


class Kubeflow:
    """A pipeline in Kubeflow."""

    def __init__(self, spec: KubeflowSpec) -> None:
        self._spec = spec

    @property
    def spec(self) -> KubeflowSpec:
        """What the configuration says of it."""
        return self._spec

    def check(self) -> None:
        """Read the token once, if one is named. Raises SinkError when it cannot be read."""
        token_of(self._spec)

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt, now. Raises SinkError when the token cannot be read."""
        credential = bearer(token_of(self._spec))
        headers = {**JSON, **credential.headers}
        body = msgspec.json.encode(self._run(Said.of(letter)))
        reply = ask(Request(f"{self._spec.url}/apis/v2beta1/runs", headers, body, reads=True))
        return begun(reply, "run_id", now_ms=now_ms, secrets=credential.secrets)

    def _run(self, said: Said) -> dict[str, Any]:
        spec = self._spec
        reference = {"pipeline_id": spec.pipeline, "pipeline_version_id": spec.pipeline_version}
        optional = {"experiment_id": spec.experiment, "service_account": spec.service_account}
        return {
            "display_name": run_name(said),
            "description": f"{said.type}, asked for by driftwatch",
            "pipeline_version_reference": {key: value for key, value in reference.items() if value},
            "runtime_config": {"parameters": values(spec.parameters, said)},
            **{key: value for key, value in optional.items() if value},
        }
