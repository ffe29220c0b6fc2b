"""Whether the secrets that a configuration names can be read, before anything needs them."""

from driftwatch.config import Config
from driftwatch.errors import ConfigError, SinkError
from driftwatch.ports import Letter
from driftwatch.sinks.targets.webhook import Webhook
from driftwatch.sources.kafka_spec import KafkaSpec


def check_secrets(config: Config) -> None:
    """Read every secret once and forget it; ConfigError names the table whose secret is not there."""
    for position, source in enumerate(config.sources):
        try:
            if isinstance(source, KafkaSpec):
                source.settings()
        except ConfigError as error:
            raise ConfigError(f"sources[{position}].{error}") from error
    letter = Letter(id="", target="", alert_id="", lane="", type="", body=b"", created_ms=0)
    for position, target in enumerate(config.targets):
        try:
            Webhook(target).post(letter, now_ms=0)
        except SinkError as error:
            raise ConfigError(f"targets[{position}]: {error}; make it readable or name another") from error
