"""Every metric driftwatch exports: one closed table of names, types, labels and helps (contract §5).

Labels come from configuration and reference only, never from payload values, but for versions: those are bounded.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import NamedTuple

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family

PREFIX = "driftwatch_"


class Type(StrEnum):
    """The Prometheus type of a metric."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    INFO = "info"


class Form(NamedTuple):
    """What a metric looks like: its name without the prefix, its type, its labels in order, its help."""

    name: str
    type: Type
    labels: tuple[str, ...]
    help: str


_CELL = ("model", "version", "segment")
_COLUMN = (*_CELL, "column")
_STATISTIC = (*_COLUMN, "statistic")
_VERSUS = (*_CELL, "versus", "metric")
_PARTITION = ("topic", "partition")


class Metric(Enum):
    """The closed list. A misspelt name does not type-check."""

    DRIFT_VALUE = Form(
        "drift_value", Type.GAUGE, _STATISTIC, "Drift statistic of the latest window against the reference."
    )
    DRIFT_P_VALUE = Form(
        "drift_p_value", Type.GAUGE, _STATISTIC, "Probability of a value as far out if nothing had changed."
    )
    DRIFT_THRESHOLD = Form(
        "drift_threshold", Type.GAUGE, _STATISTIC, "Threshold of the tightest rule on the statistic."
    )
    DRIFT_EFFECT_LOWER = Form("drift_effect_lower", Type.GAUGE, _STATISTIC, "Lower bound of the true drift.")
    DRIFT_EFFECT_UPPER = Form("drift_effect_upper", Type.GAUGE, _STATISTIC, "Upper bound of the true drift.")
    DRIFT_MDE = Form(
        "drift_minimum_detectable_effect", Type.GAUGE, _STATISTIC,
        "Least drift that the latest window would have shown in four cases of five.",
    )  # fmt: skip
    DRIFT_STATE = Form(
        "drift_state", Type.GAUGE, _COLUMN, "Worst alert state of the column: 0 ok, 1 pending, 2 firing."
    )
    QUALITY_VALUE = Form(
        "quality_value",
        Type.GAUGE,
        (*_COLUMN, "check"),
        "What a check of data quality says of the latest window: a share of its rows; of unit_change a factor.",
    )
    DISTRIBUTION_RATIO = Form(
        "distribution_ratio",
        Type.GAUGE,
        (*_COLUMN, "group", "side"),
        "Share of the rows in each group of a column, in the reference and in the latest window.",
    )
    PERFORMANCE_VALUE = Form(
        "performance_value",
        Type.GAUGE,
        (*_CELL, "metric", "stage"),
        "Performance of the model in the latest window that has a value of the stage.",
    )
    PERFORMANCE_LOWER = Form(
        "performance_lower", Type.GAUGE, (*_CELL, "metric", "stage"), "Lower 95 % bound of the true performance."
    )
    PERFORMANCE_UPPER = Form(
        "performance_upper", Type.GAUGE, (*_CELL, "metric", "stage"), "Upper 95 % bound of the true performance."
    )
    COMPARISON_VALUE = Form(
        "comparison_value", Type.GAUGE, _VERSUS, "Difference of a metric from the champion's, over all final windows."
    )
    COMPARISON_LOWER = Form(
        "comparison_lower", Type.GAUGE, _VERSUS, "Lower bound of the true difference, valid at all times at once."
    )
    COMPARISON_UPPER = Form(
        "comparison_upper", Type.GAUGE, _VERSUS, "Upper bound of the true difference, valid at all times at once."
    )
    COMPARISON_STATE = Form(
        "comparison_state", Type.GAUGE, _VERSUS, "Ruling on the version: 1 better than the champion, -1 worse, 0 none."
    )
    LABEL_COVERAGE = Form(
        "label_coverage_ratio",
        Type.GAUGE,
        ("model", "version"),
        "Share of the remembered predictions whose label has come, of those that can have one.",
    )
    LABEL_DELAY = Form(
        "label_delay_seconds", Type.HISTOGRAM, ("model", "version"), "Time from a prediction to its label."
    )
    LABELS = Form(
        "labels_total", Type.COUNTER, ("model", "result"), "Labels received, by what became of them in the join."
    )
    LABEL_SAMPLING = Form(
        "label_sampling_ratio",
        Type.GAUGE,
        ("model",),
        "Share of the predictions that are remembered for their labels; less than 1 when the memory is too small.",
    )
    CONTROL_ANSWERS = Form(
        "control_answers",
        Type.GAUGE,
        ("model", "version", "control"),
        "Events of a golden set whose last answer by the version is kept.",
    )
    CONTROL_CHANGED = Form(
        "control_changed",
        Type.GAUGE,
        ("model", "version", "control"),
        "Events of a golden set whose last answer by the version is not what is known of them.",
    )
    VERSION_INFO = Form("model_version_info", Type.INFO, ("model", "version"), "Versions that events have come from.")
    VERSION_FIRST_SEEN = Form(
        "model_version_first_seen_timestamp_seconds",
        Type.GAUGE,
        ("model", "version"),
        "Time of the earliest event of the version that was counted.",
    )
    WINDOW_ROWS = Form("window_rows", Type.GAUGE, _CELL, "Rows in the latest window.")
    WINDOW_END = Form("window_end_timestamp_seconds", Type.GAUGE, _CELL, "End of the latest window.")
    WATERMARK = Form(
        "watermark_timestamp_seconds",
        Type.GAUGE,
        _CELL,
        "Event time up to which the model's events are taken as complete.",
    )
    ALERTS = Form("alerts", Type.GAUGE, ("model", "severity", "state"), "Alerts that are pending or firing.")
    ALERT_TRANSITIONS = Form(
        "alert_transitions_total", Type.COUNTER, ("model", "rule", "to", "reason"), "Steps that alerts have taken."
    )
    INCIDENTS = Form(
        "incidents", Type.GAUGE, ("model", "state"), "1 for where the model's open incident stands, while there is one."
    )
    INCIDENT_SECONDS = Form(
        "incident_seconds",
        Type.HISTOGRAM,
        ("model", "phase"),
        "How long incidents took until they were detected, requested, answered by a new version, and recovered.",
    )
    SERIES_DROPPED = Form("series_dropped", Type.GAUGE, (), "Series left out of this scrape by the series budget.")

    EVENTS = Form(
        "events_total",
        Type.COUNTER,
        ("model", "stream", "source", "result"),
        "Events received, by what became of them; model is empty where it is not known.",
    )
    EVENTS_REJECTED = Form(
        "events_rejected_total",
        Type.COUNTER,
        ("model", "stream", "reason"),
        "Events that could not be used, by reason.",
    )
    CHECKPOINT_DURATION = Form("checkpoint_duration_seconds", Type.HISTOGRAM, (), "Time taken to save a checkpoint.")
    CHECKPOINT_LAST_SUCCESS = Form(
        "checkpoint_last_success_timestamp_seconds",
        Type.GAUGE,
        (),
        "When a checkpoint was last saved; 0 before the first.",
    )
    CHECKPOINT_FAILURES = Form("checkpoint_failures_total", Type.COUNTER, (), "Checkpoints that could not be saved.")
    DELIVERIES = Form("deliveries_total", Type.COUNTER, ("target", "result"), "Attempts to deliver a webhook.")
    LETTERS_WITHHELD = Form(
        "letters_withheld_total", Type.COUNTER, ("target", "reason"), "Webhooks that a policy has held or dropped."
    )
    DELIVERIES_PENDING = Form("deliveries_pending", Type.GAUGE, ("target",), "Webhooks that wait for delivery.")
    DEAD_LETTERS = Form("dead_letters", Type.GAUGE, ("target",), "Webhooks that were given up.")
    DELIVERY_OLDEST_PENDING = Form(
        "delivery_oldest_pending_seconds",
        Type.GAUGE,
        ("target",),
        "Age of the oldest webhook that waits; 0 when none does.",
    )
    CIRCUIT_STATE = Form(
        "target_circuit_state", Type.GAUGE, ("target",), "Whether the target is asked: 0 yes, 1 to try, 2 not now."
    )
    KAFKA_LAG = Form("kafka_lag_records", Type.GAUGE, _PARTITION, "Records of a partition not read yet.")
    KAFKA_PAUSED = Form("kafka_paused", Type.GAUGE, _PARTITION, "1 while reading of the partition is paused.")
    KAFKA_RECONNECTS = Form("kafka_reconnects_total", Type.COUNTER, (), "Times the connection to Kafka was made anew.")
    QUEUE_RECORDS = Form("queue_records", Type.GAUGE, (), "Records that wait for the engine.")
    QUEUE_CAPACITY = Form("queue_capacity_records", Type.GAUGE, (), "Records the engine's queue can hold.")
    HTTP_REFUSED = Form(
        "http_refused_total", Type.COUNTER, ("reason",), "Requests and connections that a limit turned away."
    )
    REJECTED_DROPPED = Form(
        "rejected_dropped_total",
        Type.COUNTER,
        (),
        "Rejected events that the dead-letter store could not list or keep; since the start.",
    )
    CONFIG_RELOAD_SUCCESS = Form(
        "config_reload_success", Type.GAUGE, (), "1 when the configuration was last loaded without error."
    )
    BUILD_INFO = Form("build_info", Type.INFO, ("version", "python"), "What is running.")

    @property
    def full_name(self) -> str:
        """The name as it is scraped."""
        return PREFIX + self.value.name

    def family(self) -> Family:
        """Make a family of this metric, without samples."""
        name, labels, text = self.full_name, self.value.labels, self.value.help
        match self.value.type:
            case Type.GAUGE:
                return GaugeMetricFamily(name, text, labels=labels)
            case Type.COUNTER:
                return CounterMetricFamily(name, text, labels=labels)
            case Type.HISTOGRAM:
                return HistogramMetricFamily(name, text, labels=labels)
            case Type.INFO:
                return InfoMetricFamily(name.removesuffix("_info"), text, labels=())

    def samples(self, values: Mapping[tuple[str, ...], float]) -> Family:
        """Make a family of a gauge or counter.

        values: by label values, in the order of the form's labels.
        """
        family, form = self.family(), self.value
        for key, value in values.items():
            family.add_sample(self.full_name, dict(zip(form.labels, key, strict=True)), value)
        return family
