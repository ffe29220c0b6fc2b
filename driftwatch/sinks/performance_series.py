"""The series of performance: what the labels, or the scores alone, say of each cell's latest window of a stage."""

import math
from collections.abc import Iterator

from driftwatch.sinks.board import Picture
from driftwatch.sinks.catalogue import Metric
from driftwatch.statistics.performance import CONCEPT
from driftwatch.statistics.reading import Reading

Samples = dict[Metric, dict[tuple[str, ...], float]]
"""By metric and label values."""


def performance_samples(picture: Picture) -> Iterator[Samples]:
    """One group for each cell and stage: the whole model's metrics, the final ones first."""
    for cell, stage in sorted(picture.performance, key=lambda key: (_ORDER.index(key[1]), key[0])):
        report = picture.performance[cell, stage]
        yield _samples((reading for reading in report.readings if not reading.column), (*cell,), stage)


def class_samples(picture: Picture) -> Iterator[Samples]:
    """The metrics of single classes, one group for each cell and stage: there may be many, so they come last."""
    for cell, stage in sorted(picture.performance):
        report = picture.performance[cell, stage]
        yield _samples((reading for reading in report.readings if reading.column), (*cell,), stage)


def coverage_samples(picture: Picture) -> Samples:
    """The share of predictions whose label has come, by model and version."""
    return {Metric.LABEL_COVERAGE: {tuple(key): share for key, share in picture.coverage.items()}}


_ORDER = ("final", "interim", "estimated")


def _samples(readings: Iterator[Reading], cell: tuple[str, ...], stage: str) -> Samples:
    samples: Samples = {}
    for reading in readings:
        if reading.support is None or reading.support.stage != stage or reading.family == CONCEPT:
            continue
        name = f"{reading.statistic}/{reading.column}" if reading.column else reading.statistic
        values = {
            Metric.PERFORMANCE_VALUE: reading.value,
            Metric.PERFORMANCE_LOWER: reading.lower,
            Metric.PERFORMANCE_UPPER: reading.upper,
        }
        for metric, value in values.items():
            if not math.isnan(value):
                samples.setdefault(metric, {})[(*cell, name, str(stage))] = value
    return samples
