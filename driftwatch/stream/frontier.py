"""How far the labels have been read, so that a backlog of them is not taken for labels that never came."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from driftwatch.stream.batch import Ints
from driftwatch.stream.windows import NEVER


@dataclass(frozen=True, slots=True)
class Reach:
    """greatest: partition → greatest time of a label in it, ms, or NEVER. idle: partitions that hold nothing back."""

    greatest: Mapping[str, int] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()


class Frontier:
    """Follows the partitions of labels. A partition holds until it has been silent for `idle_after_ms`."""

    def __init__(self, *, idle_after_ms: int, reach: Reach | None = None) -> None:
        self.reach = reach or Reach()
        self._idle_after_ms = idle_after_ms
        self._heard: dict[str, int] = {}

    @property
    def held_at_ms(self) -> int | None:
        """Labels up to this time have been read from every partition that is not idle; None when all are."""
        awake = [greatest for name, greatest in self.reach.greatest.items() if name not in self.reach.idle]
        return min(awake, default=None)

    def hear(self, times: Ints, partition: str, *, received_ms: int) -> None:
        """Labels have come; times: (rows,) ms, at least one."""
        self._heard[partition] = received_ms
        greatest = max(int(times.max()), self.reach.greatest.get(partition, NEVER))
        self.reach = Reach({**self.reach.greatest, partition: greatest}, self.reach.idle - {partition})

    def announce(self, partitions: Collection[str], *, now_ms: int) -> None:
        """Partitions that are about to be read: each holds until it idles, for its backlog may still be unread.

        That is so for one that is known, too: after a stop its labels may have been waiting for days.
        """
        self._heard |= dict.fromkeys(partitions, now_ms)
        greatest = dict.fromkeys(partitions, NEVER) | dict(self.reach.greatest)
        self.reach = Reach(greatest, self.reach.idle - set(partitions))

    def tick(self, *, now_ms: int) -> None:
        """Let time pass: silent partitions idle."""
        silent = {name: now_ms - self._heard.setdefault(name, now_ms) for name in self.reach.greatest}
        idle = frozenset(name for name, since in silent.items() if since > self._idle_after_ms)
        self.reach = replace(self.reach, idle=idle)
