"""Letters that go the whole way: from an outbox on disk by Delivery, its threads and the real target to a server."""

import time
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from driftwatch.errors import StateError
from driftwatch.ports.answers import Query
from driftwatch.ports.letters import Letter
from driftwatch.sinks.delivery import Delivery
from driftwatch.sinks.targets.kinds import AnyTargetSpec, target_of
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.history import SqliteHistory
from driftwatch.store.outbox import SqliteOutbox
from tests.servers.broker import wait_until
from tests.store.examples import checkpoint

WAIT_SECONDS = 60.0
TABLE: TypeAdapter[Any] = TypeAdapter(AnyTargetSpec)


class _Forgetful(SqliteOutbox):
    """It dies before it can write down that a letter arrived."""

    def delivered(self, letter: Letter, *, now_ms: int, result: str) -> None:  # noqa: ARG002
        raise StateError("the process ends here")


class Desk:
    """An outbox in a directory, and the deliveries that one process after the other makes from it."""

    def __init__(self, directory: Path, **table: Any) -> None:
        self._table = {"name": "trainer", "timeout": "60s"} | table
        self._database = Database(directory)
        self._store, self._history = SqliteStore(self._database), SqliteHistory(self._database)

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    def put(self, *letters: Letter) -> None:
        """Save letters as a checkpoint does."""
        self._store.save(checkpoint(letters=letters))

    def deliver(self, *, forgetful: bool = False) -> dict[str, int]:
        """Deliver until every letter has been attempted; results → how often."""
        outbox = _Forgetful(self._database) if forgetful else SqliteOutbox(self._database)
        waiting = sum(item["state"] == "pending" for item in self.letters())
        delivery = Delivery(
            outbox, [target_of(TABLE.validate_python(self._table))],
            clock=lambda: round(time.time() * 1000), dice=lambda: 0.0,
        )  # fmt: skip
        delivery.start()
        try:
            wait_until(lambda: self._attempts(delivery) >= waiting, seconds=WAIT_SECONDS, what="an attempt")
            if not forgetful:
                wait_until(self._settled, seconds=WAIT_SECONDS, what="its outcome in the outbox")
        finally:
            assert delivery.stop(timeout_seconds=WAIT_SECONDS)
        return {result.value: count for (_, result), count in delivery.counts().items() if count}

    def letters(self) -> list[dict[str, Any]]:
        """The letters as the API lists them."""
        return list(self._history.deliveries(Query()).items)

    def _attempts(self, delivery: Delivery) -> int:
        return sum(delivery.counts().values())

    def _settled(self) -> bool:
        return all(item["state"] != "pending" or item["attempts"] for item in self.letters())
