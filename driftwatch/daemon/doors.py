"""What the engine gives its results to, and what of them waits for the next checkpoint."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from driftwatch.daemon.learners import Learners
from driftwatch.daemon.telemetry import Telemetry
from driftwatch.evaluation.alerts import Transition
from driftwatch.evaluation.casebook import Casebook
from driftwatch.evaluation.groups import Importance
from driftwatch.evaluation.report import Report
from driftwatch.ports.letters import Letter, Outbox
from driftwatch.ports.operations import Silences
from driftwatch.ports.storage import Store
from driftwatch.ports.streams import Clock
from driftwatch.sinks.board import Board
from driftwatch.sinks.targets.spec import TargetSpec


@dataclass(frozen=True, slots=True)
class Doors:
    """What the engine gives its results to.

    saved: told the positions once they are saved. wake: told that letters have been. keep_payload: of rejected events.
    base_url: for links in letters. passing: the clock by which partitions fall silent; without one it is the wall
    clock, and the time of receipt. learners: the models that have no reference yet. casebook: the open incidents.
    silences: what people do not want to hear of. importance: by model, of its columns, for policies that ask for it.
    """

    store: Store
    outbox: Outbox
    board: Board
    telemetry: Telemetry
    targets: Sequence[TargetSpec]
    saved: Callable[[Mapping[str, int]], None]
    wake: Callable[[], None]
    clock: Clock
    retention_ms: int
    base_url: str = ""
    keep_payload: bool = False
    passing: Clock | None = None
    learners: Learners | None = None
    casebook: Casebook = field(default_factory=lambda: Casebook({}))
    silences: Silences | None = None
    importance: Mapping[str, Importance] = field(default_factory=dict)


@dataclass(slots=True)
class Unsaved:
    """What has been decided since the last checkpoint."""

    reports: list[Report] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Reports and letters."""
        return len(self.reports) + len(self.letters)
