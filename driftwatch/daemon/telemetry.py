"""The service's own metrics, and the exposition of everything: one private registry for each service instance.

Every closed label value is exported as 0 from the first scrape. Writers may be any thread.
"""

import platform
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from driftwatch.api.refusals import Refusal
from driftwatch.daemon.incident_times import IncidentTimes, Saved
from driftwatch.daemon.tally import Histogram, Key, Tally
from driftwatch.evaluation.policies import Withheld
from driftwatch.ports.streams import Clock, SourceStatus
from driftwatch.sinks.attempts import Result as DeliveryResult
from driftwatch.sinks.catalogue import Metric
from driftwatch.stream.raw import EVENT_STREAMS, Stream

CHECKPOINT_BOUNDS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_EXPORTED = (
    Metric.EVENTS, Metric.EVENTS_REJECTED, Metric.CHECKPOINT_DURATION, Metric.CHECKPOINT_LAST_SUCCESS,
    Metric.CHECKPOINT_FAILURES, Metric.DELIVERIES, Metric.DELIVERIES_PENDING, Metric.DEAD_LETTERS,
    Metric.LETTERS_WITHHELD,
    Metric.DELIVERY_OLDEST_PENDING, Metric.CIRCUIT_STATE, Metric.INCIDENTS,
    Metric.INCIDENT_SECONDS, Metric.KAFKA_LAG, Metric.KAFKA_PAUSED,
    Metric.KAFKA_RECONNECTS, Metric.QUEUE_RECORDS, Metric.QUEUE_CAPACITY, Metric.HTTP_REFUSED,
    Metric.REJECTED_DROPPED, Metric.CONFIG_RELOAD_SUCCESS, Metric.BUILD_INFO,
)  # fmt: skip


class Result(StrEnum):
    """What became of an event. Received = the sum of these, for each stream (the law of conservation)."""

    ACCEPTED = "accepted"
    LATE = "late"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class LabelValues:
    """The closed label values, from the configuration and from enums; members of a StrEnum will do.

    models: without "", which stands for "not known" and is always there.
    """

    models: Collection[str]
    sources: Collection[str]
    rejects: Collection[str]
    targets: Collection[str]


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is asked for at each scrape; must come from memory, at once."""

    queue_records: Callable[[], int]
    queue_capacity_records: int
    sources: Callable[[], Iterable[SourceStatus]]
    deliveries: Callable[[], Mapping[tuple[str, DeliveryResult], int]]
    refusals: Callable[[], Mapping[Refusal, int]] = dict
    dead_letters_dropped: Callable[[], int] = int
    circuits: Callable[[], Mapping[str, int]] = dict


class _Saved(msgspec.Struct, array_like=True):
    """What is saved of the counts; earlier releases had no incidents."""

    events: list[tuple[tuple[str, ...], int]]
    rejected: list[tuple[tuple[str, ...], int]]
    incidents: Saved = []


class Telemetry:
    """Counts what the service does. version: of the package, for `driftwatch_build_info`."""

    def __init__(self, values: LabelValues, *, gauges: Gauges, clock: Clock, version: str) -> None:
        streams = [stream.value for stream in EVENT_STREAMS]
        self._models = frozenset(values.models)
        models = ["", *sorted(self._models)]
        self._events = Tally(product(models, streams, map(str, values.sources), [result.value for result in Result]))
        self._rejected = Tally(product(models, streams, map(str, values.rejects)))
        self._failures = Tally([()])
        self._durations = Histogram(CHECKPOINT_BOUNDS_SECONDS)
        self._targets = tuple(map(str, values.targets))
        self._withheld = Tally(product(self._targets, [reason.value for reason in Withheld]))
        self.incidents = IncidentTimes(self._models)
        self._outbox: Mapping[str, tuple[int, int, int]] = {}
        self._saved_ms = 0
        self._config_loaded = True
        self._gauges = gauges
        self._clock = clock
        self._version = version

    def events(self, model: str, stream: Stream, *, source: str, result: Result, count: int) -> None:
        """Count events that were taken, came too late or were known already; rejected ones go through `rejected`."""
        self._events.add((self._known(model), stream.value, source, result.value), count)

    def rejected(self, model: str, stream: Stream, *, source: str, reason: str, count: int = 1) -> None:
        """Count events that could not be used, in both of the counters that show them."""
        self.events(model, stream, source=source, result=Result.REJECTED, count=count)
        self._rejected.add((self._known(model), stream.value, str(reason)), count)

    def checkpoint(self, *, seconds: float, saved_ms: int) -> None:
        """Say that a checkpoint was saved, how long it took and when."""
        self._durations.observe(seconds)
        self._saved_ms = saved_ms

    def checkpoint_failed(self) -> None:
        """Say that a checkpoint could not be saved."""
        self._failures.add(())

    def outbox(self, pending: Mapping[str, tuple[int, int, int]]) -> None:
        """Show what `Outbox.pending` said. It is pushed, so that a scrape never waits for the disk."""
        self._outbox = dict(pending)

    def withheld(self, target: str, reason: str) -> None:
        """Count a letter that a policy, or a person, has made wait or dropped; of a target that is configured."""
        if target in self._targets:
            self._withheld.add((target, reason))

    def config_loaded(self, *, success: bool) -> None:
        """Say how the last loading of the configuration went."""
        self._config_loaded = success

    def saved(self) -> bytes:
        """Encode the event counts, to be saved with the state that they are about."""
        counts = [list(tally.counts().items()) for tally in (self._events, self._rejected)]
        return msgspec.json.encode([*counts, self.incidents.saved()])

    def restore(self, saved: bytes) -> None:
        """Go on from the counts of `saved`: after a replay each event is counted once. Empty bytes change nothing."""
        if saved:
            found = msgspec.json.decode(saved, type=_Saved)
            self._events.restore(dict(found.events))
            self._rejected.restore(dict(found.rejected))
            self.incidents.restore(found.incidents)

    def describe(self) -> Iterable[Family]:
        """Give the families, empty: a registry learns the names without a scrape."""
        return [metric.family() for metric in _EXPORTED]

    def collect(self) -> Iterable[Family]:
        """Give the families with their present values."""
        gauges = self._gauges
        yield Metric.EVENTS.samples(self._events.counts())
        yield Metric.EVENTS_REJECTED.samples(self._rejected.counts())
        yield self._checkpoint_duration()
        yield Metric.CHECKPOINT_LAST_SUCCESS.samples({(): self._saved_ms / 1000})
        yield Metric.CHECKPOINT_FAILURES.samples(self._failures.counts())
        yield Metric.DELIVERIES.samples(
            {(target, str(result)): n for (target, result), n in gauges.deliveries().items()}
        )
        yield from self._letters()
        yield Metric.LETTERS_WITHHELD.samples(self._withheld.counts())
        yield from self.incidents.collect()
        yield Metric.CIRCUIT_STATE.samples({(target,): state for target, state in gauges.circuits().items()})
        yield from _kafka(list(gauges.sources()))
        yield Metric.QUEUE_RECORDS.samples({(): gauges.queue_records()})
        yield Metric.QUEUE_CAPACITY.samples({(): gauges.queue_capacity_records})
        yield Metric.HTTP_REFUSED.samples({(str(reason),): count for reason, count in gauges.refusals().items()})
        yield Metric.REJECTED_DROPPED.samples({(): gauges.dead_letters_dropped()})
        yield Metric.CONFIG_RELOAD_SUCCESS.samples({(): self._config_loaded})
        yield Metric.BUILD_INFO.samples({(self._version, platform.python_version()): 1})

    def _known(self, model: str) -> str:
        return model if model in self._models else ""

    def _checkpoint_duration(self) -> Family:
        form = Metric.CHECKPOINT_DURATION
        buckets, total = self._durations.buckets()
        return HistogramMetricFamily(form.full_name, form.value.help, buckets=buckets, sum_value=total)

    def _letters(self) -> Iterable[Family]:
        letters, now_ms = self._outbox, self._clock()
        rows = {target: letters.get(target, (0, 0, 0)) for target in self._targets}
        yield Metric.DELIVERIES_PENDING.samples({(target,): pending for target, (pending, _, _) in rows.items()})
        yield Metric.DEAD_LETTERS.samples({(target,): dead for target, (_, dead, _) in rows.items()})
        ages: dict[Key, float] = {
            (target,): _age_seconds(oldest_ms, now_ms) for target, (_, _, oldest_ms) in rows.items()
        }
        yield Metric.DELIVERY_OLDEST_PENDING.samples(ages)


class Exposition:
    """Everything that `/metrics` shows, out of a registry of its own."""

    def __init__(self, collectors: Iterable[Collector]) -> None:
        self._registry = CollectorRegistry()
        for collector in collectors:
            self._registry.register(collector)

    def render(self, *, openmetrics: bool) -> bytes:
        """Write OpenMetrics 1.0 or the Prometheus text format 0.0.4, in UTF-8."""
        if openmetrics:
            text: bytes = generate_openmetrics(self._registry)  # type: ignore[no-untyped-call]  # shipped untyped
            return text
        return generate_latest(self._registry)


def _age_seconds(oldest_ms: int, now_ms: int) -> float:
    return max(0, now_ms - oldest_ms) / 1000 if oldest_ms else 0.0


def _kafka(sources: list[SourceStatus]) -> Iterable[Family]:
    """Add up the sources: two clusters may have a topic of the same name, and a series must stand only once."""
    lag: dict[Key, float] = {}
    paused: dict[Key, float] = {}
    for source in sources:
        for (topic, partition), records in source.lag_records.items():
            key = (topic, str(partition))
            lag[key] = lag.get(key, 0) + records
        for (topic, partition), stopped in source.paused.items():
            key = (topic, str(partition))
            paused[key] = max(paused.get(key, 0), stopped)
    yield Metric.KAFKA_LAG.samples(lag)
    yield Metric.KAFKA_PAUSED.samples(paused)
    yield Metric.KAFKA_RECONNECTS.samples({(): sum(source.reconnects for source in sources)})
