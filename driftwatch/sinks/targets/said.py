"""What a letter says, in the words that other systems ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import msgspec

from driftwatch.ports.letters import Letter

_NAMED = 5
"""Columns that a line names."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One of the alerts that a letter tells of; column and segment are "" where it is about all of them."""

    id: str
    column: str
    segment: str


@dataclass(frozen=True, slots=True)
class Said:
    """An event (contract §7), read from a letter. id: the `webhook-id`, the same on every attempt.

    What it does not say is "".
    """

    id: str
    type: str
    timestamp: str
    data: Mapping[str, Any]

    @classmethod
    def of(cls, letter: Letter) -> Self:
        """Read a letter."""
        event = msgspec.json.decode(letter.body)
        return cls(letter.sent_as, event["type"], event["timestamp"], event["data"])

    @property
    def event(self) -> dict[str, Any]:
        """The event itself."""
        return {"type": self.type, "timestamp": self.timestamp, "data": self.data}

    @property
    def over(self) -> bool:
        """Whether it is the end of something: alerts resolved, a model recovered."""
        return bool(self._alert.get("state") == "resolved" or self.type == "driftwatch.incident.recovered")

    @property
    def of_incident(self) -> bool:
        """Whether it tells how an incident goes on, and of no alert."""
        return self.type.startswith("driftwatch.incident.")

    @property
    def severity(self) -> str:
        """info, warning or critical."""
        return str(self._alert.get("severity") or ("info" if self.over else "critical"))

    @property
    def rule(self) -> str:
        """The rule whose alerts it tells of; "incident" where it tells how an incident goes on."""
        return "incident" if self.of_incident else str(self._alert.get("rule", ""))

    @property
    def started(self) -> str:
        """When it began, RFC 3339."""
        return str(self._alert.get("started") or self.timestamp)

    @property
    def report(self) -> str:
        """The address of the report that tells more; "" where the service does not know its own."""
        return str(self.data.get("links", {}).get("report", ""))

    @property
    def links(self) -> dict[str, str]:
        """Name → address; empty where the service does not know its own."""
        return {str(name): str(address) for name, address in self.data.get("links", {}).items()}

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The alerts that it names; of a large group those that rank first."""
        if "alerts" in self.data:
            return tuple(Alert(each["id"], each["column"], each["segment"]) for each in self.data["alerts"])
        if self.of_incident or not self._alert:
            return ()
        column = next((str(each["column"]) for each in self.data.get("evidence", ())), "")
        return (Alert(self._alert["id"], column, self.text("segment")),)

    @property
    def line(self) -> str:
        """All of it in one line for a person."""
        who = f"{self.text('model')} {self.text('version')}".strip()
        what = _WORDS.get(self.type, self.type)
        why = f", rule {self.rule}" if self.alerts else ""
        columns = self._cause.get("columns", [])
        kind = f": {self._cause['kind']} change" if self._cause.get("kind") and not self.over else ""
        where = f" in {', '.join(columns[:_NAMED])}" if kind and columns else ""
        more = f" and {len(columns) - _NAMED} more" if where and len(columns) > _NAMED else ""
        return f"{who}: {what}{why}{kind}{where}{more}"

    def text(self, key: str) -> str:
        """A text of the event's data, such as the model."""
        return str(self.data.get(key, ""))

    @property
    def _alert(self) -> Mapping[str, Any]:
        return self.data.get("alert") or {}

    @property
    def _cause(self) -> Mapping[str, Any]:
        return self.data.get("cause") or {}


_WORDS = {
    "driftwatch.alert.firing": "alert",
    "driftwatch.alert.resolved": "resolved",
    "driftwatch.retrain.requested": "retraining requested",
    "driftwatch.rollback.requested": "rollback requested",
    "driftwatch.incident.recovered": "recovered",
    "driftwatch.incident.not_recovered": "not recovered",
}
