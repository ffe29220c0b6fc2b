"""The series of golden sets: how many answers of each version are kept, and how many have changed."""

from driftwatch.sinks.board import Picture
from driftwatch.sinks.catalogue import Metric
from driftwatch.sinks.performance_series import Samples


def control_samples(picture: Picture) -> Samples:
    """One group: sets are named in the configuration, and few versions of each are kept."""
    rows = [(model, each) for model, standings in picture.controls.items() for each in standings]
    return {
        Metric.CONTROL_ANSWERS: {(model, each.version, each.name): float(each.answers) for model, each in rows},
        Metric.CONTROL_CHANGED: {(model, each.version, each.name): float(each.changed) for model, each in rows},
    }
