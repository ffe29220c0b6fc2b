"""What the service says of labels and performance, for people and their tools; from the board alone."""

from collections.abc import Iterable
from typing import Any

from driftwatch.evaluation.report import rfc3339
from driftwatch.quality.standing import Standing
from driftwatch.sinks.board import Picture
from driftwatch.statistics.reading import Reading, Status
from driftwatch.stream.schema import Task

_MAIN = {
    Task.BINARY: ("roc_auc", "accuracy"),
    Task.MULTICLASS: ("accuracy",),
    Task.REGRESSION: ("mae",),
    Task.RANKING: ("ndcg",),
    Task.NONE: (),
}
"""The metric to show where there is room for one; the next where a model has no value of it."""


def performance(picture: Picture, model: str, task: Task) -> list[dict[str, Any]]:
    """The main metric of each version, segment and stage, in the latest window that has one."""
    found = []
    for (cell, stage), report in sorted(picture.performance.items()):
        of_stage = [each for each in report.readings if each.support is not None and each.support.stage is stage]
        reading = _main(of_stage, task) if cell[0] == model else None
        if reading is not None:
            found.append(
                {
                    "version": cell[1],
                    "segment": cell[2],
                    "stage": stage.value,
                    "metric": reading.statistic,
                    "value": reading.value,
                    "lower": reading.lower,
                    "upper": reading.upper,
                    "start": rfc3339(report.window.start_ms),
                    "end": rfc3339(report.window.end_ms),
                }
            )
    return found


def labels(standing: Standing) -> dict[str, Any]:
    """What waits, what has come, and the share of predictions that are remembered.

    coverage: by version, the share of the remembered predictions whose label has come, of those that can have one.
    """
    return {
        "coverage": dict(standing.coverage),
        "predictions": {
            version: {"labelled": held.labelled, "waiting": held.waiting, "cancelled": held.cancelled}
            for version, held in standing.held.items()
        },
        "labels_waiting": standing.waiting_labels,
        "sampling_rate": standing.rate,
        "results": dict(standing.results),
    }


def _main(readings: Iterable[Reading], task: Task) -> Reading | None:
    whole = {each.statistic: each for each in readings if not each.column and each.status is Status.OK}
    return next((whole[name] for name in _MAIN[task] if name in whole), None)
