"""The collector over the board: drift, windows and alerts as they are at scrape time (design D7, contract §5).

A column, version or segment that has left the picture leaves no stale series. Series are capped by a budget that is
spent on all rows first, then on segments, each the most severe columns first; a column comes whole or not at all.
"""

from collections.abc import Iterable, Mapping

from prometheus_client.metrics_core import Metric as Family

from driftwatch.evaluation.alerts import Reason, State
from driftwatch.evaluation.report import Report
from driftwatch.sinks.board import OPEN, Board, Cell, Picture
from driftwatch.sinks.catalogue import Metric
from driftwatch.sinks.comparison_series import comparison_samples
from driftwatch.sinks.control_series import control_samples
from driftwatch.sinks.drift_series import NONE_KNOWN, DriftColumns, Importance
from driftwatch.sinks.performance_series import Samples, class_samples, label_delays, label_samples, performance_samples
from driftwatch.sinks.quality_series import quality_samples

STEPS = (
    (State.PENDING, Reason.CROSSED),
    (State.FIRING, Reason.CROSSED),
    (State.FIRING, Reason.HELD),
    (State.INACTIVE, Reason.DROPPED),
    (State.RESOLVED, Reason.CLEARED),
    (State.RESOLVED, Reason.BY_HAND),
)
"""The steps an alert can take; each is exported as 0 until it is taken."""

_EXPORTED = (
    Metric.DRIFT_VALUE, Metric.DRIFT_P_VALUE, Metric.DRIFT_THRESHOLD, Metric.DRIFT_EFFECT_LOWER,
    Metric.DRIFT_EFFECT_UPPER, Metric.DRIFT_MDE, Metric.DRIFT_STATE, Metric.DISTRIBUTION_RATIO, Metric.WINDOW_ROWS,
    Metric.WINDOW_END,
    Metric.WATERMARK, Metric.ALERTS, Metric.ALERT_TRANSITIONS, Metric.SERIES_DROPPED, Metric.PERFORMANCE_VALUE,
    Metric.PERFORMANCE_LOWER, Metric.PERFORMANCE_UPPER, Metric.COMPARISON_VALUE, Metric.COMPARISON_LOWER,
    Metric.COMPARISON_UPPER, Metric.COMPARISON_STATE, Metric.LABEL_COVERAGE,
    Metric.LABELS, Metric.LABEL_SAMPLING, Metric.LABEL_DELAY, Metric.QUALITY_VALUE,
    Metric.CONTROL_ANSWERS, Metric.CONTROL_CHANGED, Metric.VERSION_INFO, Metric.VERSION_FIRST_SEEN,
)  # fmt: skip


class BoardCollector:
    """Turns the board's picture into metric families.

    rules: model → rule name → severity, from the configuration; their series exist as 0 from the first scrape.
    max_series: bound on the series of this collector. Those of alerts, transitions and of models without a window are
        few, by configuration; they count first and always come. What is left goes to columns.
    importance: which of a model's columns come first, where they are of equal severity.
    """

    def __init__(
        self, board: Board, *, rules: Mapping[str, Mapping[str, str]], max_series: int,
        importance: Importance = NONE_KNOWN,
    ) -> None:  # fmt: skip
        self._board = board
        self._rules = rules
        self._max_series = max_series
        self._importance = importance
        self._columns = DriftColumns(importance)
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
        budget.spend(_versions(picture))
        budget.spend(label_samples(picture))
        budget.spend(control_samples(picture))
        for group in performance_samples(picture):
            budget.spend(group)
        for group in comparison_samples(picture):
            budget.spend(group)
        for group in quality_samples(picture, failed=True, importance=self._importance):
            budget.spend(group)
        ranked = self._columns.ranked(picture)
        placed: set[Cell] = set()
        for state, column in ranked:
            # A column says little without its window, so the window's series come with the cell's first column.
            window = {} if column.cell in placed else _window_samples(column.report, picture)
            placed.add(column.cell)
            if not budget.left_out(column.size + len(window)):
                budget.spend(window | column.samples(state))
        for group in quality_samples(picture, failed=False, importance=self._importance):
            budget.spend(group)
        for _, column in ranked:
            budget.spend(column.shares())
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

    def left_out(self, size: int) -> bool:
        """Whether a group of that size comes too late; then it need not be made."""
        if self._full:
            self.dropped += size
        return self._full

    def spend(self, group: Samples) -> None:
        size = sum(map(len, group.values()))
        self._full = self._full or size > self._left
        if self._full:
            self.dropped += size
            return
        self._left -= size
        for metric, values in group.items():
            self._samples[metric].update(values)


def _window_samples(report: Report, picture: Picture) -> Samples:
    cell, window = (report.model, report.version, report.segment), report.window
    samples: Samples = {Metric.WINDOW_ROWS: {cell: window.rows}, Metric.WINDOW_END: {cell: window.end_ms / 1000}}
    if (watermark_ms := picture.watermarks.get(cell[0])) is not None:
        samples[Metric.WATERMARK] = {cell: watermark_ms / 1000}
    return samples


def _versions(picture: Picture) -> Samples:
    seen: dict[tuple[str, ...], float] = {
        (model, name): at_ms / 1000 for model, first in picture.versions.items() for name, at_ms in first.items()
    }
    return {Metric.VERSION_INFO: dict.fromkeys(seen, 1.0), Metric.VERSION_FIRST_SEEN: seen}


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
