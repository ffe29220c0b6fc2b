"""The series of comparisons: how each version does beside the champion, by the whole model's metrics."""

from collections.abc import Iterator

from driftwatch.sinks.board import Picture
from driftwatch.sinks.catalogue import Metric
from driftwatch.sinks.performance_series import Samples, put_defined
from driftwatch.statistics.contrast import Ruling
from driftwatch.statistics.reading import Stage

_STATES = {Ruling.UNDECIDED: 0.0, Ruling.BETTER: 1.0, Ruling.WORSE: -1.0}


def comparison_samples(picture: Picture) -> Iterator[Samples]:
    """One group for each cell that is compared: those of all rows first."""
    cells = [cell for cell, stage in picture.performance if stage == Stage.FINAL]
    for cell in sorted(cells, key=lambda cell: (bool(cell[2]), cell)):
        samples: Samples = {}
        for reading in picture.performance[cell, Stage.FINAL].readings:
            if reading.contrast is None or reading.column:
                continue
            values = {
                Metric.COMPARISON_VALUE: reading.value,
                Metric.COMPARISON_LOWER: reading.lower,
                Metric.COMPARISON_UPPER: reading.upper,
                Metric.COMPARISON_STATE: _STATES[reading.contrast.ruling],
            }
            put_defined(samples, values, key=(*cell, reading.contrast.versus, reading.statistic))
        if samples:
            yield samples
