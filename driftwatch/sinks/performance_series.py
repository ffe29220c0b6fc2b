"""The series of performance: what the labels, or the scores alone, say of each cell's latest window of a stage."""

import math
from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family

from driftwatch.quality.standing import DELAY_BOUNDS_SECONDS
from driftwatch.sinks.board import Picture
from driftwatch.sinks.catalogue import Metric
from driftwatch.statistics.performance import CONCEPT
from driftwatch.statistics.reading import Reading

Samples = dict[Metric, dict[tuple[str, ...], float]]
"""By metric and label values."""


def performance_samples(picture: Picture) -> Iterator[Samples]:
    """One group for each cell and stage: the whole model's metrics, those of all rows first, and the final ones."""
    for cell, stage in sorted(picture.performance, key=lambda key: (bool(key[0][2]), _ORDER.index(key[1]), key[0])):
        report = picture.performance[cell, stage]
        yield _samples((reading for reading in report.readings if not reading.column), (*cell,), stage)


def class_samples(picture: Picture) -> Iterator[Samples]:
    """The metrics of single classes, one group for each cell and stage: there may be many, so they come last."""
    for cell, stage in sorted(picture.performance, key=lambda key: (bool(key[0][2]), key)):
        report = picture.performance[cell, stage]
        yield _samples((reading for reading in report.readings if reading.column), (*cell,), stage)


def label_samples(picture: Picture) -> Samples:
    """What has become of labels, and the share of predictions that has one; few series, by configuration."""
    return {
        Metric.LABEL_COVERAGE: {
            (model, version): share
            for model, standing in picture.labels.items()
            for version, share in standing.coverage.items()
        },
        Metric.LABELS: {
            (model, result): count
            for model, standing in picture.labels.items()
            for result, count in standing.results.items()
        },
        Metric.LABEL_SAMPLING: {(model,): standing.rate for model, standing in picture.labels.items()},
    }


def label_delays(picture: Picture) -> Family:
    """The histogram of delays from predictions to labels."""
    form = Metric.LABEL_DELAY
    family = HistogramMetricFamily(form.full_name, form.value.help, labels=form.value.labels)
    for model, standing in picture.labels.items():
        for version, delays in standing.delays.items():
            names = [*(f"{bound:g}" for bound in DELAY_BOUNDS_SECONDS), "+Inf"]
            buckets = list(zip(names, accumulate(delays.counts), strict=True))
            family.add_metric((model, version), buckets=buckets, sum_value=delays.total_seconds)
    return family


def put_defined(samples: Samples, values: Mapping[Metric, float], *, key: tuple[str, ...]) -> None:
    """Add the values of several metrics under the same labels, but for those that are not defined."""
    for metric, value in values.items():
        if not math.isnan(value):
            samples.setdefault(metric, {})[key] = value


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
        put_defined(samples, values, key=(*cell, name, str(stage)))
    return samples
