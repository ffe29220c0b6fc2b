"""`config.example.toml` loads, and mentions every key there is."""

import re
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftwatch.config import Config, load, parse
from driftwatch.sinks.targets.kinds import KINDS
from driftwatch.sinks.targets.spec import TargetSpec
from driftwatch.sinks.targets.webhook import WebhookSpec
from driftwatch.spec import Spec

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


# Of what excludes another: a secret in a file or in a variable, a user or a token, a body here or in a file.
INSTEAD = re.compile(
    r"^(# )?(password|secret|token|routing_key|template|url)_file = .*\n|^# token_env = .*\n", re.MULTILINE
)


def specs(annotation: object) -> Iterator[type[Spec]]:
    """Every Spec inside a type."""
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from specs(inner)


def reachable(start: type[Spec]) -> dict[type[Spec], None]:
    """A Spec and all that its fields lead to."""
    found = {start: None}
    for field in start.model_fields.values():
        for spec in specs(field.annotation):
            found |= reachable(spec)
    return found


def uncommented(text: str) -> str:
    """The example with the keys that it offers in comments."""
    return re.sub(r"^# ([a-z_]+ = )", r"\1", text, flags=re.MULTILINE)


def tables(value: object, *, named: bool) -> list[dict]:
    """The tables in a value: itself, those of a list, or those that a table of names holds; a file's name for one."""
    if isinstance(value, str):
        return [{"file": value}]
    if isinstance(value, dict):
        return list(value.values()) if named else [value]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def mentioned(spec: type[Spec], table: dict, found: dict[type[Spec], set[str]]) -> dict[type[Spec], set[str]]:
    """The keys that stand in the tables of each Spec, anywhere in a document."""
    found.setdefault(spec, set()).update(table)
    for name, field in spec.model_fields.items():
        for inner in tables(table.get(field.alias or name), named=typing.get_origin(field.annotation) is dict):
            for candidate in specs(field.annotation):
                tag = candidate.model_fields.get("type")
                if tag is None or inner.get("type") in typing.get_args(tag.annotation):
                    mentioned(candidate, inner, found)
    return found


def test_all_specs_are_reached():
    """The walk below looks at every room's Spec."""
    names = {spec.__name__ for spec in reachable(Config)}
    assert names >= {"ServerSpec", "StateSpec", "KafkaSpec", "SecuritySpec", "HttpSpec", "FilesSpec", "ModelSpec"}
    assert names >= {"WindowSpec", "FieldsSpec", "ColumnSpec", "RuleSpec", "WebhookSpec"}


@pytest.mark.parametrize("spec", reachable(Config), ids=lambda spec: spec.__name__)
def test_every_key_is_mentioned(spec):
    """A key that no reader of the example could know of does not exist."""
    keys = {field.alias or name for name, field in spec.model_fields.items()} - {*spec.later}
    if issubclass(spec, TargetSpec) and spec is not WebhookSpec:  # what all targets have stands in the first table
        keys -= TargetSpec.model_fields.keys() - {"name", "type"}
    document = tomllib.loads(uncommented(EXAMPLE.read_text(encoding="utf-8")))
    assert keys <= mentioned(Config, document, {})[spec]


def test_every_line_says_something():
    """Lines with a key carry a comment, unless their name says it all."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 120
    assert sum("#" in line for line in lines) > len(lines) / 2


def test_it_loads():
    """As it stands, with nothing around it."""
    config = load(EXAMPLE, {})
    assert [source.type for source in config.sources] == ["kafka", "kafka", "http", "files"]
    assert [model.name for model in config.models] == ["fraud", "churn", "clicks", "demand", "bids", "orders"]
    assert {target.type for target in config.targets} == {*KINDS}


def test_commented_lines_are_keys_too(tmp_path):
    """What a comment offers instead of another key is accepted in its place."""
    text = EXAMPLE.read_text(encoding="utf-8")
    swapped = uncommented(INSTEAD.sub("", text))
    config = parse(tomllib.loads(swapped), where="example", directory=tmp_path)
    assert config.targets[0].secret_env == "HOOK_SECRET"
    assert config.targets[0].body
    assert config.sources[1].security.password_env == "KAFKA_PASSWORD"
