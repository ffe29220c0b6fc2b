"""Dagster, by GraphQL: a request becomes a run of a job, tagged with the webhook's id.

Dagster knows no idempotency, so before every launch it is asked for a run that has the tag already. It answers 200 to
what failed, too: `__typename` says what happened.
"""

from typing import Any, ClassVar, Literal

import msgspec
from pydantic import Field

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer, Result
from driftwatch.sinks.targets.credentials import Credential, token_of
from driftwatch.sinks.targets.replies import judged, shortened, struck, words_of
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.started import JSON, ValuedSpec, text_of, values
from driftwatch.sinks.targets.target import Ask, Reply, Request
from driftwatch.sinks.targets.token import TokenSpec

TAG = "driftwatch/id"

FIND = (
    "query($filter: RunsFilter!) { runsOrError(filter: $filter, limit: 1) { __typename"
    " ... on Runs { results { runId } } ... on Error { message } } }"
)
LAUNCH = (
    "mutation($executionParams: ExecutionParams!) { launchRun(executionParams: $executionParams) { __typename"
    " ... on LaunchRunSuccess { run { runId } } ... on RunConfigValidationInvalid { errors { message } }"
    " ... on Error { message } } }"
)


class DagsterSpec(ValuedSpec, TokenSpec):
    """`[[targets]]` of type "dagster".

    url: what stands before "/graphql". location, repository, job: as the job's page names them. op: the op that gets
    the values as its configuration; without it they are tags only. The token is one of Dagster+.
    """

    needs_token: ClassVar = False

    type: Literal["dagster"]
    location: str = Field(min_length=1)
    repository: str = Field(default="__repository__", min_length=1)
    job: str = Field(min_length=1)
    op: str = ""


class Dagster:
    """A job in Dagster."""

    def __init__(self, spec: DagsterSpec) -> None:
        self._spec = spec

    @property
    def spec(self) -> DagsterSpec:
        """What the configuration says of it."""
        return self._spec

    def check(self) -> None:
        """Read the token once, if one is named. Raises SinkError when it cannot be read."""
        token_of(self._spec)

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt, now. Raises SinkError when the token cannot be read."""
        token = token_of(self._spec)
        credential = Credential({"Dagster-Cloud-Api-Token": token}, (token,)) if token else Credential()
        said = Said.of(letter)
        sought = {"filter": {"tags": [{"key": TAG, "value": said.id}]}}
        reply = ask(self._request(FIND, sought, credential))
        runs = _result(reply, "runsOrError")
        if runs.get("__typename") != "Runs" or not isinstance(runs.get("results"), list):
            return _refused(reply, runs, now_ms=now_ms, credential=credential)
        if runs["results"]:
            return Answer(Result.DELIVERED, detail=f"already launched: runId {_run_id(runs['results'][0])}")
        reply = ask(self._request(LAUNCH, {"executionParams": self._launch(said)}, credential))
        launched = _result(reply, "launchRun")
        if launched.get("__typename") != "LaunchRunSuccess":
            return _refused(reply, launched, now_ms=now_ms, credential=credential)
        return Answer(Result.DELIVERED, detail=f"HTTP {reply.status}: runId {_run_id(launched.get('run'))}")

    def _request(self, query: str, variables: dict[str, Any], credential: Credential) -> Request:
        headers = {**JSON, **credential.headers}
        body = msgspec.json.encode({"query": query, "variables": variables})
        return Request(f"{self._spec.url}/graphql", headers, body, reads=True)

    def _launch(self, said: Said) -> dict[str, Any]:
        spec, given = self._spec, values(self._spec.parameters, said)
        tags = {**{f"driftwatch/{key}": text_of(value) for key, value in given.items()}, TAG: said.id}
        return {
            "selector": {
                "repositoryLocationName": spec.location,
                "repositoryName": spec.repository,
                "jobName": spec.job,
            },
            "runConfigData": {"ops": {spec.op: {"config": given}}} if spec.op else {},
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }


def _result(reply: Reply, name: str) -> dict[str, Any]:
    """What a field of the answer's data holds; empty when it failed."""
    data = reply.document().get("data")
    found = data.get(name) if isinstance(data, dict) and 200 <= reply.status < 300 else None
    return found if isinstance(found, dict) else {}


def _refused(reply: Reply, result: dict[str, Any], *, now_ms: int, credential: Credential) -> Answer:
    """Judge an answer that is not what was asked for: by its status, or by what Dagster calls it."""
    answer = judged(reply, now_ms=now_ms, secrets=credential.secrets)
    if answer.result is not Result.DELIVERED:
        return answer
    if "__typename" not in result:
        return Answer(Result.NOT_STARTED, detail=words_of(reply, secrets=credential.secrets))
    words = result.get("message") or msgspec.json.encode(result.get("errors") or "").decode()
    return Answer(Result.NOT_STARTED, detail=shortened(struck(f"{result['__typename']}: {words}", credential.secrets)))


def _run_id(run: object) -> str:
    return shortened(str(run.get("runId", ""))) if isinstance(run, dict) else ""
