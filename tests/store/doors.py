"""One state directory, seen through all its ports."""

from dataclasses import dataclass
from pathlib import Path

from driftwatch.ports.answers import History
from driftwatch.ports.letters import Outbox
from driftwatch.ports.operations import Acknowledgements, Decisions, Silences
from driftwatch.ports.storage import Store
from driftwatch.ports.streams import Inbox
from driftwatch.store.acknowledgements import SqliteAcknowledgements
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.decisions import SqliteDecisions
from driftwatch.store.history import SqliteHistory
from driftwatch.store.inbox import SqliteInbox
from driftwatch.store.outbox import SqliteOutbox
from driftwatch.store.silences import SqliteSilences


@dataclass
class Doors:
    """One state directory, seen through its ports; `reopen` is a restart."""

    path: Path

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        database = Database(self.path)
        self.store: Store = SqliteStore(database)
        self.inbox: Inbox = SqliteInbox(database, max_bytes=1000)
        self.outbox: Outbox = SqliteOutbox(database)
        self.history: History = SqliteHistory(database)
        self.silences: Silences = SqliteSilences(database)
        self.acknowledgements: Acknowledgements = SqliteAcknowledgements(database)
        self.decisions: Decisions = SqliteDecisions(database)

    def reopen(self) -> None:
        self.store.close()
        self.open()
