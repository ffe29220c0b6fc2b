"""The series of data quality: what each check says of a column in its cell's latest window."""

from collections.abc import Iterator
from itertools import groupby

from driftwatch.sinks.board import Picture
from driftwatch.sinks.catalogue import Metric
from driftwatch.sinks.performance_series import Samples
from driftwatch.statistics.checks import FAMILY
from driftwatch.statistics.reading import Status


def quality_samples(picture: Picture, *, failed: bool) -> Iterator[Samples]:
    """One group for each column, of those of which a check has failed or of the others; whole windows come first."""
    for cell in sorted(picture.reports, key=lambda cell: (bool(cell[2]), cell)):
        checks = (each for each in picture.reports[cell].readings if each.family == FAMILY)
        for column, readings in groupby(checks, key=lambda reading: reading.column):
            told = [reading for reading in readings if reading.status is Status.OK]
            if told and any(reading.beyond for reading in told) is failed:
                values: dict[tuple[str, ...], float] = {
                    (*cell, column, reading.statistic): reading.value for reading in told
                }
                yield {Metric.QUALITY_VALUE: values}
