"""PagerDuty, by its Events API v2: the alerts of a rule are one incident, and the end of the last resolves it."""

from typing import Any, ClassVar, Literal, Self

import msgspec
from pydantic import Field, model_validator

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer, Result
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.secret import read_secret
from driftwatch.sinks.targets.spec import NOTICES, Action, Address, TargetSpec
from driftwatch.sinks.targets.target import Ask, Request
from driftwatch.spec import LocatedPath

_MAX_SUMMARY, _MAX_KEY = 1024, 255


class PagerDutySpec(TargetSpec):
    """`[[targets]]` of type "pagerduty"; the routing key is that of an integration of a service."""

    hints: ClassVar = {"routing_key": "secrets do not stand in this file: write routing_key_file or routing_key_env"}

    type: Literal["pagerduty"]
    url: Address = "https://events.pagerduty.com/v2/enqueue"
    routing_key_file: LocatedPath | None = None
    routing_key_env: str | None = None
    actions: tuple[Action, ...] = Field(default=NOTICES, min_length=1)

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if bool(self.routing_key_file) == bool(self.routing_key_env):
            raise ValueError("name the routing key by exactly one of routing_key_file and routing_key_env")
        return self


class PagerDuty:
    """A PagerDuty service."""

    def __init__(self, spec: PagerDutySpec) -> None:
        self._spec = spec

    @property
    def spec(self) -> PagerDutySpec:
        """What the configuration says of it."""
        return self._spec

    def check(self) -> None:
        """Read the routing key once. Raises SinkError when it cannot be read."""
        self._key()

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt, now. Raises SinkError when the routing key cannot be read.

        Nothing is sent of an end while other alerts of the rule still fire: the incident goes on.
        """
        said = Said.of(letter)
        left = said.data.get("still_firing", 0) if said.over else 0
        if left:
            return Answer(Result.DELIVERED, detail=f"not resolved: {left} of the rule's alerts still fire")
        return ask(self.request(letter)).judged(now_ms=now_ms)

    def request(self, letter: Letter) -> Request:
        """Write the request. PagerDuty knows duplicates by the key of the incident."""
        body = msgspec.json.encode({"routing_key": self._key(), **_event(letter, Said.of(letter))})
        return Request(self._spec.url, {"content-type": "application/json"}, body)

    def _key(self) -> str:
        spec = self._spec
        return read_secret(
            target=spec.name, key="routing_key", file=spec.routing_key_file, variable=spec.routing_key_env
        )


def _event(letter: Letter, said: Said) -> dict[str, Any]:
    # A lane holds every alert of a rule, however they are grouped; an incident's notices are in no such lane.
    key = letter.lane if said.alerts else letter.incident or letter.lane
    named = {"dedup_key": key[:_MAX_KEY], "event_action": "resolve" if said.over else "trigger"}
    if said.over:
        return named
    dashboard = said.links.get("dashboard", "")
    return named | {
        "payload": {
            "summary": said.line[:_MAX_SUMMARY],
            "source": said.text("model"),
            "severity": said.severity,
            "timestamp": said.timestamp,
            "component": said.text("version"),
            "group": said.rule,
            "class": said.type,
            "custom_details": said.data,
        },
        "links": [{"href": address, "text": name} for name, address in said.links.items()],
        "client": "driftwatch",
        **({"client_url": dashboard} if dashboard else {}),
    }
