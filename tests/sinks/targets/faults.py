"""What every target that starts a pipeline does with answers that are the same for all, and with its secrets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer
from driftwatch.sinks.targets.kinds import AnyTargetSpec, target_of
from driftwatch.sinks.targets.target import Reply, Request, Target
from tests.sinks.targets.letters import request

TABLE: TypeAdapter[Any] = TypeAdapter(AnyTargetSpec)
SECRET = "hunter2/\"tok'en"
"""With characters that JSON writes in another way."""
NOW_MS = 1_767_610_800_000


def made(**table: Any) -> Target:
    """Make the target that a table describes."""
    return target_of(TABLE.validate_python({"name": "trainer"} | table))


@dataclass
class Server:
    """A receiver without a network: it gives its replies in turn, the last one for ever, and keeps what it was sent."""

    replies: list[Reply | Callable[[Request], Reply]]
    requests: list[Request] = field(default_factory=list)

    def ask(self, asked: Request) -> Reply:
        """Answer a request."""
        self.requests.append(asked)
        reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
        return reply(asked) if callable(reply) else reply


def answer(target: Target, *replies: Reply, letter: Letter | None = None) -> tuple[Answer, list[Request]]:
    """Attempt a letter; what it came to, and the requests."""
    server = Server(list(replies))
    return target.deliver(letter or request(), now_ms=NOW_MS, ask=server.ask), server.requests


def reply(status: int, body: bytes = b"", **headers: str) -> Reply:
    """A reply; retry_after stands for retry-after."""
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)
