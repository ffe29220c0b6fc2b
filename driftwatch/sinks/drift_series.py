"""The series of drift: each column of each cell with all its readings, in the order in which the budget is spent."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from driftwatch.evaluation.alerts import State
from driftwatch.evaluation.report import Report
from driftwatch.sinks.board import Cell, Picture
from driftwatch.sinks.catalogue import Metric
from driftwatch.sinks.performance_series import Samples, put_defined
from driftwatch.statistics.control import CHANGED
from driftwatch.statistics.distribution import Distribution
from driftwatch.statistics.reading import Reading

MAX_GROUPS = 12
"""Groups of a column whose shares are exported."""

Importance = Mapping[str, Mapping[str, float]]
"""Model → column → how much it says of what the model answers; a column that is not there is as important as can be."""

NONE_KNOWN: Importance = MappingProxyType({})

_SEVERITY = {State.PENDING: 1, State.FIRING: 2}


@dataclass(frozen=True, slots=True)
class DriftColumn:
    """One column of one cell with all its drift readings.

    nearness: the value nearest to, or farthest beyond, its threshold, as a share of it. distance: Jensen-Shannon.
    size: how many series it has beside its shares. importance: beside that of the model's other columns.
    """

    cell: Cell
    name: str
    readings: list[Reading]
    report: Report
    distribution: Distribution | None
    nearness: float
    distance: float
    size: int
    importance: float = 1.0

    @classmethod
    def of(
        cls, readings: list[Reading], report: Report, distribution: Distribution | None, *, importance: float = 1.0
    ) -> "DriftColumn":
        """A report's column, from its readings."""
        nearness, distance, size = 0.0, 0.0, 1
        for reading in readings:
            threshold = _threshold(report, reading)
            if threshold > 0 and reading.value / threshold > nearness:
                nearness = reading.value / threshold
            if reading.statistic == "js" and reading.value > distance:
                distance = reading.value
            shown = (reading.value, reading.p_value, threshold, reading.lower, reading.upper, reading.mde)
            size += len(shown) - sum(map(math.isnan, shown))
        cell = report.model, report.version, report.segment
        return cls(cell, readings[0].column, readings, report, distribution, nearness, distance, size, importance)

    def rank(self, state: int) -> tuple[bool, int, bool, float, float, float, Cell, str]:
        """Sorts all rows before segments and the most severe first: by state, then those beyond a threshold.

        Of equal severity the most important columns come first, and of these the nearest to their thresholds.
        Statistics have different units, so they are compared as shares of their thresholds; without any threshold the
        Jensen-Shannon distance decides, which every kind of column has and which lies in [0, 1].
        """
        inside = self.nearness <= 1
        return (
            bool(self.cell[2]), -state, inside, -self.importance, -self.nearness, -self.distance, self.cell, self.name
        )  # fmt: skip

    def samples(self, state: int) -> Samples:
        """Its series; state: 0 ok, 1 pending, 2 firing."""
        samples: Samples = {Metric.DRIFT_STATE: {(*self.cell, self.name): state}}
        for reading in self.readings:
            key = (*self.cell, self.name, reading.statistic)
            values = {
                Metric.DRIFT_VALUE: reading.value,
                Metric.DRIFT_P_VALUE: reading.p_value,
                Metric.DRIFT_THRESHOLD: _threshold(self.report, reading),
                Metric.DRIFT_EFFECT_LOWER: reading.lower,
                Metric.DRIFT_EFFECT_UPPER: reading.upper,
                Metric.DRIFT_MDE: reading.mde,
            }
            put_defined(samples, values, key=key)
        return samples

    def shares(self) -> Samples:
        """Shares of the column's largest groups, on both sides."""
        if self.distribution is None:
            return {}
        shown = self.distribution
        groups = zip(shown.groups, shown.reference, shown.current, strict=True)
        largest = sorted(groups, key=lambda group: -max(group[1:]))[:MAX_GROUPS]
        key = (*self.cell, self.name)
        return {
            Metric.DISTRIBUTION_RATIO: {
                (*key, name, side): share
                for name, reference, current in largest
                for side, share in (("reference", reference), ("current", current))
            }
        }


class DriftColumns:
    """The columns of all cells. What a report says of them is found out once: there may be very many."""

    def __init__(self, importance: Importance = NONE_KNOWN) -> None:
        self._importance = importance
        self._held: dict[Cell, tuple[Report, tuple[Distribution, ...], list[DriftColumn]]] = {}

    def ranked(self, picture: Picture) -> list[tuple[int, DriftColumn]]:
        """Every column after its state, the most severe first."""
        states: dict[tuple[str, ...], int] = {}
        of_columns = (alert for alert in picture.alerts.values() if alert.statistic != CHANGED)
        for alert in of_columns:
            key = (alert.model, alert.version, alert.segment, alert.column)
            states[key] = max(states.get(key, 0), _SEVERITY[alert.state])
        self._follow(picture)
        columns = (column for _, _, held in self._held.values() for column in held)
        found = [(states.get((*column.cell, column.name), 0), column) for column in columns]
        return sorted(found, key=lambda pair: pair[1].rank(pair[0]))

    def _follow(self, picture: Picture) -> None:
        for cell in self._held.keys() - picture.reports.keys():
            del self._held[cell]
        for cell, report in picture.reports.items():
            shares = picture.distributions.get(cell, ())
            held = self._held.get(cell)
            if held is None or held[0] is not report or held[1] is not shares:
                self._held[cell] = report, shares, list(_columns(report, shares, self._importance))


def _threshold(report: Report, reading: Reading) -> float:
    found = report.threshold(reading)
    return math.nan if found is None else found


def _columns(report: Report, shares: tuple[Distribution, ...], importance: Importance) -> Iterator[DriftColumn]:
    weights = importance.get(report.model, {})
    distributions = {distribution.column: distribution for distribution in shares}
    by_column: dict[str, list[Reading]] = {}
    for reading in report.readings:
        if reading.family == "drift":
            by_column.setdefault(reading.column, []).append(reading)
    for name, readings in by_column.items():
        yield DriftColumn.of(readings, report, distributions.get(name), importance=weights.get(name, 1.0))
