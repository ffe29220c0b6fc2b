"""Made the reference_v4 file, once those of versions 1 to 3, which must be readable for ever: do not run it over them.

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
from driftwatch.summaries.reference import VERSION, Reference
from driftwatch.summaries.segment_profiles import segment_arrays

ROWS = 600


def written_data(directory: Path, *, labels: bool = False) -> Path:
    """A table in which every kind of column and of value occurs; no dice are thrown.

    labels: with some that are missing or wrong.
    """
    lines = ["time,amount,steps,empty,country,member,score,prediction" + (",label" if labels else "")]
    for row in range(ROWS):
        amount = "" if row % 17 == 0 else "word" if row % 97 == 5 else repr((row * 7919 % 1000) ** 2 / 64)
        country = "" if row % 29 == 0 else ["Österreich", "FR", "DE", "US"][row * row % 11 % 4]
        score = repr(row * 31 % 101 / 100) if row % 50 else "1.5"
        member = ["true", "false", ""][row % 3]
        lines.append(
            f"2026-01-{1 + row // 30:02}T00:00:00.{row:03}Z,{amount},{row % 5},,{country},{member},{score},{row % 2}"
            + ("," + ("" if row % 37 == 0 else "7e400" if row % 41 == 0 else str(row // 2 % 2)) if labels else "")
        )
    path = directory / "data.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


DIVIDED = {
    "segments": [
        "country", {"column": "amount", "quantiles": 3},
        {"name": "dear", "where": "amount > 5000 and country in ['DE']"},
        {"cross": ["country", {"column": "steps", "quantiles": 2}]},
    ],
    "protected": ["member", {"name": "late", "where": "not steps <= 3"}], "max_segments": 12,
}  # fmt: skip


def built(directory: Path, task: Task, **more: object) -> Reference:
    """The reference of a table with labels."""
    spec = ModelSpec.model_validate({"name": "golden", "task": task, **more})
    data = str(written_data(directory, labels=True))
    return build_reference([data], spec, now_ms=1_767_225_600_000, progress=lambda *_: None)


def described(reference: Reference, *, version: int = 3) -> dict:
    """Every value of a reference that this version wrote, as JSON holds it exactly."""
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
    outcomes = reference.outcomes
    labels = {} if outcomes is None else {"outcomes": outcomes.meta()}
    arrays |= {} if outcomes is None else outcomes.arrays()
    arrays |= segment_arrays(reference.segments)
    arrays |= {} if reference.importance is None else {"importance": reference.importance}
    arrays |= {} if reference.rhythm is None else reference.rhythm.arrays()
    if reference.dimensions.all:
        names = [[each.name, *each.members] for each in reference.dimensions.all]
        rows = list(reference.protected_rows)
        labels |= {"division": reference.division.to_json(), "dimensions": names, "protected_rows": rows}
    pyramid = {"pyramid": _pyramid(reference)} if version > 3 else {}
    return {
        **labels, **pyramid, "model": reference.model, "task": reference.task.value, "columns": columns,
        "fingerprint": layout.fingerprint, "rows": reference.rows,
        "first_ms": reference.first_ms, "last_ms": reference.last_ms,
        "source_hash": reference.source_hash, "created_ms": reference.created_ms, "written_by": reference.written_by,
        "left_out": list(reference.left_out), "block_length": reference.blocks.length,
        "arrays": {name: _texts(array) for name, array in arrays.items()},
    }  # fmt: skip


def _pyramid(reference: Reference) -> dict:
    return {name: array.astype(np.int64).tolist() for name, array in reference.pyramid.arrays().items()}


def _texts(array: np.ndarray) -> list:
    if array.ndim == 4:  # counts by score, nearly all of them 0
        return [list(array.shape), [place.tolist() for place in np.nonzero(array)], _texts(array[np.nonzero(array)])]
    return np.vectorize(repr, otypes=[object])(array.astype(object)).tolist()


def main(out: Path) -> None:
    """Write the files of this version."""
    for task in (Task.BINARY,):
        with tempfile.TemporaryDirectory() as directory:
            reference = built(Path(directory), task, **DIVIDED)
        name = f"reference_v{VERSION}_{task}"
        (out / f"{name}.reference").write_bytes(reference.to_bytes())
        document = json.dumps(described(reference, version=VERSION), ensure_ascii=False)
        (out / f"{name}.json").write_text(document + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
