"""GitLab CI/CD: a pipeline, by its trigger token (REST API v4, "Trigger a pipeline with a token")."""

from dataclasses import replace
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, urlencode

from pydantic import BeforeValidator, Field, model_validator

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer, Result
from driftwatch.sinks.targets.credentials import token_of
from driftwatch.sinks.targets.replies import judged
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.started import ENVIRONMENT, BaseAddress, ValuedSpec, Values, text_of, values
from driftwatch.sinks.targets.target import Ask, Reply, Request
from driftwatch.sinks.targets.token import TokenSpec
from driftwatch.spec import mistake


def _number(given: Any) -> Any:
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


class GitlabSpec(ValuedSpec, TokenSpec):
    """`[[targets]]` of type "gitlab"; the token is the pipeline trigger's.

    project: its number, or its path. passed: whether the pipeline is given `parameters` as variables, or as the inputs
    that it declares under `spec: inputs:` (GitLab 17.11), of which it takes no others.
    """

    type: Literal["gitlab"]
    url: BaseAddress = "https://gitlab.com"
    project: Annotated[str, BeforeValidator(_number), Field(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$")]
    ref: str = Field(default="main", min_length=1)
    passed: Literal["variables", "inputs"] = "variables"
    parameters: Values = ENVIRONMENT

    @model_validator(mode="after")
    def _its_own_inputs(self) -> Self:
        if self.passed == "inputs" and "parameters" not in self.model_fields_set:
            raise mistake("parameters", "this key is missing; write the inputs that the pipeline declares, or { }")
        return self


class Gitlab:
    """A project on GitLab."""

    def __init__(self, spec: GitlabSpec) -> None:
        self._spec = spec

    @property
    def spec(self) -> GitlabSpec:
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
        """Write the request. GitLab knows no duplicates: DRIFTWATCH_ID is for the pipeline."""
        spec = self._spec
        form = {"token": token, "ref": spec.ref}
        for name, value in values(spec.parameters, Said.of(letter)).items():
            form[f"{spec.passed}[{name}]"] = text_of(value)
        url = f"{spec.url}/api/v4/projects/{quote(spec.project, safe='')}/trigger/pipeline"
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return Request(url, headers, urlencode(form).encode(), reads=True)


def _judged(reply: Reply, *, now_ms: int, token: str) -> Answer:
    """201 and the number of the pipeline."""
    answer = judged(reply, now_ms=now_ms, secrets=(token,))
    if answer.result is not Result.DELIVERED:
        return answer
    number = reply.document().get("id")
    if isinstance(number, int):
        return replace(answer, detail=f"HTTP {reply.status}: pipeline {number}")
    return replace(answer, result=Result.NOT_STARTED, detail=f"HTTP {reply.status} without a pipeline")
