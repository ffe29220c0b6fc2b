"""The book of what the service has done that is durable: what a crash takes back is struck out of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from driftwatch.daemon.queue import Announcement
from driftwatch.ports.storage import Checkpoint
from driftwatch.stream.raw import Raw, Stream


class Deed(StrEnum):
    """What moved the monitors."""

    TAKE = "take"
    EXPECT = "expect"
    ANNOUNCE = "announce"
    TICK = "tick"
    FINISH = "finish"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed and the time on the clock by which partitions fall silent."""

    deed: Deed
    now_ms: int
    message: Raw | Announcement | None = None
    families: tuple[str, ...] = ()


@dataclass(slots=True)
class Book:
    """Entries up to `durable` survive. letters: ids whose decision is durable. watermarks: as of the last save."""

    entries: list[Entry] = field(default_factory=list)
    durable: int = 0
    letters: set[str] = field(default_factory=set)
    watermarks: dict[str, int] = field(default_factory=dict)

    def committed(self, checkpoint: Checkpoint, watermarks: Mapping[str, int]) -> None:
        """Everything so far has been saved."""
        for model, mark in watermarks.items():
            before = self.watermarks.get(model, mark)
            assert mark >= before, f"the watermark of {model} fell from {before} to {mark}"
        self.durable = len(self.entries)
        self.letters |= {letter.id for letter in checkpoint.letters}
        self.watermarks = dict(watermarks)
        assert checkpoint.positions == self.positions(), "the positions that are saved are not those that are counted"

    def crashed(self, *, now_ms: int) -> None:
        """What was not saved has not been."""
        del self.entries[self.durable :]
        self.entries.append(Entry(Deed.RESTART, now_ms))
        self.durable += 1

    def positions(self) -> dict[str, int]:
        """Where each partition goes on."""
        return {raw.partition: raw.position for raw in self.raws()}

    def raws(self) -> list[Raw]:
        """All that was taken."""
        return [entry.message for entry in self.entries if isinstance(entry.message, Raw)]

    def records(self) -> Counter[tuple[Stream, str]]:
        """How many records were taken by stream and partition."""
        total: Counter[tuple[Stream, str]] = Counter()
        for raw in self.raws():
            total[raw.stream, raw.partition] += len(raw.records)
        return total
