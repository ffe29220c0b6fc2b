"""Slack, or what takes its incoming webhooks: one message a letter. The address itself is the secret."""

from dataclasses import replace
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

import msgspec
from pydantic import Field, model_validator

from driftwatch.errors import SinkError
from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer, Result
from driftwatch.sinks.targets.replies import judged
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.secret import read_secret
from driftwatch.sinks.targets.spec import NOTICES, Action, TargetSpec
from driftwatch.sinks.targets.target import Ask, Reply, Request
from driftwatch.spec import LocatedPath

_MAX_TEXT = 3_000
"""Characters that a section takes."""
_MARKS = {
    "driftwatch.alert.resolved": ":white_check_mark:",
    "driftwatch.incident.recovered": ":white_check_mark:",
    "driftwatch.incident.not_recovered": ":rotating_light:",
}


class SlackSpec(TargetSpec):
    """`[[targets]]` of type "slack"; `url_file` or `url_env` names the address of the incoming webhook."""

    hints: ClassVar = {"url": "the address is a secret and does not stand in this file: write url_file or url_env"}

    type: Literal["slack"]
    url_file: LocatedPath | None = None
    url_env: str | None = None
    actions: tuple[Action, ...] = Field(default=NOTICES, min_length=1)

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if bool(self.url_file) == bool(self.url_env):
            raise ValueError("name the address by exactly one of url_file and url_env")
        return self


class Slack:
    """A channel."""

    def __init__(self, spec: SlackSpec) -> None:
        self._spec = spec

    @property
    def spec(self) -> SlackSpec:
        """What the configuration says of it."""
        return self._spec

    def check(self) -> None:
        """Read the address once. Raises SinkError when it cannot be read."""
        self._url()

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt, now. Raises SinkError when the address cannot be read."""
        url = self._url()
        return _judged(ask(self.request(letter, url=url)), now_ms=now_ms, url=url)

    def request(self, letter: Letter, *, url: str) -> Request:
        """Write the request. Slack knows no duplicates."""
        body = msgspec.json.encode(_message(Said.of(letter)))
        return Request(url, {"content-type": "application/json"}, body, reads=True, secret=True)

    def _url(self) -> str:
        spec = self._spec
        url = read_secret(target=spec.name, key="url", file=spec.url_file, variable=spec.url_env)
        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or any(character.isspace() for character in url):
            where = f"environment {spec.url_env}" if spec.url_env else f"url_file {spec.url_file}"
            raise SinkError(f"target {spec.name}: {where}: it is no address that begins with https://")
        return url


def _judged(reply: Reply, *, now_ms: int, url: str) -> Answer:
    """200 and "ok". A channel that is no more is answered with 404 or 410."""
    answer = judged(reply, now_ms=now_ms, secrets=(url,))
    if reply.status == 404:
        return replace(answer, result=Result.GONE)
    if answer.result is Result.DELIVERED and reply.body.strip() != b"ok":
        return replace(answer, result=Result.NOT_STARTED, detail=f'HTTP {reply.status} without "ok"')
    return answer


def _message(said: Said) -> dict[str, Any]:
    """A line for the notification, and for the channel the same with what there is to know."""
    line = f"{_MARKS.get(said.type, ':warning:')} {_escaped(said.line)}"
    facts = [f"severity {said.severity}", *(f"segment {alert.segment}" for alert in said.alerts[:1] if alert.segment)]
    count = said.data.get("alerts_total", len(said.alerts))
    facts += [f"{count} alerts"] if count > 1 else []
    facts += [f"{left} still firing"] if (left := said.data.get("still_firing", 0)) else []
    small = [_escaped(", ".join(facts)), *(f"<{_address(url)}|{name}>" for name, url in said.links.items())]
    return {
        "text": line[:_MAX_TEXT],
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": line[:_MAX_TEXT]}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": " · ".join(small)[:_MAX_TEXT]}]},
        ],
    }


def _escaped(text: str) -> str:
    """The three characters that mean something to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _address(url: str) -> str:
    return _escaped(url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E"))
