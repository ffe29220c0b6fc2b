"""What every kind of target must be able to do: turn a letter into requests, and say what the answers mean.

A target writes requests and reads replies; it opens no connection. The courier hands it `ask`, which sends one request
within the target's time, through its proxy and past the guard, and gives the reply.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer, judge
from driftwatch.sinks.targets.spec import TargetSpec

MAX_REPLY_BYTES = 65_536
"""So much of a reply's body is read, where it is read at all."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP POST. The url may hold credentials: log it only redacted.

    reads: whether the body of the reply says something; else only its status and headers are waited for.
    secret: whether the whole address is a secret.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    reads: bool = False
    secret: bool = False

    @property
    def known_as(self) -> str:
        """The address; of a secret one its host alone."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}/" if self.secret else self.url


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. headers: names in small letters. body: the first `MAX_REPLY_BYTES`, empty unless asked for."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def document(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is none, or was not asked for."""
        try:
            document = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    def judged(self, *, now_ms: int) -> Answer:
        """The judgement that its status and headers allow, see `judge`."""
        return judge(self.status, self.headers.get("retry-after", ""), now_ms=now_ms)


Ask = Callable[[Request], Reply]
"""Sends one request. What it raises (a time-out, a connection that fails) is for the courier; let it pass."""


class Target(Protocol):
    """A place that letters go to."""

    @property
    def spec(self) -> TargetSpec:
        """What the configuration says of it: the name is the metric label `target`."""

    def check(self) -> None:
        """Read every secret once and forget it. Raises SinkError when one cannot be read."""

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt, now. Raises SinkError when it cannot be begun, such as for want of a secret."""
