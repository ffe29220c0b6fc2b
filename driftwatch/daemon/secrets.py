"""Whether the secrets that a configuration names can be read, before anything needs them."""

from driftwatch.config import Config
from driftwatch.daemon.operating import check_hooks
from driftwatch.errors import ConfigError, SinkError
from driftwatch.sinks.certificates import Certificates
from driftwatch.sinks.targets.kinds import target_of
from driftwatch.sources.kafka_spec import KafkaSpec


def check_secrets(config: Config) -> None:
    """Read every secret once and forget it; ConfigError names the table whose secret is not there."""
    for position, source in enumerate(config.sources):
        try:
            if isinstance(source, KafkaSpec):
                source.settings()
        except ConfigError as error:
            raise ConfigError(f"sources[{position}].{error}") from error
    check_hooks(config)
    for position, target in enumerate(config.targets):
        try:
            target_of(target).check()
            Certificates(target).check()
        except SinkError as error:
            raise ConfigError(f"targets[{position}]: {error}; make it readable or name another") from error
