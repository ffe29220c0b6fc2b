"""What a malformed event is: its bytes, and for each event in them what must become of it."""

from dataclasses import dataclass

from driftwatch.stream.raw import Stream
from driftwatch.stream.reject import Reject
from driftwatch.stream.schema import Column, Kind, Schema, Task

RECEIVED_MS = 1_767_607_200_000
"""2026-01-05T10:00:00Z"""
MAX_FUTURE_MS = 600_000
STAMP_MS = RECEIVED_MS - 5_000
"""When the record was written, by its broker."""

MISSING, INVALID, OTHER = "missing", "invalid", "other"

Outcome = Reject | dict[str, object]
"""A reason; or that the row is kept, and in what it differs from a good one (columns, `time`, `version`)."""


@dataclass(frozen=True)
class Case:
    """One record. `outcomes`: one per event that it holds. `alone`: it cannot stand as a line among other lines."""

    name: str
    body: bytes
    outcomes: tuple[Outcome, ...]
    stream: Stream = Stream.PREDICTIONS
    task: Task = Task.BINARY
    alone: bool = False


NORMAL: dict[str, object] = {
    "amount": 12.5,
    "cents": 7.0,
    "score": 0.5,
    "output": 0.5,
    "predicted": 1,
    "value": MISSING,
    "country": "DE",
    "vip": "true",
    "time": RECEIVED_MS,
    "version": "1",
}
"""What a good prediction counts as."""


def schema(model: str, task: Task) -> Schema:
    """The model that all of them are sent to; `cents` takes numbers in text."""
    numeric = (
        Column("amount", Kind.NUMERIC),
        Column("cents", Kind.NUMERIC, coerce=True),
        Column("score", Kind.NUMERIC, minimum=0.0, maximum=1.0),
    )
    categorical = (
        Column("country", Kind.CATEGORICAL, ("DE", "FR", "49", "12345678901234567890")),
        Column("vip", Kind.BOOLEAN, ("false", "true")),
    )
    return Schema(model, task, numeric, categorical)


def row(fragment: str = "", *, without: str = "") -> str:
    """A good prediction as JSON text with a top-level member replaced or added, or one left out."""
    members = {
        "model": '"fraud"',
        "id": '"bad"',
        "time": str(RECEIVED_MS),
        "version": '"1"',
        "score": "0.5",
        "features": '{"amount": 12.5, "cents": 7, "country": "DE", "vip": true}',
    }
    members.pop(without, None)
    key = fragment.split(":", 1)[0].strip().strip('"')
    members.pop(key, None)
    parts = [f'"{name}": {value}' for name, value in members.items()]
    return "{" + ", ".join([*parts, fragment] if fragment else parts) + "}"


def feature(name: str, value: str) -> str:
    """A good prediction with one feature replaced."""
    features = {"amount": "12.5", "cents": "7", "country": '"DE"', "vip": "true"} | {name: value}
    return row('"features": {' + ", ".join(f'"{key}": {text}' for key, text in features.items()) + "}")


def one(name: str, text: str | bytes, outcome: Outcome, *, alone: bool = False) -> Case:
    """A record that is one prediction."""
    return Case(name, text if isinstance(text, bytes) else text.encode(), (outcome,), alone=alone)


def many(name: str, text: str | bytes, *outcomes: Outcome) -> Case:
    """A record of several predictions."""
    return Case(name, text if isinstance(text, bytes) else text.encode(), outcomes, alone=True)
