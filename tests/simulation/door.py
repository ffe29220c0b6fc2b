"""The HTTP door and its clients: a body is posted again, the same, until its 200 has been heard."""

from collections import deque
from dataclasses import dataclass, field
from random import Random

from driftwatch.errors import StateError
from driftwatch.ports.answers import Busy, Ingest
from driftwatch.stream.raw import EVENT_STREAMS, Stream
from tests.simulation.chance import Trace
from tests.simulation.disk import Died


@dataclass(slots=True)
class Stored:
    """A body that is durable, and the sequence number it has."""

    sequence: int
    body: bytes
    received_ms: int


@dataclass(slots=True)
class Door:
    """What every body came to, over all processes. posting: the one whose transaction may be under way."""

    stored: dict[Stream, list[Stored]] = field(default_factory=lambda: {stream: [] for stream in EVENT_STREAMS})
    posting: tuple[Stream, bytes, int] | None = None

    def committed(self, sequence: int) -> None:
        """The body that is being posted has become durable."""
        assert self.posting is not None
        stream, body, received_ms = self.posting
        self.stored[stream].append(Stored(sequence, body, received_ms))
        self.posting = None


class Client:
    """Posts the bodies of one stream in order; keyed: each under a key of its own, the same whenever it is posted."""

    def __init__(self, stream: Stream, door: Door, *, trace: Trace, keyed: bool) -> None:
        self._keyed = keyed
        self.stream, self._door, self._trace = stream, door, trace
        self.waiting: deque[bytes] = deque()
        self.answered: list[bytes] = []

    def post(self, ingest: Ingest, dice: Random, *, now_ms: int) -> None:
        """Try the next body once. Died goes through: the connection breaks, the body is posted again."""
        body = self.waiting[0]
        before = len(self._door.stored[self.stream])
        self._door.posting = (self.stream, body, now_ms)
        try:
            ingest.accept(self.stream, body, key=f"body {len(self.answered)}" if self._keyed else "")
        except Busy:
            self._trace.fault("inbox full")
            return
        except StateError:
            self._trace.fault("body refused by the disk")
            return
        except Died:
            self._trace.fault("connection lost in a post")
            raise
        finally:
            self._door.posting = None
        stored = self._door.stored[self.stream]
        if len(stored) == before:
            assert self._keyed, "200 without anything durable"
            assert any(row.body == body for row in stored), "200 for a key that stands for nothing durable"
            self._trace.fault("body known by its key")
        if dice.random() < 0.1:
            self._trace.fault("answer to a post lost")
            return
        self.answered.append(self.waiting.popleft())
