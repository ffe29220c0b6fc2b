"""What the configuration says of a Kafka source."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from driftwatch.sources.kafka_security import SecuritySpec
from driftwatch.sources.portions import MAX_RECORDS
from driftwatch.spec import PositiveDurationMs, Spec
from driftwatch.stream.raw import Stream

Topic = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]
Broker = Annotated[str, Field(pattern=r"^\S+:\d{1,5}$")]


class KafkaSpec(Spec):
    """A `[[sources]]` table with `type = "kafka"`.

    max_batch_bytes: what one compressed batch may become; a larger one is left out, which is a gap, and said.
    """

    type: Literal["kafka"]
    brokers: list[Broker] = Field(min_length=1)
    group: str = Field("driftwatch", min_length=1)
    predictions: list[Topic] = Field(default_factory=list)
    labels: list[Topic] = Field(default_factory=list)
    security: SecuritySpec | None = None
    discover: PositiveDurationMs = 30_000
    fetch_max_bytes: int = Field(16 << 20, ge=1)
    max_partition_fetch_bytes: int = Field(1 << 20, ge=1)
    max_batch_bytes: int = Field(16 << 20, ge=1 << 10)

    @model_validator(mode="after")
    def _each_topic_has_one_stream(self) -> Self:
        topics = [*self.predictions, *self.labels]
        if not topics:
            raise ValueError("name at least one topic in predictions or labels")
        twice = sorted({topic for topic in topics if topics.count(topic) > 1})
        if twice:
            raise ValueError(f"a topic holds either predictions or labels, so name it once: {', '.join(twice)}")
        return self

    def streams(self) -> dict[str, Stream]:
        """Give each topic's stream."""
        predictions = dict.fromkeys(self.predictions, Stream.PREDICTIONS)
        return predictions | dict.fromkeys(self.labels, Stream.LABELS)

    def settings(self) -> dict[str, Any]:
        """Give the settings of kafka-python's consumer; ConfigError when a secret or certificate cannot be read."""
        return {
            "bootstrap_servers": self.brokers,
            "client_id": "driftwatch",
            "group_id": self.group,
            "enable_auto_commit": False,
            "isolation_level": "read_committed",
            # Positions are ours: where one is out of range is for us to see, count and decide.
            "auto_offset_reset": "none",
            "max_poll_records": MAX_RECORDS,
            "fetch_max_bytes": self.fetch_max_bytes,
            "max_partition_fetch_bytes": self.max_partition_fetch_bytes,
            "metadata_max_age_ms": self.discover,
            "bootstrap_timeout_ms": 10_000,
            "request_timeout_ms": 15_000,
            "reconnect_backoff_max_ms": 5_000,
            "metrics_enabled": False,
        } | (self.security.settings() if self.security else {})
