"""What every kind of target must be able to do: turn a letter into the one request that an attempt sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from driftwatch.ports import Letter


@dataclass(frozen=True, slots=True)
class Post:
    """One HTTP POST. The url may hold credentials: log it only redacted."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Target(Protocol):
    """A place that letters go to. It writes requests; the courier sends them."""

    @property
    def name(self) -> str:
        """Unique among the targets; the metric label `target`."""

    @property
    def timeout_seconds(self) -> float:
        """How long it may take to answer."""

    def post(self, letter: Letter, *, now_ms: int) -> Post:
        """Write the request of an attempt made now. Raises SinkError when it cannot, such as for want of a secret."""
