"""Apache Airflow, by its stable REST API: a request becomes a DAG run whose id is made of the webhook's.

A run of the same id is refused with 409, so what was sent twice runs once.
"""

from dataclasses import replace
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

import msgspec
from pydantic import AfterValidator, Field, model_validator

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer, Result
from driftwatch.sinks.targets.credentials import (
    Credential,
    LoginSpec,
    bearer,
    credential_of,
    password_of,
    sendable,
)
from driftwatch.sinks.targets.replies import begun, judged, words_of
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.started import JSON, StartedSpec, Values, run_name, values
from driftwatch.sinks.targets.target import Ask, Reply, Request

_MAX_NOTE = 1_000


def _major(number: int) -> int:
    if number not in {2, 3}:
        raise ValueError("write 3 or 2, the major version of Airflow")
    return number


class AirflowSpec(StartedSpec, LoginSpec):
    """`[[targets]]` of type "airflow".

    url: that of the API server (of the web server in version 2). With a token, from token_file or token_env, it asks
    with that; with a user and a password version 3 is asked for a token first, version 2 takes them as they are.
    """

    type: Literal["airflow"]
    dag: str = Field(min_length=1)
    api: Annotated[int, AfterValidator(_major)] = 3
    parameters: Values = Field(default_factory=dict)

    @model_validator(mode="after")
    def _someone(self) -> Self:
        if not (self.username or self.token_file or self.token_env):
            raise ValueError(
                "say who asks: write token_file or token_env, or username and password_file or password_env"
            )
        return self


class Airflow:
    """A DAG of an Airflow."""

    def __init__(self, spec: AirflowSpec) -> None:
        self._spec = spec
        self._token = ""

    @property
    def spec(self) -> AirflowSpec:
        """What the configuration says of it."""
        return self._spec

    def check(self) -> None:
        """Read the token or the password once. Raises SinkError when it cannot be read."""
        credential_of(self._spec)

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt, now. Raises SinkError when the token or the password cannot be read."""
        if self._spec.api == 2 or not self._spec.username:
            return self._trigger(letter, credential_of(self._spec), now_ms=now_ms, ask=ask)
        if self._token:
            credential = bearer(self._token)
            reply = ask(self._run(letter, credential))
            if reply.status != 401:
                return self._meaning(reply, letter, credential, now_ms=now_ms)
            self._token = ""  # it has expired, or the server was set up anew
        refusal = self._sign_in(now_ms=now_ms, ask=ask)
        return refusal or self._trigger(letter, bearer(self._token), now_ms=now_ms, ask=ask)

    def _sign_in(self, *, now_ms: int, ask: Ask) -> Answer | None:
        """Ask for a token and keep it; what went wrong, or None."""
        password = password_of(self._spec)
        body = msgspec.json.encode({"username": self._spec.username, "password": password})
        reply = ask(Request(f"{self._spec.url}/auth/token", JSON, body, reads=True))
        answer = judged(reply, now_ms=now_ms, secrets=(password,))
        if answer.result is not Result.DELIVERED:
            return replace(answer, detail=f"auth/token: {answer.detail}")
        found = reply.document()
        # Documents of early 3.0 releases called it jwt_token.
        token = found.get("access_token") or found.get("jwt_token")
        if not (isinstance(token, str) and sendable(token)):
            return Answer(Result.NOT_STARTED, detail=f"auth/token: HTTP {reply.status} without a token")
        self._token = token
        return None

    def _trigger(self, letter: Letter, credential: Credential, *, now_ms: int, ask: Ask) -> Answer:
        return self._meaning(ask(self._run(letter, credential)), letter, credential, now_ms=now_ms)

    def _run(self, letter: Letter, credential: Credential) -> Request:
        spec, said = self._spec, Said.of(letter)
        conf = {**values(spec.parameters, said), **said.data, "id": said.id, "type": said.type}
        body: dict[str, Any] = {"dag_run_id": run_name(said)}
        if spec.api == 3:
            # It refuses a body without this key, and unknown ones; of scheduled time a request has none.
            body |= {"logical_date": None, "note": _note(said)}
        url = f"{spec.url}/api/v{spec.api - 1}/dags/{quote(spec.dag, safe='')}/dagRuns"
        return Request(url, {**JSON, **credential.headers}, msgspec.json.encode(body | {"conf": conf}), reads=True)

    def _meaning(self, reply: Reply, letter: Letter, credential: Credential, *, now_ms: int) -> Answer:
        # Version 2 also answers 409 when another run has the same logical date; then it does not name ours.
        ours = self._spec.api == 3 or run_name(Said.of(letter)).encode() in reply.body
        if reply.status == 409 and ours:
            return Answer(Result.DELIVERED, detail=f"already triggered: {words_of(reply, secrets=credential.secrets)}")
        return begun(reply, "dag_run_id", now_ms=now_ms, secrets=credential.secrets)


def _note(said: Said) -> str:
    return f"{said.type}: {said.line}"[:_MAX_NOTE]
