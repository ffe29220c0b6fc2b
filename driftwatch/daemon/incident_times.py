"""How long incidents have taken, and how many are open: what `/metrics` and the overview show of them."""

from collections.abc import Collection, Iterable, Mapping
from itertools import product
from typing import Any

from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family

from driftwatch.daemon.tally import Histogram
from driftwatch.evaluation.casebook import Casebook
from driftwatch.evaluation.incidents import Phase, Stretch
from driftwatch.evaluation.recovery_times import times_words
from driftwatch.sinks.catalogue import Metric

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
BOUNDS_SECONDS = (
    _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 16 * _HOUR,
    _DAY, 2 * _DAY, 4 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY, 56 * _DAY,
)  # fmt: skip
OPEN = (Phase.DETECTED, Phase.REQUESTED, Phase.DEPLOYED, Phase.NOT_RECOVERED)

Saved = list[tuple[str, str, list[int], float]]
"""Model, stretch, the counts of a histogram, and its sum."""


class IncidentTimes:
    """Counts by model. Written by the engine's thread, read by any."""

    def __init__(self, models: Iterable[str]) -> None:
        self._times = {
            (model, stretch): Histogram(BOUNDS_SECONDS) for model, stretch in product(sorted(models), Stretch)
        }
        self._states: Mapping[str, Phase] = {}

    def observe(self, model: str, stretch: Stretch, seconds: float) -> None:
        """A stretch of an incident has ended."""
        if (model, stretch) in self._times:
            self._times[model, stretch].observe(seconds)

    def follow(self, casebook: Casebook) -> None:
        """Count the stretches that have ended, and show where each model's open incident stands."""
        for ended in casebook.timed:
            self.observe(*ended)
        casebook.timed.clear()
        self._states = {model: incident.state for model, incident in casebook.open.items()}

    def saved(self) -> Saved:
        """What is to be saved with the state that it is about."""
        return [(model, stretch.value, *each.held()) for (model, stretch), each in self._times.items()]

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved; models that are watched no more are left out."""
        for model, stretch, counts, total in saved:
            if (model, stretch) in self._times:
                self._times[model, Stretch(stretch)].restore(counts, total)

    def document(self, model: str) -> dict[str, Any]:
        """Incidents so far, and the mean seconds of their stretches, null before the first: MTTR is `recover`.

        counts: how many have ended each stretch. summary: the times that people ask for, in words.
        """
        held = {stretch: self._times[model, stretch].held() for stretch in Stretch}
        ended = {stretch: (sum(counts), total) for stretch, (counts, total) in held.items()}
        return {
            "incidents": ended[Stretch.DETECT][0],
            "mean_seconds": {stretch.value: total / count if count else None
                             for stretch, (count, total) in ended.items()},
            "counts": {stretch.value: count for stretch, (count, _) in ended.items()},
            "summary": times_words(ended),
        }  # fmt: skip

    @property
    def models(self) -> Collection[str]:
        """Those that are counted, in order."""
        return list(dict.fromkeys(model for model, _ in self._times))

    def collect(self) -> Iterable[Family]:
        """Give the families with their present values."""
        form = Metric.INCIDENT_SECONDS
        family = HistogramMetricFamily(form.full_name, form.value.help, labels=form.value.labels)
        for (model, stretch), times in self._times.items():
            buckets, total = times.buckets()
            family.add_metric((model, stretch.value), buckets=buckets, sum_value=total)
        yield family
        states = self._states
        yield Metric.INCIDENTS.samples({
            (model, phase.value): float(states.get(model) is phase) for model, phase in product(self.models, OPEN)
        })  # fmt: skip
