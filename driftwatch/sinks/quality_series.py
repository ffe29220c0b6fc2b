"""The series of data quality: what each check says of a column in its cell's latest window."""

from collections.abc import Iterator
from itertools import groupby

from driftwatch.sinks.board import Picture
from driftwatch.sinks.catalogue import Metric
from driftwatch.sinks.drift_series import NONE_KNOWN, Importance
from driftwatch.sinks.performance_series import Samples
from driftwatch.statistics.checks import FAMILY
from driftwatch.statistics.reading import Status


def quality_samples(picture: Picture, *, failed: bool, importance: Importance = NONE_KNOWN) -> Iterator[Samples]:
    """One group for each column, of those of which a check has failed or of the others; whole windows come first.

    A window's columns come by their importance, the stream's own checks with the most important ones.
    """
    for cell in sorted(picture.reports, key=lambda cell: (bool(cell[2]), cell)):
        checks = (each for each in picture.reports[cell].readings if each.family == FAMILY)
        weights = importance.get(cell[0], {})
        columns = [(name, list(readings)) for name, readings in groupby(checks, key=lambda reading: reading.column)]
        for column, readings in sorted(columns, key=lambda pair: -weights.get(pair[0], 1.0)):
            told = [reading for reading in readings if reading.status is Status.OK]
            if told and any(reading.beyond for reading in told) is failed:
                values: dict[tuple[str, ...], float] = {
                    (*cell, column, reading.statistic): reading.value for reading in told
                }
                yield {Metric.QUALITY_VALUE: values}
