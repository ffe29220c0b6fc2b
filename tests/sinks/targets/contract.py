"""Requests judged by excerpts of what the products themselves publish: OpenAPI, Swagger and a GraphQL schema.

They are in `contracts/`, each with its source, version and licence. In JSON Schema many keys may be absent and unknown
ones are let through; here a key that the excerpt does not know is wrong, lest a misspelt one pass.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

FOLDER = Path(__file__).parent / "contracts"

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float),
    "boolean": (bool,), "null": (type(None),),
}  # fmt: skip
_WORDS = {"title", "description", "examples", "example", "default", "nullable", "readOnly", "deprecated", "maximum"}
_RULES = {"$ref", "anyOf", "type", "enum", "format", "properties", "required", "additionalProperties", "items"}


@dataclass(frozen=True)
class Contract:
    """What a product says of its requests. schemas: by name."""

    schemas: dict[str, Any]
    document: dict[str, Any]

    def wrong(self, value: Any, name: str) -> list[str]:
        """Say what of a value is not as the schema of that name asks; empty when all is."""
        return self._wrong(value, self.schemas[name], name)

    def _wrong(self, value: Any, schema: dict[str, Any], at: str) -> list[str]:
        unknown = schema.keys() - _RULES - _WORDS
        assert not unknown, f"{at}: this check does not know {unknown}"
        if "$ref" in schema:
            return self._wrong(value, self.schemas[schema["$ref"].rpartition("/")[2]], at)
        if "anyOf" in schema:
            return [] if any(not self._wrong(value, each, at) for each in schema["anyOf"]) else [f"{at}: none of anyOf"]
        if not _is(value, schema):
            return [f"{at}: no {schema['type']}"]
        found = [] if value in schema.get("enum", [value]) else [f"{at}: not one of the enum"]
        if isinstance(value, dict):
            return found + self._object(value, schema, at)
        if isinstance(value, list):
            return found + [wrong for each in value for wrong in self._wrong(each, schema["items"], f"{at}[]")]
        return found + _format(value, schema.get("format"), at)

    def _object(self, value: dict[str, Any], schema: dict[str, Any], at: str) -> list[str]:
        known, more = schema.get("properties", {}), schema.get("additionalProperties", "properties" not in schema)
        found = [f"{at}.{key}: missing" for key in schema.get("required", ()) if key not in value]
        for key, inner in value.items():
            if key in known:
                found += self._wrong(inner, known[key], f"{at}.{key}")
            elif more is False:
                found.append(f"{at}.{key}: unknown")
            elif isinstance(more, dict):
                found += self._wrong(inner, more, f"{at}.{key}")
        return found


def contract(name: str) -> Contract:
    """Read an excerpt."""
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Contract(document.get("schemas", {}), document)


def _is(value: Any, schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    if kind is None or (value is None and schema.get("nullable")):
        return True
    return isinstance(value, _TYPES[kind]) and not (isinstance(value, bool) and kind in {"integer", "number"})


def _format(value: Any, form: str | None, at: str) -> list[str]:
    readers = {"date-time": datetime.fromisoformat, "uuid": UUID}
    if form is None or not isinstance(value, str):
        return []
    try:
        readers[form](value)
    except ValueError:
        return [f"{at}: no {form}"]
    return []


_LIST = re.compile(r"\[(.*)\]")


def graphql_wrong(value: Any, kind: str, types: dict[str, Any], at: str = "$") -> list[str]:
    """Say what of a variable is not as its GraphQL type asks: `!`, lists, and the fields of the inputs in `types`."""
    if kind.endswith("!"):
        return [f"{at}: missing"] if value is None else graphql_wrong(value, kind[:-1], types, at)
    if value is None:
        return []
    if inner := _LIST.fullmatch(kind):
        if not isinstance(value, list):
            return [f"{at}: no list"]
        return [wrong for each in value for wrong in graphql_wrong(each, inner[1], types, f"{at}[]")]
    if kind in types:
        fields = types[kind]["fields"]
        found = [f"{at}.{key}: unknown" for key in value if key not in fields]
        return found + [w for key in fields for w in graphql_wrong(value.get(key), fields[key], types, f"{at}.{key}")]
    known = {"String": str, "RunConfigData": (dict, str)}
    return [] if isinstance(value, known[kind]) else [f"{at}: no {kind}"]
