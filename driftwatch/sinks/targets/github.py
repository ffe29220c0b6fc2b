"""GitHub Actions: an event of a repository (repository_dispatch), or one run of a workflow (workflow_dispatch).

REST API, "Create a repository dispatch event" and "Create a workflow dispatch event", version 2022-11-28.
"""

from dataclasses import replace
from typing import Literal, Self

import msgspec
from pydantic import Field, model_validator

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer, Result, judge
from driftwatch.sinks.targets.credentials import bearer, token_of
from driftwatch.sinks.targets.replies import judged
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.started import STANDARD, BaseAddress, ValuedSpec, Values, text_of, values
from driftwatch.sinks.targets.target import Ask, Reply, Request
from driftwatch.sinks.targets.token import TokenSpec
from driftwatch.spec import mistake

_MAX_INPUTS = 25
_INPUTS = {name: STANDARD[name] for name in ("driftwatch_id", "model", "version")}
_OF_EVENT = {
    "repository_dispatch": ("event_type",),
    "workflow_dispatch": ("workflow", "ref", "parameters"),
}


class GithubSpec(ValuedSpec, TokenSpec):
    """`[[targets]]` of type "github"; the token may write contents, or actions for workflow_dispatch.

    url: of the API. event_type: what `on: repository_dispatch: types:` is to wait for; the event's own type when left
    out. parameters: the inputs of the workflow, which refuses those that it does not declare.
    """

    type: Literal["github"]
    url: BaseAddress = "https://api.github.com"
    repository: str = Field(pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$")
    event: Literal["repository_dispatch", "workflow_dispatch"] = "repository_dispatch"
    event_type: str | None = Field(default=None, min_length=1, max_length=100)
    workflow: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]+$")
    ref: str = Field(default="main", min_length=1)
    parameters: Values = _INPUTS

    @model_validator(mode="after")
    def _keys_of_the_event(self) -> Self:
        for event, keys in _OF_EVENT.items():
            if event != self.event and (stray := sorted(self.model_fields_set.intersection(keys))):
                raise mistake(stray[0], f'this is for event = "{event}"; leave it out')
        if self.event == "workflow_dispatch" and self.workflow is None:
            raise mistake(
                "workflow", 'this key is missing; write the name of the workflow\'s file, such as "retrain.yml"'
            )
        if len(self.parameters) > _MAX_INPUTS:
            raise mistake("parameters", f"a workflow takes at most {_MAX_INPUTS} inputs; leave some out")
        return self


class Github:
    """A repository on GitHub."""

    def __init__(self, spec: GithubSpec) -> None:
        self._spec = spec

    @property
    def spec(self) -> GithubSpec:
        """What the configuration says of it."""
        return self._spec

    def check(self) -> None:
        """Read the token once. Raises SinkError when it cannot be read."""
        token_of(self._spec)

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt, now. Raises SinkError when the token cannot be read."""
        token = token_of(self._spec)
        return _judged(ask(self.request(letter, token=token)), now_ms=now_ms, token=token)

    def request(self, letter: Letter, *, token: str) -> Request:
        """Write the request. GitHub knows no duplicates: the id in it is for the workflow."""
        spec, said = self._spec, Said.of(letter)
        headers = {
            "accept": "application/vnd.github+json",
            "content-type": "application/json",
            "user-agent": "driftwatch",
            "x-github-api-version": "2022-11-28",
            **bearer(token).headers,
        }
        base = f"{spec.url}/repos/{spec.repository}"
        if spec.event == "workflow_dispatch":
            url = f"{base}/actions/workflows/{spec.workflow}/dispatches"
            inputs = {name: text_of(value) for name, value in values(spec.parameters, said).items()}
            body = {"ref": spec.ref, "inputs": inputs}
        else:
            url = f"{base}/dispatches"
            body = {"event_type": spec.event_type or said.type, "client_payload": {"id": said.id, **said.event}}
        return Request(url, headers, msgspec.json.encode(body), reads=True)


def _judged(reply: Reply, *, now_ms: int, token: str) -> Answer:
    """204, or 200 and which run it is. An exhausted rate limit says when it is renewed."""
    headers = reply.headers
    if reply.status in {403, 429} and headers.get("x-ratelimit-remaining") == "0" and "retry-after" not in headers:
        reset = headers.get("x-ratelimit-reset", "")
        wait = str(max(1, int(reset[:12]) - now_ms // 1000)) if reset.isascii() and reset.isdigit() else "60"
        return judge(reply.status, wait, now_ms=now_ms)
    answer = judged(reply, now_ms=now_ms, secrets=(token,))
    if answer.result is not Result.DELIVERED or reply.status == 204:
        return answer
    run = reply.document().get("workflow_run_id")
    if isinstance(run, int):
        return replace(answer, detail=f"HTTP {reply.status}: run {run}")
    return replace(answer, result=Result.NOT_STARTED, detail=f"HTTP {reply.status} without a run")
