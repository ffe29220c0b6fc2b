"""The collector over the board: drift, windows and alerts as they are at scrape time (design D7, contract §5).

A column, version or segment that has left the picture leaves no stale series. Series are capped by a budget that is
spent on all rows first, then on segments, each the most severe columns first; a column comes whole or not at all.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric as Family

from driftwatch.evaluation.alerts import Reason, State
from driftwatch.evaluation.report import Report
from driftwatch.sinks.board import OPEN, Board, Cell, Picture
from driftwatch.sinks.catalogue import Metric
from driftwatch.sinks.control_series import control_samples
from driftwatch.sinks.performance_series import Samples, class_samples, label_delays, label_samples, performance_samples
from driftwatch.sinks.quality_series import quality_samples
from driftwatch.statistics.distribution import Distribution
from driftwatch.statistics.reading import Reading

MAX_GROUPS = 12
"""Groups of a column whose shares are exported."""

STEPS = (
    (State.PENDING, Reason.CROSSED),
    (State.FIRING, Reason.CROSSED),
    (State.FIRING, Reason.HELD),
    (State.INACTIVE, Reason.DROPPED),
    (State.RESOLVED, Reason.CLEARED),
)
"""The steps an alert can take; each is exported as 0 until it is taken."""

_SEVERITY = {State.PENDING: 1, State.FIRING: 2}
_EXPORTED = (
    Metric.DRIFT_VALUE, Metric.DRIFT_P_VALUE, Metric.DRIFT_THRESHOLD, Metric.DRIFT_EFFECT_LOWER,
    Metric.DRIFT_EFFECT_UPPER, Metric.DRIFT_STATE, Metric.DISTRIBUTION_RATIO, Metric.WINDOW_ROWS, Metric.WINDOW_END,
    Metric.WATERMARK, Metric.ALERTS, Metric.ALERT_TRANSITIONS, Metric.SERIES_DROPPED, Metric.PERFORMANCE_VALUE,
    Metric.PERFORMANCE_LOWER, Metric.PERFORMANCE_UPPER, Metric.LABEL_COVERAGE,
    Metric.LABELS, Metric.LABEL_SAMPLING, Metric.LABEL_DELAY, Metric.QUALITY_VALUE,
    Metric.CONTROL_ANSWERS, Metric.CONTROL_CHANGED,
)  # fmt: skip


class BoardCollector:
    """Turns the board's picture into metric families.

    rules: model → rule name → severity, from the configuration; their series exist as 0 from the first scrape.
    max_series: bound on the series of this collector. Those of alerts, transitions and of models without a window are
        few, by configuration; they count first and always come. What is left goes to columns.
    """

    def __init__(self, board: Board, *, rules: Mapping[str, Mapping[str, str]], max_series: int) -> None:
        self._board = board
        self._rules = rules
        self._max_series = max_series
        self._rendered: tuple[Picture, list[Family]] | None = None

    def describe(self) -> Iterable[Family]:
        """Give the families, empty: a registry learns the names without a scrape."""
        return [metric.family() for metric in _EXPORTED]

    def collect(self) -> Iterable[Family]:
        """Give the families of the present picture, rendered once for each picture."""
        picture, rendered = self._board.picture, self._rendered
        if rendered is None or rendered[0] is not picture:
            rendered = picture, self._render(picture)
            self._rendered = rendered
        return rendered[1]

    def _render(self, picture: Picture) -> list[Family]:
        samples: Samples = {metric: {} for metric in _EXPORTED}
        samples[Metric.ALERTS] = _alerts(picture, self._rules)
        samples[Metric.ALERT_TRANSITIONS] = _transitions(picture, self._rules)
        samples[Metric.WATERMARK] = _quiet_watermarks(picture)
        fixed = sum(map(len, samples.values())) + 1
        budget = _Budget(samples, left=self._max_series - fixed)
        budget.spend(label_samples(picture))
        budget.spend(control_samples(picture))
        for group in performance_samples(picture):
            budget.spend(group)
        for group in quality_samples(picture, failed=True):
            budget.spend(group)
        ranked = sorted(_columns(picture), key=lambda column: column.rank)
        placed: set[Cell] = set()
        for column in ranked:
            # A column says little without its window, so the window's series come with the cell's first column.
            window = {} if column.cell in placed else _window_samples(column, picture)
            placed.add(column.cell)
            budget.spend(window | _column_samples(column))
        for group in quality_samples(picture, failed=False):
            budget.spend(group)
        for column in ranked:
            budget.spend(_shares(column))
        for group in class_samples(picture):
            budget.spend(group)
        samples[Metric.SERIES_DROPPED] = {(): budget.dropped}
        families = [metric.samples(values) for metric, values in samples.items() if values]
        return [*families, label_delays(picture)] if picture.labels else families


class _Budget:
    """Takes groups of series in the order given, until the first that does not fit.

    dropped: series left out.
    """

    def __init__(self, samples: Samples, *, left: int) -> None:
        self._samples = samples
        self._left = left
        self._full = False
        self.dropped = 0

    def spend(self, group: Samples) -> None:
        size = sum(map(len, group.values()))
        self._full = self._full or size > self._left
        if self._full:
            self.dropped += size
            return
        self._left -= size
        for metric, values in group.items():
            self._samples[metric].update(values)


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of one cell with all its drift readings. state: 0 ok, 1 pending, 2 firing."""

    cell: Cell
    name: str
    state: int
    readings: list[Reading]
    report: Report
    distribution: Distribution | None

    @property
    def rank(self) -> tuple[bool, int, float, float, Cell, str]:
        """Sorts all rows before segments and the most severe first: by state, then by nearness to their thresholds.

        Farthest beyond is nearest. Statistics have different units, so they are compared as shares of their
        thresholds; without any threshold the Jensen-Shannon distance decides, which every kind of column has and which
        lies in [0, 1].
        """
        nearness, distance = 0.0, 0.0
        for reading in self.readings:
            threshold = self.report.thresholds.get((reading.column, reading.statistic), math.nan)
            if threshold > 0 and reading.value / threshold > nearness:
                nearness = reading.value / threshold
            if reading.statistic == "js" and reading.value > distance:
                distance = reading.value
        return bool(self.cell[2]), -self.state, -nearness, -distance, self.cell, self.name


def _columns(picture: Picture) -> Iterator[_Column]:
    states: dict[tuple[str, ...], int] = {}
    for alert in picture.alerts.values():
        key = (alert.model, alert.version, alert.segment, alert.column)
        states[key] = max(states.get(key, 0), _SEVERITY[alert.state])
    for cell, report in picture.reports.items():
        shares = {distribution.column: distribution for distribution in picture.distributions.get(cell, ())}
        by_column: dict[str, list[Reading]] = {}
        for reading in report.readings:
            if reading.family == "drift":
                by_column.setdefault(reading.column, []).append(reading)
        for name, readings in by_column.items():
            yield _Column(cell, name, states.get((*cell, name), 0), readings, report, shares.get(name))


def _window_samples(column: _Column, picture: Picture) -> Samples:
    cell, window = column.cell, column.report.window
    samples: Samples = {Metric.WINDOW_ROWS: {cell: window.rows}, Metric.WINDOW_END: {cell: window.end_ms / 1000}}
    if (watermark_ms := picture.watermarks.get(cell[0])) is not None:
        samples[Metric.WATERMARK] = {cell: watermark_ms / 1000}
    return samples


def _column_samples(column: _Column) -> Samples:
    samples: Samples = {Metric.DRIFT_STATE: {(*column.cell, column.name): column.state}}
    for reading in column.readings:
        key = (*column.cell, column.name, reading.statistic)
        values = {
            Metric.DRIFT_VALUE: reading.value,
            Metric.DRIFT_P_VALUE: reading.p_value,
            Metric.DRIFT_THRESHOLD: column.report.thresholds.get((column.name, reading.statistic), math.nan),
            Metric.DRIFT_EFFECT_LOWER: reading.lower,
            Metric.DRIFT_EFFECT_UPPER: reading.upper,
        }
        for metric, value in values.items():
            if not math.isnan(value):
                samples.setdefault(metric, {})[key] = value
    return samples


def _shares(column: _Column) -> Samples:
    """Shares of the column's largest groups, on both sides."""
    if column.distribution is None:
        return {}
    groups = zip(column.distribution.groups, column.distribution.reference, column.distribution.current, strict=True)
    largest = sorted(groups, key=lambda group: -max(group[1:]))[:MAX_GROUPS]
    key = (*column.cell, column.name)
    return {
        Metric.DISTRIBUTION_RATIO: {
            (*key, name, side): share
            for name, reference, current in largest
            for side, share in (("reference", reference), ("current", current))
        }
    }


def _quiet_watermarks(picture: Picture) -> dict[tuple[str, ...], float]:
    """Watermarks of the models that have no window yet."""
    heard = {model for model, _, _ in picture.reports}
    return {(model, "", ""): at_ms / 1000 for model, at_ms in picture.watermarks.items() if model not in heard}


def _alerts(picture: Picture, rules: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, ...], float]:
    counts: dict[tuple[str, ...], float] = {
        (model, severity, state.value): 0
        for model, named in rules.items()
        for severity in sorted(set(named.values()))
        for state in OPEN
    }
    for alert in picture.alerts.values():
        key = (alert.model, alert.severity, alert.state.value)
        counts[key] = counts.get(key, 0) + 1
    return counts


def _transitions(picture: Picture, rules: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, ...], float]:
    possible = [
        (model, rule, to.value, reason.value)
        for model, named in rules.items()
        for rule in named
        for to, reason in STEPS
    ]
    taken = picture.transitions
    return {step: taken.get(step, 0) for step in dict.fromkeys([*possible, *taken])}
