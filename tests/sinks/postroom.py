"""An outbox on disk and couriers that carry its letters to local receivers."""

import time
from pathlib import Path
from typing import Any

from driftwatch.ports.answers import Query
from driftwatch.ports.letters import Letter
from driftwatch.sinks.courier import Courier
from driftwatch.sinks.exchange import Exchange
from driftwatch.sinks.targets.webhook import Webhook, WebhookSpec
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.history import SqliteHistory
from driftwatch.store.outbox import SqliteOutbox
from tests.store.examples import checkpoint

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOUR = 3_600_000


class Post:
    """An outbox on disk, a clock that is set by hand, and couriers on demand."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        # Receivers compare a signature's time with their own clock, so this one begins at the real time.
        self.now_ms = round(time.time() * 1000)
        self.open()

    def open(self) -> None:
        """Open the state directory; a second time it is a restart."""
        database = Database(self.directory)
        self.store, self.outbox, self.history = SqliteStore(database), SqliteOutbox(database), SqliteHistory(database)

    def restart(self) -> None:
        self.store.close()
        self.open()

    def clock(self) -> int:
        return self.now_ms

    def put(self, *letters: Letter) -> None:
        self.store.save(checkpoint(letters=letters))

    def target(self, url: str, **changes: Any) -> Webhook:
        secret = self.directory / "secret"
        secret.write_text(SECRET)
        return Webhook(
            WebhookSpec.model_validate({"name": "trainer", "url": url, "secret_file": str(secret)} | changes)
        )

    def courier(self, url: str, **changes: Any) -> Courier:
        target = self.target(url, **changes)
        return Courier(target, self.outbox, ask=Exchange(target.spec).ask, clock=self.clock, dice=lambda: 0.0)

    def next_in_ms(self) -> int:
        """Tell in how long the oldest letter is due again."""
        (due,) = self.outbox.due("trainer", self.now_ms * 2, limit=1)
        return due.next_ms - self.now_ms

    def states(self) -> dict[str, str]:
        return {item["id"]: item["state"] for item in self.history.deliveries(Query()).items}
