"""The engine's one bounded queue: threads put, the engine alone takes (design D6)."""

import threading
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from driftwatch.stream.raw import Raw, Stream

CAPACITY_RECORDS = 65_536
CAPACITY_BYTES = 16 << 20


class Command(StrEnum):
    """What the engine is asked to do between records."""

    TICK = "tick"
    SAVE = "save"
    PRUNE = "prune"
    FINISH = "finish"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Order:
    """A command, and an event that is set once it has been carried out."""

    command: Command
    done: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Announcement:
    """Partitions of a stream that exist."""

    stream: Stream
    partitions: tuple[str, ...]


Message = Raw | Order | Announcement


class Queue:
    """Bounded in records and bytes; one Raw is always let in when there is none, however large. Orders always are."""

    def __init__(self, *, records: int = CAPACITY_RECORDS, size_bytes: int = CAPACITY_BYTES) -> None:
        self.capacity_records = records
        self._capacity_bytes = size_bytes
        self._messages: deque[Message] = deque()
        self._records = self._bytes = 0
        self._changed = threading.Condition()
        self._held = self._closed = False

    @property
    def records(self) -> int:
        """Records that wait."""
        return self._records

    @property
    def held(self) -> bool:
        """Whether records are held back."""
        return self._held

    def offer(self, raw: Raw, *, timeout_seconds: float) -> bool:
        """Let records in, in order; False, with nothing taken, when there was no room for so long."""
        weight = raw.size_bytes
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self._fits(raw, weight), timeout_seconds):
                return False
            if self._closed:
                return False
            self._records += len(raw.records)
            self._bytes += weight
            self._messages.append(raw)
            self._changed.notify_all()
            return True

    def announce(self, stream: Stream, partitions: Collection[str]) -> None:
        """Pass on which partitions exist."""
        self._put(Announcement(stream, tuple(partitions)))

    def order(self, command: Command) -> Order:
        """Ask for something; the answer's `done` is set when it is carried out."""
        order = Order(command)
        self._put(order)
        return order

    def take(self) -> Message:
        """The next message, waiting for it. While `hold` is on only orders are given out."""
        with self._changed:
            self._changed.wait_for(lambda: self._next() is not None)
            place = self._next()
            assert place is not None
            message = self._messages[place]
            del self._messages[place]
            if isinstance(message, Raw):
                self._records -= len(message.records)
                self._bytes -= message.size_bytes
            self._changed.notify_all()
            return message

    def hold(self, *, on: bool) -> None:
        """Give out no records for a while: what was decided could not be saved."""
        with self._changed:
            self._held = on
            self._changed.notify_all()

    def close(self) -> None:
        """Let no more records in; what waits is still given out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _put(self, message: Message) -> None:
        with self._changed:
            self._messages.append(message)
            self._changed.notify_all()

    def _fits(self, raw: Raw, weight: int) -> bool:
        if not self._records:
            return True
        fits = self._records + len(raw.records) <= self.capacity_records
        return fits and self._bytes + weight <= self._capacity_bytes

    def _next(self) -> int | None:
        if not self._held:
            return 0 if self._messages else None
        return next((place for place, message in enumerate(self._messages) if not isinstance(message, Raw)), None)
