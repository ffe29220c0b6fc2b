"""PagerDuty, by its Events API v2: a group of alerts becomes an event, and its end resolves what it raised."""

from typing import Any, Literal

import msgspec
from pydantic import Field, model_validator

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer
from driftwatch.sinks.targets.secret import read_secret
from driftwatch.sinks.targets.spec import Action, Address, TargetSpec
from driftwatch.sinks.targets.target import Ask, Request
from driftwatch.spec import LocatedPath

_MAX_SUMMARY = 1024


class PagerDutySpec(TargetSpec):
    """`[[targets]]` of type "pagerduty"; the routing key is named by routing_key_file or routing_key_env."""

    type: Literal["pagerduty"]
    url: Address = "https://events.pagerduty.com/v2/enqueue"
    routing_key_file: LocatedPath | None = None
    routing_key_env: str | None = None
    actions: tuple[Action, ...] = Field(default=("notify",), min_length=1)

    @model_validator(mode="after")
    def _one_key(self) -> "PagerDutySpec":
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
        """Make one attempt, now. Raises SinkError when the routing key cannot be read."""
        event = msgspec.json.decode(letter.body)
        body = msgspec.json.encode(self._event(letter, event) | {"routing_key": self._key()})
        return ask(Request(self._spec.url, {"content-type": "application/json"}, body)).judged(now_ms=now_ms)

    def _event(self, letter: Letter, event: dict[str, Any]) -> dict[str, Any]:
        data = event["data"]
        alert = data["alert"]
        named = {"dedup_key": letter.lane, "event_action": "trigger"}
        if alert["state"] == "resolved":
            return named | {"event_action": "resolve"}
        summary = f"{data['model']} {data['version']}: {alert['rule']} {alert['reason']}"
        return named | {
            "payload": {
                "summary": summary[:_MAX_SUMMARY],
                "source": data["model"],
                "severity": alert["severity"],
                "timestamp": event["timestamp"],
                "component": data["model"],
                "group": alert["rule"],
                "class": event["type"],
                "custom_details": data,
            }
        }

    def _key(self) -> str:
        spec = self._spec
        return read_secret(
            target=spec.name, key="routing_key", file=spec.routing_key_file, variable=spec.routing_key_env
        )
