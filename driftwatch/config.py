"""The configuration: assembles every room's Spec, and says what is wrong with a file in one line.

Relative paths in a file are relative to the file.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from driftwatch.api.listen import ServerSpec
from driftwatch.errors import ConfigError
from driftwatch.evaluation.rules import DEFAULT_RULES, RuleSpec
from driftwatch.sinks.targets.webhook import WebhookSpec
from driftwatch.sources.files import FilesSpec
from driftwatch.sources.inbox import HttpSpec
from driftwatch.sources.kafka import KafkaSpec
from driftwatch.spec import Spec
from driftwatch.store.database import StateSpec
from driftwatch.stream.schema import FieldsSpec, Kind, Task
from driftwatch.stream.windows import WindowSpec

ENVIRONMENT_PREFIX = "DRIFTWATCH_"

SourceSpec = Annotated[KafkaSpec | HttpSpec | FilesSpec, Field(discriminator="type")]


class ColumnSpec(Spec):
    """`[models.columns] NAME = { kind, coerce }`: what the reference would otherwise decide by itself.

    coerce: take numbers that stand in strings (and "true", "false" for booleans).
    """

    kind: Kind | None = Field(default=None, strict=False)
    coerce: bool = False


class ModelSpec(Spec):
    """`[[models]]`: one model to watch."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$")
    task: Task = Field(strict=False)
    reference: str | None = None
    window: WindowSpec = WindowSpec(size="1h")  # type: ignore[arg-type]  # what a person writes; the validator turns it into ms
    groups: int = Field(default=10, ge=2, le=128)
    ignore: list[str] = Field(default_factory=list)
    fields: FieldsSpec = FieldsSpec()
    columns: dict[str, ColumnSpec] = Field(default_factory=dict)
    rules: list[RuleSpec] = Field(default_factory=lambda: list(DEFAULT_RULES))

    @field_validator("reference", mode="before")
    @classmethod
    def _a_file(cls, value: Any) -> Any:
        if isinstance(value, dict):
            raise ValueError("only a file made by `driftwatch reference build` is supported so far; write its path")  # noqa: TRY004 - pydantic words ValueErrors
        return value

    @model_validator(mode="after")
    def _rules_have_names(self) -> Self:
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two rules are called {_quoted(twice)}; alerts are told apart by the rule's name")
        return self


class Config(Spec):
    """The whole file."""

    server: ServerSpec = ServerSpec()
    state: StateSpec | None = None
    sources: list[SourceSpec] = Field(default_factory=list)
    models: list[ModelSpec] = Field(min_length=1)
    targets: list[WebhookSpec] = Field(default_factory=list)
    _directory: Path = PrivateAttr(default_factory=Path)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for what, names in (("models", [m.name for m in self.models]), ("targets", [t.name for t in self.targets])):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"two {what} are called {_quoted(twice)}; give each its own name")
        if sum(isinstance(source, HttpSpec) for source in self.sources) > 1:
            raise ValueError('two sources are of type "http"; there is one HTTP door, so write one')
        return self

    def path(self, text: str) -> Path:
        """A path as written in the file; relative ones start where the file stands."""
        return self._directory / Path(text).expanduser()

    def model(self, name: str) -> ModelSpec:
        """The model of that name; ConfigError when there is none."""
        for model in self.models:
            if model.name == name:
                return model
        known = _quoted(model.name for model in self.models)
        raise ConfigError(f'models: no model is called "{name}"; the file has {known}')


def load(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read a file, with DRIFTWATCH_SECTION__KEY variables over it; ConfigError names the TOML path."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or str(error)).lower()}; name an existing TOML file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {_first_line(str(error))}") from error
    overridden = override(document, os.environ if environment is None else environment)
    return parse(overridden, where=str(path), directory=path.resolve().parent)


def parse(document: Mapping[str, Any], *, where: str, directory: Path) -> Config:
    """A Config from a document that has been read already; ConfigError names the TOML path."""
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_worded(error)}") from error
    config._directory = directory  # noqa: SLF001 - set once, here; it is not for the file to say
    return config


def override(document: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The document with DRIFTWATCH_SERVER__LISTEN=… and the like put over it.

    Numbers name the place in a list: DRIFTWATCH_MODELS__0__NAME. A value that is TOML is read as TOML, else as text.
    """
    result: dict[str, Any] = _copied(document)
    for variable, text in sorted(environment.items()):
        if not variable.startswith(ENVIRONMENT_PREFIX) or "__" not in variable:
            continue
        keys = variable.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        node: Any = result
        for key in keys[:-1]:
            node = _entered(node, key, variable)
        _put(node, keys[-1], _value(text), variable)
    return result


def _copied(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _copied(value) for key, value in node.items()}
    return [_copied(value) for value in node] if isinstance(node, list) else node


def _entered(node: Any, key: str, variable: str) -> Any:
    if isinstance(node, dict):
        return node.setdefault(key, {})
    if isinstance(node, list) and key.isdigit() and int(key) < len(node):
        return node[int(key)]
    raise ConfigError(f"{variable}: there is nothing called {key} to override")


def _put(node: Any, key: str, value: Any, variable: str) -> None:
    if isinstance(node, dict):
        node[key] = value
    elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
        node[int(key)] = value
    else:
        raise ConfigError(f"{variable}: there is nothing called {key} to override")


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _worded(error: ValidationError) -> str:
    """The first mistake in one line, with its TOML path, and how many more there are."""
    first, *others = error.errors(include_url=False, include_input=False)
    path = _path(first["loc"])
    message = _WORDS.get(first["type"], first["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    more = f" (and {len(others)} more)" if others else ""
    return f"{path}: {message}{more}" if path else f"{message}{more}"


_WORDS = {
    "extra_forbidden": "there is no such key",
    "missing": "this key is missing",
    "union_tag_not_found": 'this key is missing: write type = "kafka", "http" or "files"',
}


def _path(location: tuple[int | str, ...]) -> str:
    # Pydantic puts the tag of a union into the location; it is no key of the file.
    path = ""
    for place, part in enumerate(location):
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (part in {"kafka", "http", "files"} and place == 2 and location[0] == "sources"):
            path += f".{part}" if path else part
    return path


def _first_line(text: str) -> str:
    return text.splitlines()[0]


def _quoted(names: Any) -> str:
    return ", ".join(f'"{name}"' for name in names)
