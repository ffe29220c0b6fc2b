"""A small model and its past: one number, one count, one category, a score and labels, an hour in 250 rows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from driftwatch.config import load
from driftwatch.daemon.referencing import build_reference, save_reference
from driftwatch.daemon.watch import Watch, load_watch

START_MS = 1_767_225_600_000
WINDOW_ROWS = 250
STEP_MS = 3_600_000 // WINDOW_ROWS

CONFIG = """
[[models]]
name = "loan"
task = "binary"
reference = "loan.reference"
window = { rows = 250 }
"""


@dataclass(frozen=True)
class World:
    """Where the files are, and the model."""

    folder: Path
    watch: Watch

    @property
    def history(self) -> str:
        return str(self.folder / "history.csv")


def table(*, rows: int, seed: int, shift: float = 0.0, since: int = 0) -> pa.Table:
    """Rows in order of time; `amount` is moved by `shift` from row `since` on; every third row lacks a label."""
    rng = np.random.default_rng(seed)
    score = rng.random(rows).round(4)
    amount = rng.normal(0, 1, rows)
    amount[since:] += shift
    label = (rng.random(rows) < score).astype(int)
    return pa.table({
        "id": [f"{seed}-{row}" for row in range(rows)],
        "time": pa.array(START_MS + STEP_MS * np.arange(rows)),
        "amount": amount.round(4),
        "visits": rng.poisson(3, rows),
        "country": rng.choice(["DE", "FR", "US"], rows, p=[0.5, 0.3, 0.2]),
        "score": score,
        "prediction": (score > 0.5).astype(int),
        "label": pa.array(label, mask=np.arange(rows) % 3 == 0),
    })  # fmt: skip


def make_world(folder: Path, *, rows: int = 3_000, shift: float = 0.0, since: int = 0, config: str = CONFIG) -> World:
    """Write reference, history and configuration into a folder."""
    csv.write_csv(table(rows=4_000, seed=0), folder / "reference.csv")
    csv.write_csv(table(rows=rows, seed=1, shift=shift, since=since), folder / "history.csv")
    (folder / "c.toml").write_text(config, encoding="utf-8")
    loaded = load(folder / "c.toml")
    built = build_reference(
        [str(folder / "reference.csv")], loaded.models[0], now_ms=0, progress=lambda _, __: None
    )  # fmt: skip
    save_reference(built, folder / "loan.reference")
    return World(folder, load_watch(load(folder / "c.toml"), 0))
