"""The board: what the readers see, as one immutable picture that the engine replaces whole (design D7).

The engine thread is the only writer. A reader takes `picture` once and works on it; nobody locks.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from driftwatch.evaluation.alerts import State, Transition
from driftwatch.evaluation.report import Report
from driftwatch.quality.control import ControlStanding
from driftwatch.quality.standing import Standing
from driftwatch.statistics.distribution import Distribution
from driftwatch.statistics.reading import Stage, Status

Cell = tuple[str, str, str]
"""Model, version, segment."""

Step = tuple[str, str, str, str]
"""Model, rule, the state that was entered, the reason."""

OPEN = (State.PENDING, State.FIRING)
"""The states in which an alert stands on the board."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is published, as of one moment.

    reports: the latest of each cell. distributions: beside the reports, where evaluation gave any.
    alerts: by alert id, the last step of every alert that is pending or firing.
    transitions: how often each step was taken since the process began. watermarks: model → ms since the epoch.
    performance: of each cell and stage the report of the latest window that has a value of it.
    labels: model → what has become of its labels, where it joins any. controls: model → how its golden sets stand.
    versions: model → version → when it was first seen, in event time, ms since the epoch.
    """

    reports: Mapping[Cell, Report] = field(default_factory=dict)
    distributions: Mapping[Cell, tuple[Distribution, ...]] = field(default_factory=dict)
    alerts: Mapping[str, Transition] = field(default_factory=dict)
    transitions: Mapping[Step, int] = field(default_factory=dict)
    watermarks: Mapping[str, int] = field(default_factory=dict)
    performance: Mapping[tuple[Cell, Stage], Report] = field(default_factory=dict)
    labels: Mapping[str, Standing] = field(default_factory=dict)
    controls: Mapping[str, tuple[ControlStanding, ...]] = field(default_factory=dict)
    versions: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Board:
    """Holds the present picture."""

    def __init__(self) -> None:
        self._picture = Picture()

    @property
    def picture(self) -> Picture:
        """The whole present picture; it never changes once taken."""
        return self._picture

    def publish(
        self,
        *,
        reports: Sequence[Report] = (),
        transitions: Sequence[Transition] = (),
        watermarks: Mapping[str, int] = MappingProxyType({}),
        distributions: Mapping[Cell, tuple[Distribution, ...]] = MappingProxyType({}),
        labels: Mapping[str, Standing] = MappingProxyType({}),
        controls: Mapping[str, tuple[ControlStanding, ...]] = MappingProxyType({}),
    ) -> None:
        """Add what one step of the engine brought, in order, and show all of it at once.

        A report replaces its cell's unless its window ends earlier or its revision is lower, so a late revision of
        an old window does not turn the picture back. A distribution is shown while the report it came with is.
        """
        old = self._picture
        shown = _latest(old.reports, reports)
        unchanged = {cell: old.distributions[cell] for cell in old.distributions if shown[cell] is old.reports[cell]}
        brought = {
            cell: shares for cell, shares in distributions.items() if shown.get(cell) is not old.reports.get(cell)
        }
        steps = Counter((step.model, step.rule, step.state.value, step.reason.value) for step in transitions)
        self._picture = Picture(
            reports=MappingProxyType(shown),
            distributions=MappingProxyType(unchanged | brought),
            alerts=MappingProxyType(_standing(old.alerts, transitions)),
            transitions=MappingProxyType(Counter(old.transitions) + steps),
            watermarks=MappingProxyType({**old.watermarks, **watermarks}),
            performance=MappingProxyType(_performance(old.performance, reports)),
            labels=MappingProxyType({**old.labels, **labels}),
            controls=MappingProxyType({**old.controls, **controls}),
            versions=old.versions,
        )

    def know(self, versions: Mapping[str, Mapping[str, int]]) -> None:
        """Show which versions of these models have been seen, instead of those that were; the caller keeps nothing."""
        old = self._picture
        self._picture = replace(old, versions=MappingProxyType({**old.versions, **versions}))

    def restore(self, *, reports: Sequence[Report], alerts: Sequence[Transition]) -> None:
        """Show what a checkpoint brought back. Its alerts took their steps before, so no transition is counted."""
        old = self._picture
        self._picture = replace(
            old,
            reports=MappingProxyType(_latest(old.reports, reports)),
            alerts=MappingProxyType(_standing(old.alerts, alerts)),
        )

    def forget(self, *, before_ms: int) -> None:
        """Take off the cells whose latest window ended before that, such as versions that were replaced."""
        old = self._picture
        kept = {cell: report for cell, report in old.reports.items() if report.window.end_ms >= before_ms}
        shares = {cell: shares for cell, shares in old.distributions.items() if cell in kept}
        performance = {key: report for key, report in old.performance.items() if report.window.end_ms >= before_ms}
        self._picture = replace(
            old,
            reports=MappingProxyType(kept),
            distributions=MappingProxyType(shares),
            performance=MappingProxyType(performance),
        )


def _latest(shown: Mapping[Cell, Report], reports: Sequence[Report]) -> dict[Cell, Report]:
    latest = dict(shown)
    for report in reports:
        cell = (report.model, report.version, report.segment)
        if not report.follows and (cell not in latest or _age(latest[cell]) <= _age(report)):
            latest[cell] = report
    return latest


def _performance(
    shown: Mapping[tuple[Cell, Stage], Report], reports: Sequence[Report]
) -> dict[tuple[Cell, Stage], Report]:
    latest = dict(shown)
    for report in reports:
        stages = {
            reading.support.stage
            for reading in report.readings
            if reading.support is not None and reading.status is Status.OK
        }
        for stage in sorted(stages):
            key = (report.model, report.version, report.segment), stage
            if key not in latest or _age(latest[key]) <= _age(report):
                latest[key] = report
    return latest


def _age(report: Report) -> tuple[int, int]:
    return report.window.end_ms, report.revision


def _standing(alerts: Mapping[str, Transition], transitions: Sequence[Transition]) -> dict[str, Transition]:
    standing = dict(alerts)
    for step in transitions:
        if step.state in OPEN:
            standing[step.alert_id] = step
        else:
            standing.pop(step.alert_id, None)
    return standing
