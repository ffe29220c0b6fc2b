"""The configuration: assembles every room's Spec, and says what is wrong with a file in one line.

Relative paths in a file are relative to the file.
"""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from driftwatch.api.listen import ServerSpec
from driftwatch.api.mlflow_spec import HooksSpec
from driftwatch.errors import ConfigError
from driftwatch.evaluation.budget import AlertingSpec
from driftwatch.evaluation.defaults import rules_of
from driftwatch.evaluation.recovery import RecoverySpec
from driftwatch.evaluation.rules import RuleSpec
from driftwatch.quality.control import ControlNames
from driftwatch.sinks.targets.kinds import KINDS, AnyTargetSpec
from driftwatch.sinks.targets.words import HINTS, PATTERNS
from driftwatch.sources.files import FilesSpec
from driftwatch.sources.inbox import HttpSpec
from driftwatch.sources.kafka_spec import KafkaSpec
from driftwatch.sources.portions import QueueSpec
from driftwatch.spec import DurationMs, Spec, duration_ms, explain, mistake, override
from driftwatch.store.database import StateSpec
from driftwatch.stream.division import SegmentSpecs
from driftwatch.stream.outputs import CostSpec
from driftwatch.stream.reference_spec import ReferenceSpec
from driftwatch.stream.schema import ColumnSpec, FieldsSpec, Task
from driftwatch.stream.windows import WindowSpec

_GREATEST_INTEGER = 2**63 - 1

_Location = tuple[int | str, ...]

SourceSpec = Annotated[KafkaSpec | HttpSpec | FilesSpec, Field(discriminator="type")]

_MOST_CLASSES = 1_000
"""As many as a reference knows of a category."""


_OF_ALERTING = ("budget", "min_effect")


class ModelSpec(Spec):
    """`[[models]]`: one model to watch."""

    hints: ClassVar = dict.fromkeys(_OF_ALERTING, "it belongs into the table [models.alerting]; move it there")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$")
    task: Task = Field(strict=False)
    reference: ReferenceSpec | None = None
    window: WindowSpec = WindowSpec(size="1h")  # type: ignore[arg-type]  # what a person writes; the validator turns it into ms
    groups: int = Field(default=10, ge=2, le=128)
    remember_ids: int = Field(default=1_000_000, ge=0, le=100_000_000)
    max_versions: int = Field(default=64, ge=1, le=10_000)
    label_wait: DurationMs = duration_ms("7d")
    remember_predictions: int = Field(default=1_000_000, ge=0, le=100_000_000)
    classes: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list, max_length=_MOST_CLASSES)
    threshold: float = Field(default=0.5, ge=0, le=1)
    value: CostSpec | None = None
    champion: str | None = Field(default=None, min_length=1)
    ignore: list[str] = Field(default_factory=list)
    segments: SegmentSpecs = Field(default_factory=list)
    protected: SegmentSpecs = Field(default_factory=list)
    max_segments: int = Field(default=100, ge=1, le=10_000)
    control: ControlNames = Field(default_factory=list)
    control_tolerance: float = Field(default=1e-6, ge=0, allow_inf_nan=False)
    fields: FieldsSpec = FieldsSpec()
    columns: dict[str, ColumnSpec] = Field(default_factory=dict)
    alerting: AlertingSpec = AlertingSpec()
    rules: list[RuleSpec] = Field(default_factory=list)
    recovery: RecoverySpec = RecoverySpec()

    @model_validator(mode="before")
    @classmethod
    def _watch_something(cls, table: Any) -> Any:
        written = not isinstance(table, dict) or "rules" in table
        return table if written else {**table, "rules": rules_of(table)}

    @field_validator("rules")
    @classmethod
    def _told_apart(cls, rules: list[RuleSpec]) -> list[RuleSpec]:
        _unique("rules", (rule.name for rule in rules))
        return rules

    @field_validator("classes")
    @classmethod
    def _differ(cls, classes: list[str]) -> list[str]:
        _unique("classes", classes)
        return classes

    @model_validator(mode="after")
    def _fit_the_task(self) -> Self:
        for key in ("threshold", "value"):
            if key in self.model_fields_set and self.task is not Task.BINARY:
                raise mistake(key, f'only a binary model has it, this one\'s task is "{self.task}"; leave it out')
        if "classes" in self.model_fields_set:
            if self.task not in _CLASSES:
                raise mistake("classes", f'a model whose task is "{self.task}" has no classes; leave it out')
            if self.task is Task.BINARY and len(self.classes) != len(("negative", "positive")):
                raise mistake("classes", 'write the negative class and the positive one, such as ["no", "yes"]')
            if not self.classes[1:]:
                raise mistake("classes", "write every class, there are at least two, or leave it out")
        return self


_CLASSES = {Task.BINARY, Task.MULTICLASS}


class Config(Spec):
    """The whole file."""

    server: ServerSpec = ServerSpec()
    state: StateSpec | None = None
    queue: QueueSpec = QueueSpec()
    sources: list[SourceSpec] = Field(default_factory=list)
    models: list[ModelSpec] = Field(min_length=1)
    targets: list[AnyTargetSpec] = Field(default_factory=list)
    hooks: HooksSpec = HooksSpec()

    @field_validator("models", "targets")
    @classmethod
    def _told_apart(cls, tables: list[Any], info: ValidationInfo) -> list[Any]:
        _unique(str(info.field_name), (table.name for table in tables))
        return tables

    @field_validator("sources")
    @classmethod
    def _one_of_each(cls, sources: list[Any]) -> list[Any]:
        types = [source.type for source in sources]
        if types.count("http") > 1:
            raise ValueError('two are of type "http"; there is one HTTP door, so write one')
        for kind in (KafkaSpec, FilesSpec):
            # Positions are kept by topic or path: a second reader of the same would count everything twice.
            read = [name for each in sources if isinstance(each, kind) for name in (*each.predictions, *each.labels)]
            if twice := _twice(read):
                raise ValueError(f"two of them read {twice}; read it once")
        return sources

    def model(self, name: str) -> ModelSpec:
        """The model of that name; ConfigError when there is none."""
        for model in self.models:
            if model.name == name:
                return model
        known = ", ".join(f'"{model.name}"' for model in self.models)
        raise ConfigError(f'models: no model is called "{name}"; the file has {known}')


def load(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read a file, with DRIFTWATCH_SECTION__KEY variables over it; ConfigError names the TOML path."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or str(error)).lower()}; name an existing TOML file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: is not TOML: {_first_line(str(error))}") from error
    overridden, variables = override(document, os.environ if environment is None else environment)
    # Not resolved: what a mounted ConfigMap links to is gone after its next change.
    return parse(overridden, where=str(path), directory=path.absolute().parent, variables=variables)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file in a ConfigError about what it says."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse(
    document: Mapping[str, Any],
    *,
    where: str,
    directory: Path,
    variables: Mapping[tuple[str, ...], str] = MappingProxyType({}),
) -> Config:
    """Check a document that has been read already; ConfigError names the TOML path and the variable that set it.

    variables: keys → the environment variable that wrote them.
    """
    try:
        _check_scalars(document, ())
        return Config.model_validate(document, context={"directory": directory})
    except _MistakeError as error:
        mistakes = [(error.location, error.words)]
    except ValidationError as error:
        details = error.errors(include_url=False)
        # A list that is too short because its only item was wrong is no second mistake.
        deepest = details[0]["loc"]
        mistakes = [
            _explained(each) for each in details if each is details[0] or each["loc"] != deepest[: len(each["loc"])]
        ]
    location, words = mistakes[0]
    set_by = next((f" (see {name})" for keys, name in variables.items() if _meets(keys, location)), "")
    more = f" (and {len(mistakes) - 1} more)" if mistakes[1:] else ""
    raise ConfigError(f"{where}: {_path(location)}: {words}{set_by}{more}")


class _MistakeError(Exception):
    def __init__(self, location: _Location, words: str) -> None:
        super().__init__(words)
        self.location, self.words = location, words


def _check_scalars(node: Any, location: _Location) -> None:
    """Refuse what TOML lets through and no part of the program can use."""
    if isinstance(node, Mapping | list):
        for key, inner in node.items() if isinstance(node, Mapping) else enumerate(node):
            _check_scalars(inner, (*location, key))
    elif isinstance(node, int) and abs(node) > _GREATEST_INTEGER:
        raise _MistakeError(location, "the number does not fit into 64 bits; write a smaller one")
    elif isinstance(node, str) and "\0" in node:
        raise _MistakeError(location, "the text holds a NUL character; take it out")


def _explained(detail: Any) -> tuple[_Location, str]:
    location, words = explain(detail)
    if location[0] in _TAGS and location[2:3] and location[2] in _TAGS[str(location[0])]:  # no key of the file
        location = location[:2] + location[3:]
    key = ".".join(part for part in location if isinstance(part, str))
    if detail["type"] == "string_pattern_mismatch":
        return location, _PATTERNS[key.rpartition(".")[2]]
    hints = _HINTS if detail["type"] in _ABSENT else _FORMS if detail["type"].endswith("_type") else {}
    return location, f"{words}; {hints[key]}" if key in hints else words


_TAGS = {"sources": frozenset({"kafka", "http", "files"}), "targets": frozenset(KINDS)}
_ABSENT = {"missing", "too_short", "union_tag_not_found"}
_HINTS = {
    "models": "write at least one [[models]] table",
    "models.name": "write what events call the model",
    "models.task": 'write one of "binary", "multiclass", "regression", "ranking", "none"',
    "models.rules.name": "alerts are told apart by it",
    "models.rules.statistic": 'write the statistic that is compared, such as "psi"',
    "sources.type": 'write one of "kafka", "http", "files"',
    "sources.brokers": 'write a list, such as ["localhost:9092"]',
    "sources.security.protocol": 'write one of "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"',
    "state.path": "write the directory to keep state in",
    **HINTS,
}
_NAME = "write at most 100 letters, digits and . _ : / - and begin with a letter or digit"
_TOPIC = "write names of Kafka topics: at most 249 letters, digits and . _ -"
_FORMS = {
    "models.window": 'for example { size = "1h" }',
    "models.rules.for": "it counts windows",
    "models.rules.keep_for": "it counts windows",
    "server.listen": 'for example "0.0.0.0:9464"',
    "server.max_body": "it counts bytes",
    "server.max_body_decompressed": "it counts bytes",
    "server.max_arriving": "it counts bytes",
    "sources.max_inbox_bytes": "it counts bytes",
    "state.max_dead_letter_bytes": "it counts bytes",
    "queue.max_bytes": "it counts bytes",
}
_PATTERNS = {
    "name": _NAME,
    "control": _NAME.replace(" /", ""),
    "brokers": 'write host:port, such as "localhost:9092"',
    "predictions": _TOPIC,
    "labels": _TOPIC,
    **PATTERNS,
}


def _first_line(text: str) -> str:
    line = text.splitlines()[0]
    return line[:1].lower() + line[1:]


def _meets(keys: tuple[str, ...], location: _Location) -> bool:
    return all(key == str(part).lower() for key, part in zip(keys, location, strict=False))


def _path(location: _Location) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _unique(key: str, names: Iterable[str]) -> None:
    if twice := _twice(names):
        raise ValueError(f"two {key} are called {twice}; give each its own name")


def _twice(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(f'"{name}"' for name in dict.fromkeys(known) if known.count(name) > 1)
