"""Lines of a replay's report as the contract writes them, and a stream to replay."""

import json

import msgspec
import pyarrow as pa

from tests.cli.conftest import table

START_MS = 1_767_225_600_000
NUMBER = float | int | None


class _Window(msgspec.Struct, forbid_unknown_fields=True):
    start: str
    end: str
    rows: int
    stage: str


class _Reference(msgspec.Struct, forbid_unknown_fields=True):
    fingerprint: str
    rows: int


class _Reading(msgspec.Struct, forbid_unknown_fields=True):
    column: str
    family: str
    statistic: str
    value: NUMBER
    adjusted: NUMBER
    lower: NUMBER
    upper: NUMBER
    p_value: NUMBER
    threshold: NUMBER
    status: str
    mde: NUMBER = None
    stage: str = ""
    coverage: NUMBER = None
    naive: NUMBER = None
    worst: NUMBER = None
    best: NUMBER = None
    baseline: NUMBER = None


class _Labels(msgspec.Struct, forbid_unknown_fields=True):
    predictions: int
    labelled: int
    waiting: int
    expired: int
    cancelled: int
    sampling_rate: float
    median_delay_seconds: NUMBER
    arrival: list[dict[str, float]]
    reliability: list[dict[str, float]]


class _Alert(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    rule: str
    column: str
    state: str
    severity: str
    reason: str


class _Drifting(msgspec.Struct, forbid_unknown_fields=True):
    false_discovery_rate: float
    bh: list[str]
    e_bh: list[str]


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """A line of the report as contract section 6 writes it."""

    model: str
    version: str
    segment: str
    window: _Window
    revision: int
    reference: _Reference
    readings: list[_Reading]
    alerts: list[_Alert]
    drifting: _Drifting | None = None
    labels: _Labels | None = None


def stream() -> pa.Table:
    """Two windows like the reference, three of shifted amounts, two like the reference again."""
    parts = [table(rows=1_000, seed=1), table(rows=1_500, seed=2, shift=2.0), table(rows=1_000, seed=3)]
    rows = pa.concat_tables(parts)
    return rows.append_column("time", pa.array([START_MS + 1_000 * row for row in range(rows.num_rows)]))


def events(rows: pa.Table) -> list[str]:
    """The rows as events of the contract."""
    return [
        json.dumps({
            "model": "loan", "id": str(place), "time": row["time"], "score": row["score"],
            "prediction": row["prediction"], "features": {"amount": row["amount"], "country": row["country"]},
        })
        for place, row in enumerate(rows.to_pylist())
    ]  # fmt: skip


def lines(path) -> list[Line]:
    return [msgspec.json.decode(line, type=Line) for line in path.read_bytes().splitlines()]
