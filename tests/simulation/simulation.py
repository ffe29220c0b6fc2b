"""One seed from beginning to end: the world, what may happen in it, and its last day, on which all is well again."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from driftwatch.daemon.queue import Announcement, Command, Order
from driftwatch.errors import StateError
from driftwatch.sinks.courier import Courier
from driftwatch.stream.raw import EVENT_STREAMS, Raw, Stream
from tests.simulation.book import Book, Deed, Entry
from tests.simulation.broker import Broker
from tests.simulation.chance import Clock, Mode, Trace, make_plan
from tests.simulation.disk import Died, Disk, mounted
from tests.simulation.door import Client, Door
from tests.simulation.mischief import Mischief
from tests.simulation.models import FRAUD, SPAM, watch_of
from tests.simulation.process import Process, Surroundings
from tests.simulation.producer import Producer
from tests.simulation.receiver import Receiver
from tests.simulation.verdict import check_end, check_start

MAX_UNSAVED, MAX_REJECTED = 6, 2
"""Limits of the engine, made small so that they are met; the test puts them there."""
_MOST_ACTIONS = 400
_HOUR_MS = 3_600_000


class Simulation:
    """All that one seed brings about. `run` raises AssertionError when a law is broken."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.dice = Random(seed)
        self.clock = Clock()
        self.plan = plan = make_plan(self.dice)
        self.trace = Trace(self.clock)
        self.book, self.door, self.disk = Book(), Door(), Disk(self.trace)
        self.producer = Producer(plan, self.dice, clock=self.clock, trace=self.trace)
        self.broker = Broker(plan, self.dice, clock=self.clock, trace=self.trace)
        self.clients = {
            stream: Client(stream, self.door, trace=self.trace, keyed=plan.keyed) for stream in EVENT_STREAMS
        }
        watches = [
            watch_of(
                name, plan.forms[name], idle_after_ms=plan.idle_after_ms, keep_ms=plan.keep_ms, wait_ms=plan.wait_ms
            )
            for name in (FRAUD, SPAM)
        ]
        receiver = Receiver(self.dice, self.trace, self.book.letters)
        self.around = Surroundings(
            plan, self.dice, self.clock, self.trace, directory, watches, self.broker, receiver
        )  # fmt: skip
        self._refused = False
        self._highest: dict[str, int] = {}
        self._actions = self._weighted()

    def run(self) -> None:
        """Live through it all."""
        with mounted(self.disk):
            self.process = self._begin()
            self.disk.on_commit = self._committed
            try:
                self._live()
                self._last_day()
                check_end(self)
            finally:
                self.disk.disarm()
                self.process.close()

    def _live(self) -> None:
        actions, weights = list(self._actions), list(self._actions.values())
        for _ in range(_MOST_ACTIONS):
            if self.producer.count >= self.plan.events and not self._anything_waits():
                break
            (action,) = self.dice.choices(actions, weights)
            try:
                action()
            except Died:
                self.crash()
            self.clock.now_ms += self.dice.randint(0, 900)

    def _anything_waits(self) -> bool:
        return self.process.queue._next() is not None or any(client.waiting for client in self.clients.values())

    def _weighted(self) -> dict[Callable[[], None], float]:
        return {
            self._produce: 6, self._post: 6, self._pump: 8, self._read_inbox: 5, self.step: 14,
            self._tick: 3, self._save: 2, self._prune: 0.1, self._deliver: 5,
        } | Mischief(self).weighted()  # fmt: skip

    def _produce(self) -> None:
        if self.producer.count >= self.plan.events:
            return
        for _ in range(self.dice.randint(1, 4)):
            if self.dice.random() < 0.3:
                self._send(Stream.LABELS, self.producer.labels())
            else:
                self._send(Stream.PREDICTIONS, self.producer.predictions())

    def _send(self, stream: Stream, record: bytes) -> None:
        """Post it or write it to the broker, whichever this world has."""
        mode = self.plan.mode
        if mode is Mode.POST or (mode is Mode.FREE and self.dice.random() < 0.4):
            self.clients[stream].waiting.append(record)
        else:
            self.broker.write(stream, record)

    def _post(self) -> None:
        clients = [client for client in self.clients.values() if client.waiting]
        if clients:
            self.dice.choice(clients).post(self.process.ingest, self.dice, now_ms=self.clock.now_ms)

    def _pump(self) -> bool | None:
        self.process.log.discover()
        done = self.process.log.pump(self.dice)
        self._refused = done is False
        if self._refused:
            self.trace.fault("queue full")
        return done

    def _read_inbox(self) -> None:
        if self.process.readers and not self.process.read_inbox(self.dice.choice(self.process.readers)):
            self._refused = True
            self.trace.fault("queue full")

    def step(self) -> bool:
        """Let the engine take one message, if there is one; False when it was the last of this process."""
        process = self.process
        if process.queue._next() is None:
            return True
        message = process.queue.take()
        self._enter(message)
        before, expected = process.watermarks(), process.expected()
        going_on = process.engine.step(message)
        after = process.watermarks()
        if isinstance(message, Order) and expected > process.expected():
            self.trace.fault("broker waited for no longer")
        assert all(after[name] >= mark for name, mark in before.items()), "a watermark fell"
        self._check_bounds()
        return going_on

    def _enter(self, message: Raw | Announcement | Order) -> None:
        if isinstance(message, Order):
            deed = {Command.TICK: Deed.TICK, Command.FINISH: Deed.FINISH}.get(message.command)
            self.trace.note(f"engine: {message.command}")
            if deed is not None and not (deed is Deed.TICK and self.process.queue.held):
                self.book.entries.append(Entry(deed, self.process.passing()))
            return
        deed = Deed.TAKE if isinstance(message, Raw) else Deed.ANNOUNCE
        if isinstance(message, Raw):
            engine = self.process.engine
            waiting = engine._unsaved.count if engine.store_error else 0
            assert waiting <= MAX_UNSAVED, f"records are taken while {waiting} decisions wait for the disk"
            self.trace.note(f"engine: {len(message.records)} of {message.partition} to {message.position}")
            if message.records and self.process.expected():
                self.trace.fault("records before the broker was reached")
            if message.position <= self._highest.get(message.partition, 0):
                self.trace.fault("records read again", message.partition)
            self._highest[message.partition] = max(message.position, self._highest.get(message.partition, 0))
        self.book.entries.append(Entry(deed, self.process.passing(), message))

    def _check_bounds(self) -> None:
        queue, engine = self.process.queue, self.process.engine
        assert len(engine.dead_letters.events) <= MAX_REJECTED, "more rejected events wait than may"
        waiting = [message for message in queue._messages if isinstance(message, Raw) and message.records]
        assert queue.records <= queue.capacity_records or len(waiting) == 1, "the queue is beyond its bounds"
        if queue.held:
            self.trace.faults["records held back"] += 1
        if any(monitor.windows.progress.idle for monitor in engine.monitors.values()):
            self.trace.faults["partition idle"] += 1

    def _tick(self) -> None:
        self.process.queue.order(Command.TICK)

    def _save(self) -> None:
        self.process.queue.order(Command.SAVE)

    def _prune(self) -> None:
        self.process.queue.order(Command.PRUNE)

    def _deliver(self) -> None:
        self.process.deliver(self.dice.choice(self.process.couriers))

    def _committed(self) -> None:
        """Ask whose write transaction it is that has become durable."""
        process = self.process
        if process.saving is not None:
            self.book.committed(process.saving, process.watermarks())
        elif self.door.posting is not None:
            self.door.committed(process.inbox._link._connection.query("SELECT MAX(sequence) FROM inbox"))

    def crash(self) -> None:
        """The process is gone; begin the next one from what is on the disk."""
        if self._refused:
            self.trace.fault("restart with a full queue")
            self._refused = False
        self.disk.dead = False
        self.process.close()
        self.book.crashed(now_ms=self.clock.now_ms)
        self.trace.note(f"--- restart, {self.book.durable} entries are durable")
        try:
            self.process = self._begin()
        except StateError:
            self.trace.fault("start refused by the disk")
            self.disk.disarm()
            self.process = self._begin()
        except Died:
            self.disk.disarm()
            self.process = self._begin()
        check_start(self)

    def _begin(self) -> Process:
        process = Process(self.around)
        self.book.entries.append(Entry(Deed.EXPECT, process.passing(), families=process.families))
        return process

    def _last_day(self) -> None:
        """Everything works again: all that waits is worked off, the windows are closed, the letters delivered."""
        self.trace.note("=== the last day")
        self.disk.disarm()
        self.around.receiver.healthy = self.broker.reachable = True
        self.crash()
        self._work_off()
        self.process.queue.order(Command.FINISH)
        self._work_off()
        self.process.queue.order(Command.SAVE)
        self._work_off()
        for _ in range(60):
            for courier in self.process.couriers:
                self._deliver_all(courier)
            if not any(pending for pending, _, _ in self.process.outbox.pending().values()):
                return
            self.clock.now_ms += 6 * _HOUR_MS
        raise AssertionError("letters wait for ever")

    def _deliver_all(self, courier: Courier) -> None:
        for _ in range(_MOST_ACTIONS):
            if not self.process.deliver(courier):
                return
        raise AssertionError("deliveries have no end")

    def _post_all(self) -> bool:
        """Post until nothing waits, or the inbox is full and the answer False."""
        for client in self.clients.values():
            while client.waiting:
                stored = len(self.door.stored[client.stream])
                waiting = len(client.waiting)
                client.post(self.process.ingest, self.dice, now_ms=self.clock.now_ms)
                if (len(self.door.stored[client.stream]), len(client.waiting)) == (stored, waiting):
                    return False
        return True

    def _work_off(self) -> None:
        for _ in range(500):
            full = any(client.waiting for client in self.clients.values()) and not self._post_all()
            pumped = self._pump()
            for reader in self.process.readers:
                self.process.read_inbox(reader)
            done = not full and pumped is None and self.process.queue._next() is None
            while self.process.queue._next() is not None:
                self.step()
            if full:  # only what is saved makes room in the inbox
                self.process.queue.order(Command.SAVE)
            if done:
                return
        raise AssertionError("the last day has no end")
