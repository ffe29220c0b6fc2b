"""Prometheus Alertmanager (API v2, `POST /api/v2/alerts`): every alert of a letter is an alert there.

Alertmanager forgets what it is not told again, so a firing letter is sent again every `repeat`, and says each time that
its alerts last for four times as long. A cluster does not share alerts: each is posted to every instance. A letter is
delivered once one of them took it. An instance that was down hears of what fires by the next repetition; what has ended
meanwhile ends there at the last `endsAt` that it knows.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import msgspec
from pydantic import Field, field_validator

from driftwatch.errors import SinkError
from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer, Result
from driftwatch.sinks.targets.credentials import LoginSpec, credential_of
from driftwatch.sinks.targets.said import Alert, Said
from driftwatch.sinks.targets.spec import NOTICES, Action, Address
from driftwatch.sinks.targets.target import Ask, Request
from driftwatch.spec import PositiveDurationMs, duration_ms

_LASTS = 4
"""An alert outlives so many repetitions, as Prometheus has it."""


class AlertmanagerSpec(LoginSpec):
    """`[[targets]]` of type "alertmanager".

    urls: of every instance, without /api/v2/alerts. repeat: how often what fires is said again.
    """

    hints: ClassVar = LoginSpec.hints | {"url": 'write every instance of the cluster: urls = ["http://…:9093"]'}

    type: Literal["alertmanager"]
    urls: tuple[Address, ...] = Field(min_length=1)
    actions: tuple[Action, ...] = Field(default=NOTICES, min_length=1)
    repeat: PositiveDurationMs = duration_ms("1m")

    @field_validator("urls", mode="before")
    @classmethod
    def _instances(cls, urls: object) -> object:
        return tuple(urls) if isinstance(urls, list) else urls


class Alertmanager:
    """All instances of an Alertmanager."""

    def __init__(self, spec: AlertmanagerSpec) -> None:
        self._spec = spec

    @property
    def spec(self) -> AlertmanagerSpec:
        """What the configuration says of it."""
        return self._spec

    def check(self) -> None:
        """Read the token or the password once, if one is named. Raises SinkError when it cannot be read."""
        credential_of(self._spec)

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt at every instance, now. Raises SinkError for want of the token, or of any reply."""
        requests = self.requests(letter, now_ms=now_ms)
        if not requests:
            return Answer(Result.DELIVERED, detail="nothing to repeat: its alerts have ended")
        answers, silence = [], None
        for request in requests:
            try:
                answers.append(ask(request).judged(now_ms=now_ms))
            except SinkError as error:
                silence = error
        took = sum(answer.result is Result.DELIVERED for answer in answers)
        if took:
            return Answer(Result.DELIVERED, detail=f"{took} of {len(self._spec.urls)} instances")
        if not answers and silence is not None:
            raise silence
        return answers[0]

    def requests(self, letter: Letter, *, now_ms: int) -> list[Request]:
        """Write the request for each instance; none when there is no alert to tell of."""
        alerts = self._alerts(letter, now_ms=now_ms)
        if not alerts:
            return []
        headers = {"content-type": "application/json", **credential_of(self._spec).headers}
        body = msgspec.json.encode(alerts)
        return [Request(f"{url.rstrip('/')}/api/v2/alerts", headers, body) for url in self._spec.urls]

    def _alerts(self, letter: Letter, *, now_ms: int) -> list[dict[str, Any]]:
        """What to post: on a repetition only the alerts that still fire."""
        said = Said.of(letter)
        alerts = said.alerts or (Alert("", "", ""),)  # an incident is one itself
        if letter.repeats:
            alerts = tuple(alert for alert in alerts if alert.id in letter.alerts)
        ends_ms = now_ms if said.over else now_ms + _LASTS * self._spec.repeat
        return [_posted(alert, said, ends_ms=ends_ms, now_ms=now_ms) for alert in alerts]


def _posted(alert: Alert, said: Said, *, ends_ms: int, now_ms: int) -> dict[str, Any]:
    """One alert. It is known by its labels, so they are the same at its beginning and at its end."""
    labels = {"alertname": said.rule, "model": said.text("model"), "segment": alert.segment, "column": alert.column}
    if said.of_incident:  # which may end with another version
        labels |= {"incident": str(said.data["incident"]["id"]), "severity": "critical"}
    else:
        labels |= {"version": said.text("version"), "severity": said.severity}
    # The event's time may be ahead of the clock, and an alert that ends before it begins is refused.
    started = min(datetime.fromisoformat(said.started), datetime.fromtimestamp(now_ms / 1000, UTC))
    return {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {"summary": said.line, "id": said.id},
        "startsAt": started.isoformat(timespec="milliseconds"),
        "endsAt": datetime.fromtimestamp(ends_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        **({"generatorURL": said.report} if said.report else {}),
    }
