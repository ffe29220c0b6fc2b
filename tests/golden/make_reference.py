"""Made reference_v1.reference and reference_v1.json, which must be readable for ever: do not run it over them.

python -m tests.golden.make_reference DIRECTORY
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from driftwatch.config import ModelSpec
from driftwatch.daemon.referencing import build_reference
from driftwatch.stream.schema import Task
from driftwatch.summaries.reference import Reference

ROWS = 600


def written_data(directory: Path) -> Path:
    """A table in which every kind of column and of value occurs; no dice are thrown."""
    lines = ["time,amount,steps,empty,country,member,score,prediction"]
    for row in range(ROWS):
        amount = "" if row % 17 == 0 else "word" if row % 97 == 5 else repr((row * 7919 % 1000) ** 2 / 64)
        country = "" if row % 29 == 0 else ["Österreich", "FR", "DE", "US"][row * row % 11 % 4]
        score = repr(row * 31 % 101 / 100) if row % 50 else "1.5"
        member = ["true", "false", ""][row % 3]
        lines.append(
            f"2026-01-{1 + row // 30:02}T00:00:00.{row:03}Z,{amount},{row % 5},,{country},{member},{score},{row % 2}"
        )
    path = directory / "data.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def described(reference: Reference) -> dict:
    """Every value of a reference, as JSON holds it exactly."""
    layout, profile = reference.layout, reference.profile
    arrays = {
        "edges": layout.edges, "centre": layout.centre, "scale": layout.scale, "dispersion": reference.dispersion,
        **profile.arrays(), **reference.blocks.arrays(),
    }  # fmt: skip
    columns = [
        [
            column.name,
            column.kind.value,
            list(column.vocabulary),
            column.coerce,
            repr(column.minimum),
            repr(column.maximum),
        ]
        for column in (*layout.numeric, *layout.categorical)
    ]
    return {
        "model": reference.model, "task": reference.task.value, "columns": columns, "fingerprint": layout.fingerprint,
        "rows": reference.rows, "first_ms": reference.first_ms, "last_ms": reference.last_ms,
        "source_hash": reference.source_hash, "created_ms": reference.created_ms, "written_by": reference.written_by,
        "left_out": list(reference.left_out), "block_length": reference.blocks.length,
        "arrays": {name: _texts(array) for name, array in arrays.items()},
    }  # fmt: skip


def _texts(array: np.ndarray) -> list:
    return np.vectorize(repr, otypes=[object])(array.astype(object)).tolist()


def main(out: Path) -> None:
    """Write both files."""
    with tempfile.TemporaryDirectory() as directory:
        data = written_data(Path(directory))
        spec = ModelSpec(name="golden", task=Task.BINARY)
        reference = build_reference([str(data)], spec, now_ms=1_767_225_600_000, progress=lambda *_: None)
    (out / "reference_v1.reference").write_bytes(reference.to_bytes())
    (out / "reference_v1.json").write_text(
        json.dumps(described(reference), ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
