"""Jenkins: a build with parameters (Remote Access API, "Submitting jobs")."""

import re
from dataclasses import replace
from typing import Literal
from urllib.parse import quote, urlencode

from pydantic import Field

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer, Result
from driftwatch.sinks.targets.credentials import basic, token_of
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.started import ENVIRONMENT, ValuedSpec, Values, text_of, values
from driftwatch.sinks.targets.target import Ask, Reply, Request
from driftwatch.sinks.targets.token import TokenSpec

_QUEUED = re.compile(r"/queue/item/(\d{1,18})/?$", re.ASCII)


class JenkinsSpec(ValuedSpec, TokenSpec):
    """`[[targets]]` of type "jenkins"; the token is an API token of `username`, so that no crumb is needed.

    job: the path of a parameterized job through its folders. parameters: Jenkins passes over those that the job does
    not declare.
    """

    type: Literal["jenkins"]
    job: str = Field(pattern=r"^[^/\s][^/]*(/[^/]+)*$")
    username: str = Field(pattern=r"^[^:\s]+$")
    parameters: Values = ENVIRONMENT


class Jenkins:
    """A job on Jenkins."""

    def __init__(self, spec: JenkinsSpec) -> None:
        self._spec = spec

    @property
    def spec(self) -> JenkinsSpec:
        """What the configuration says of it."""
        return self._spec

    def check(self) -> None:
        """Read the token once. Raises SinkError when it cannot be read."""
        token_of(self._spec)

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt, now. Raises SinkError when the token cannot be read."""
        return _judged(ask(self.request(letter, token=token_of(self._spec))), now_ms=now_ms)

    def request(self, letter: Letter, *, token: str) -> Request:
        """Write the request. A build with the same parameters is queued once; DRIFTWATCH_ID tells others apart."""
        spec = self._spec
        job = "/".join(f"job/{quote(part, safe='')}" for part in spec.job.split("/"))
        headers = {"content-type": "application/x-www-form-urlencoded", **basic(spec.username, token).headers}
        form = {name: text_of(value) for name, value in values(spec.parameters, Said.of(letter)).items()}
        return Request(f"{spec.url}/{job}/buildWithParameters", headers, urlencode(form).encode())


def _judged(reply: Reply, *, now_ms: int) -> Answer:
    """201 and the place in the queue."""
    answer = reply.judged(now_ms=now_ms)
    if answer.result is not Result.DELIVERED:
        return answer
    queued = _QUEUED.search(reply.headers.get("location", ""))
    if queued:
        return replace(answer, detail=f"HTTP {reply.status}: queue item {queued[1]}")
    return replace(answer, result=Result.NOT_STARTED, detail=f"HTTP {reply.status} without a place in the queue")
