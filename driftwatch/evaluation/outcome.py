"""What comes of one step of a monitor."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from driftwatch.evaluation.alerts import Transition
from driftwatch.evaluation.evaluate import Finding
from driftwatch.evaluation.report import Report
from driftwatch.evaluation.rules import Verdict


@dataclass(frozen=True, slots=True)
class Appeared:
    """The first row of a version that was not told apart before."""

    model: str
    version: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """One look at a window of a cell: what it moved, and what it says to each rule. versions: that are known then."""

    report: Report
    transitions: tuple[Transition, ...]
    verdicts: Mapping[str, Verdict]
    versions: tuple[str, ...]


@dataclass(slots=True)
class Outcome:
    """What came of one call: rows counted, too late or known already; reports and alert transitions in order.

    grounds: what moved the alerts of golden sets. They are no reports of windows, and are not kept.
    course: in which order windows spoke and versions appeared, wherever the stream was cut.
    """

    accepted: int = 0
    late: int = 0
    duplicate: int = 0
    reports: list[Report] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    grounds: list[Report] = field(default_factory=list)
    course: list[Appeared | Spoken] = field(default_factory=list)

    def appear(self, model: str, versions: Iterable[str]) -> None:
        """Versions have come that were not told apart before."""
        self.course += [Appeared(model, version) for version in versions]

    def add(self, finding: Finding, versions: Iterable[str]) -> None:
        """Take what came of a look. versions: that are known."""
        self.reports.append(finding.report)
        self.transitions += finding.transitions
        steps = tuple(finding.transitions)
        self.course.append(Spoken(finding.report, steps, finding.verdicts, tuple(versions)))
