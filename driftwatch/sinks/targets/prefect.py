"""Prefect, by its REST API: a request becomes a flow run of a deployment.

Its idempotency key is the webhook's id, so what was sent twice is one run.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from pydantic import AfterValidator

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer
from driftwatch.sinks.targets.credentials import LoginSpec, credential_of
from driftwatch.sinks.targets.replies import begun
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.started import JSON, ValuedSpec, run_name, values
from driftwatch.sinks.targets.target import Ask, Request


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError('write the id of the deployment, which "prefect deployment inspect" shows') from None


class PrefectSpec(ValuedSpec, LoginSpec):
    """`[[targets]]` of type "prefect".

    url: as PREFECT_API_URL, with "/api". A token is for Prefect Cloud; a user and a password are the two halves of a
    server's own PREFECT_SERVER_API_AUTH_STRING.
    """

    type: Literal["prefect"]
    deployment: Annotated[str, AfterValidator(_uuid)]


class Prefect:
    """A deployment in Prefect."""

    def __init__(self, spec: PrefectSpec) -> None:
        self._spec = spec

    @property
    def spec(self) -> PrefectSpec:
        """What the configuration says of it."""
        return self._spec

    def check(self) -> None:
        """Read the token or the password once, if one is named. Raises SinkError when it cannot be read."""
        credential_of(self._spec)

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt, now. Raises SinkError when the token or the password cannot be read."""
        spec, said, credential = self._spec, Said.of(letter), credential_of(self._spec)
        run = {
            "name": run_name(said),
            "parameters": values(spec.parameters, said),
            "tags": ["driftwatch"],
            "idempotency_key": said.id,
        }
        url = f"{spec.url}/deployments/{spec.deployment}/create_flow_run"
        reply = ask(Request(url, {**JSON, **credential.headers}, msgspec.json.encode(run), reads=True))
        # A 409 is no duplicate here: the parameters do not fit the flow's.
        return begun(reply, "id", now_ms=now_ms, secrets=credential.secrets)
