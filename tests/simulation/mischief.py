"""What goes wrong on purpose: crashes, disks, clocks, partitions."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from driftwatch.daemon.queue import Command
from driftwatch.stream.raw import Stream
from tests.simulation.chance import Mode

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

_HOUR_MS = 3_600_000
_MOST_BACK_MS = 12 * _HOUR_MS
_MOST_PARTITIONS = 6


class Mischief:
    """Plays tricks on a simulation."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim, self._back_ms = sim, 0

    def weighted(self) -> dict[Callable[[], None], float]:
        """Every trick and how often it is played."""
        wild, free = self._sim.plan.wildness, self._sim.plan.mode is Mode.FREE
        return {
            self.kill: 0.3 * wild, self.stop: 0.15 * wild, self.arm: 0.9 * wild, self.outage: 0.3 * wild,
            self.repair: 0.6, self.blur: 0.3 * wild, self.jump: 0.3 * wild,
            self.sleep: 0.3 * free, self.grow: 0.06 * free, self.part: 0.3 * free, self.expire: 0.1 * wild * free,
        }  # fmt: skip

    def kill(self) -> None:
        """Kill the process between two steps."""
        self._sim.trace.fault("killed")
        self._sim.crash()

    def stop(self) -> None:
        """Stop the process as SIGTERM does, and start it again."""
        self._sim.trace.fault("stopped")
        self._sim.process.queue.close()
        self._sim.process.queue.order(Command.STOP)
        while self._sim.step():
            pass
        self._sim.crash()

    def arm(self) -> None:
        """Let a statement soon fail, or be the last."""
        fate = self._sim.dice.choice(["fail", "die before", "die after"])
        self._sim.disk.arm(fate, fuse=self._sim.dice.randint(1, 12), commits_only=self._sim.dice.random() < 0.5)

    def blur(self) -> None:
        """Let the next commit seem to fail though it is durable."""
        self._sim.disk.arm("fail after", fuse=1, commits_only=True)

    def outage(self) -> None:
        """Let every write fail for a while."""
        self._sim.trace.fault("disk outage")
        self._sim.disk.outage = True

    def repair(self) -> None:
        """Let writes work again."""
        if self._sim.disk.outage:
            self._sim.trace.note("the disk is well again")
        self._sim.disk.outage = False

    def jump(self) -> None:
        """Set the clock forth, or back within bounds."""
        forth, free = self._sim.dice.random() < 0.6, self._sim.plan.mode is Mode.FREE
        if forth:
            by_ms = self._sim.dice.randint(1_000, 90_000 if free and self._sim.dice.random() < 0.8 else 6 * _HOUR_MS)
        else:
            by_ms = -self._sim.dice.randint(1_000, 60_000 if free else _HOUR_MS)
            self._back_ms -= by_ms
        if self._back_ms < _MOST_BACK_MS:
            self._sim.trace.fault("clock jumps forth" if forth else "clock jumps back", f"{by_ms} ms")
            self._sim.clock.now_ms += by_ms

    def sleep(self) -> None:
        """Let a partition fall silent, or wake it."""
        asleep = self._sim.broker.asleep
        if asleep:
            asleep.clear()
        else:
            asleep.add(self._sim.dice.choice(self._sim.broker.of(Stream.PREDICTIONS)).name)

    def part(self) -> None:
        """Cut the broker off, or let it be reached again."""
        self._sim.broker.reachable = not self._sim.broker.reachable
        if not self._sim.broker.reachable:
            self._sim.trace.fault("broker cut off")

    def grow(self) -> None:
        """Let the topic have one more partition."""
        if len(self._sim.broker.partitions) < _MOST_PARTITIONS:
            self._sim.broker.add_partition()

    def expire(self) -> None:
        """Let retention pass."""
        self._sim.broker.expire(self._sim.dice.choice(list(self._sim.broker.partitions.values())))
