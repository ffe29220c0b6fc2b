"""Delivery: one thread per target takes letters from the outbox, so a slow target delays nobody else's."""

import logging
import threading
import time
from collections.abc import Iterable, Mapping

import structlog

from driftwatch.errors import StateError
from driftwatch.ports.letters import Outbox
from driftwatch.ports.streams import Clock
from driftwatch.sinks.attempts import Dice, Result
from driftwatch.sinks.breaker import Circuit
from driftwatch.sinks.courier import Courier
from driftwatch.sinks.exchange import Exchange
from driftwatch.sinks.targets.target import Target

_POLL_SECONDS = 1.0
"""A retry is begun at most this late; new letters do not wait for it, they wake the threads."""
_STATE_HOLD_MS = 10_000

_log = structlog.get_logger(__name__)


class Delivery:
    """Delivers the outbox's letters at least once, those of one alert to one target in their order.

    A target has one thread, so there is at most one attempt under way and one connection open to it. Letters to a
    target that is not configured any more stay in the outbox. After a 410 a target is disabled until the next start;
    its letters wait.
    """

    def __init__(self, outbox: Outbox, targets: Iterable[Target], *, clock: Clock, dice: Dice) -> None:
        self._couriers: dict[str, Courier] = {}
        for target in targets:
            ask = Exchange(target.spec).ask
            self._couriers[target.spec.name] = Courier(target, outbox, ask=ask, clock=clock, dice=dice)
        self._changed = threading.Condition()
        self._stopping = False
        self._wakes = 0
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to deliver."""
        # httpx logs whole addresses, with their credentials; what is to be said of an attempt the courier says.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        for name, courier in self._couriers.items():
            thread = threading.Thread(target=self._run, args=(name, courier), name=f"deliver-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        """Look for letters now: a checkpoint has saved some."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    def stop(self, *, timeout_seconds: float = 2.0) -> bool:
        """Begin no further attempt, and wait so long for those under way; whether all had ended.

        An attempt that is cut off by the end of the process is made again at the next start, under the same id.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def counts(self) -> Mapping[tuple[str, Result], int]:
        """Count attempts by target and result since the start; every pair is there, be it 0."""
        return {(name, result): n for name, courier in self._couriers.items() for result, n in courier.counts.items()}

    def disabled(self) -> frozenset[str]:
        """Name the targets that answered 410 Gone."""
        return frozenset(name for name, courier in self._couriers.items() if courier.disabled)

    def circuits(self) -> Mapping[str, Circuit]:
        """Say how each target's circuit stands."""
        return {name: courier.circuit() for name, courier in self._couriers.items()}

    def _run(self, name: str, courier: Courier) -> None:
        wakes = -1
        while not self._stopping:
            if not self._deliver(name, courier):
                wakes = self._rest(wakes)

    def _deliver(self, name: str, courier: Courier) -> bool:
        """Make one attempt; whether there was one."""
        try:
            return courier.deliver_once() is not None
        except StateError as error:
            _log.error("delivery could not be recorded; it will be repeated", target=name, error=str(error))
            courier.hold(_STATE_HOLD_MS)
            return False

    def _rest(self, seen: int) -> int:
        """Wait for letters, for the next poll or for the end; returns how many wakes were seen."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._wakes != seen, _POLL_SECONDS)
            return self._wakes
