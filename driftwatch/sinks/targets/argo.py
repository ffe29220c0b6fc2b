"""Argo Workflows: a request becomes an event that bindings select, or a workflow made from a template.

A submitted workflow has a name made of the webhook's id, so what was sent twice is refused with 409 for as long as the
first one is kept. Events know no idempotency; their payload has the id.
"""

import hashlib
import re
from typing import Any, ClassVar, Literal, Self
from urllib.parse import quote

import msgspec
from pydantic import Field, model_validator

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer, Result
from driftwatch.sinks.targets.credentials import Credential, bearer, token_of
from driftwatch.sinks.targets.replies import begun, words_of
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.started import JSON, ValuedSpec, text_of, values
from driftwatch.sinks.targets.target import Ask, Request
from driftwatch.sinks.targets.token import TokenSpec
from driftwatch.spec import mistake

_OF_MODE = {"events": ("discriminator",), "submit": ("template", "kind", "service_account", "parameters")}
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?")


class ArgoSpec(ValuedSpec, TokenSpec):
    """`[[targets]]` of type "argo".

    url: that of the Argo server. token: with or without "Bearer " before it. discriminator: of events, for bindings
    that tell them apart by it. template, kind: of submitted workflows, what they are made from.
    """

    needs_token: ClassVar = False

    type: Literal["argo"]
    mode: Literal["events", "submit"]
    namespace: str = Field(min_length=1)
    discriminator: str = ""
    template: str = ""
    kind: Literal["WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow"] = "WorkflowTemplate"
    service_account: str = ""

    @model_validator(mode="after")
    def _keys_of_the_mode(self) -> Self:
        for mode, keys in _OF_MODE.items():
            if mode != self.mode and (stray := sorted(self.model_fields_set.intersection(keys))):
                raise mistake(stray[0], f'this is for mode = "{mode}"; leave it out')
        if self.mode == "submit" and not self.template:
            raise mistake("template", "this key is missing; write the name of the template to submit")
        return self


class Argo:
    """A namespace of Argo Workflows that takes events, or a template in it."""

    def __init__(self, spec: ArgoSpec) -> None:
        self._spec = spec

    @property
    def spec(self) -> ArgoSpec:
        """What the configuration says of it."""
        return self._spec

    def check(self) -> None:
        """Read the token once, if one is named. Raises SinkError when it cannot be read."""
        token_of(self._spec)

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt, now. Raises SinkError when the token cannot be read."""
        credential = bearer(token_of(self._spec))
        if self._spec.mode == "events":
            reply = ask(self._event(Said.of(letter), credential))
            return begun(reply, now_ms=now_ms, secrets=credential.secrets)
        reply = ask(self._submission(Said.of(letter), credential))
        if reply.status == 409 and b"already exists" in reply.body:
            return Answer(Result.DELIVERED, detail=f"already submitted: {words_of(reply, secrets=credential.secrets)}")
        return begun(reply, "metadata", "name", now_ms=now_ms, secrets=credential.secrets)

    def _event(self, said: Said, credential: Credential) -> Request:
        spec = self._spec
        path = f"/api/v1/events/{quote(spec.namespace, safe='')}/{quote(spec.discriminator, safe='')}"
        return self._request(path, {"id": said.id, **said.event}, credential)

    def _submission(self, said: Said, credential: Credential) -> Request:
        spec = self._spec
        options: dict[str, Any] = {
            "name": f"driftwatch-{_label(said.id)}",
            "labels": f"driftwatch-id={_label(said.id)}",
            "parameters": [f"{name}={text_of(value)}" for name, value in values(spec.parameters, said).items()],
        }
        if spec.service_account:
            options["serviceAccount"] = spec.service_account
        submission = {"resourceKind": spec.kind, "resourceName": spec.template, "submitOptions": options}
        return self._request(f"/api/v1/workflows/{quote(spec.namespace, safe='')}/submit", submission, credential)

    def _request(self, path: str, body: dict[str, Any], credential: Credential) -> Request:
        headers = {**JSON, **credential.headers}
        return Request(f"{self._spec.url}{path}", headers, msgspec.json.encode(body), reads=True)


def _label(identity: str) -> str:
    """An id as Kubernetes writes names; one that cannot be written so becomes its hash."""
    name = identity.lower().replace("_", "-")
    return name if _LABEL.fullmatch(name) else hashlib.sha256(identity.encode()).hexdigest()[:32]
