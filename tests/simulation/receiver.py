"""Whoever receives the webhooks: moody, and with an excellent memory."""

from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

import httpx

from tests.simulation.chance import Trace

_MOODS = ("take", "500", "429", "429 with Retry-After", "refused connection", "answer lost", "410")
_WEIGHTS = (10, 3, 1, 1, 2, 2, 0.2)


@dataclass(slots=True)
class Receiver:
    """The receivers of all targets. saved: ids of letters whose decision is durable, kept by others.

    taken: by target, the ids of letters in the order in which they were taken, again and again if need be.
    recorded: those whose delivery the service has on its disk. last: the letter of the latest attempt.
    """

    dice: Random
    trace: Trace
    saved: Collection[str]
    healthy: bool = False
    taken: dict[str, list[str]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    recorded: set[str] = field(default_factory=set)
    last: str = ""

    def transport(self) -> httpx.BaseTransport:
        """What brings every request here."""
        return httpx.MockTransport(self._answer)

    def _check(self, letter: str, body: bytes) -> None:
        """Note what must never be seen from outside."""
        self.last = letter
        if letter in self.recorded:
            self.wrong.append(f"letter {letter} was sent again after its delivery had been recorded")
        if letter not in self.saved:
            self.wrong.append(f"letter {letter} left before its decision was saved")
        if self.bodies.setdefault(letter, body) != body:
            self.wrong.append(f"letter {letter} has changed between two attempts")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        target, letter = urlsplit(str(request.url)).path[1:], request.headers["webhook-id"]
        self._check(letter, request.content)
        mood = "take" if self.healthy else self.dice.choices(_MOODS, _WEIGHTS)[0]
        if mood != "take":
            self.trace.fault(f"webhook: {mood}", letter)
        if mood in {"take", "answer lost"}:
            if letter in self.taken.setdefault(target, []):
                self.trace.fault("letter sent again", letter)
            self.taken[target].append(letter)
        match mood:
            case "take":
                return httpx.Response(200)
            case "refused connection":
                raise httpx.ConnectError(mood, request=request)
            case "answer lost":
                raise httpx.ReadTimeout(mood, request=request)
            case "429 with Retry-After":
                return httpx.Response(429, headers={"retry-after": str(self.dice.randint(1, 600))})
        return httpx.Response(int(mood))
