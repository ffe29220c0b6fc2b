"""What comes of one step of a monitor."""

from dataclasses import dataclass, field

from driftwatch.evaluation.alerts import Transition
from driftwatch.evaluation.report import Report


@dataclass(slots=True)
class Outcome:
    """What came of one call: rows counted, too late or known already; reports and alert transitions in order.

    grounds: what moved the alerts of golden sets. They are no reports of windows, and are not kept.
    """

    accepted: int = 0
    late: int = 0
    duplicate: int = 0
    reports: list[Report] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    grounds: list[Report] = field(default_factory=list)
