"""The command line called in this process, and a small world for it: data, a reference, a configuration."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from driftwatch.cli.app import main

ROWS = 2_000


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Driftwatch = Callable[..., Ended]


@pytest.fixture
def driftwatch(monkeypatch, capsys) -> Driftwatch:
    """Call the command line with these arguments."""

    def call(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["driftwatch", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return Ended(int(ended.value.code or 0), written.out, written.err)

    return call


def table(*, rows: int, seed: int, shift: float = 0.0) -> pa.Table:
    """Rows of a model with one number, one category and its own outputs; `shift` moves the number."""
    rng = np.random.default_rng(seed)
    score = rng.random(rows).round(4)
    return pa.table({
        "amount": rng.normal(shift, 1, rows).round(4),
        "country": rng.choice(["DE", "FR", "US"], rows),
        "score": score,
        "prediction": (score > 0.5).astype(int),
    })  # fmt: skip


@pytest.fixture
def world(tmp_path, driftwatch) -> Path:
    """A folder with `reference.csv`, `loan.reference` and `c.toml`: windows of 500 rows, one rule that asks twice."""
    csv.write_csv(table(rows=ROWS, seed=0), tmp_path / "reference.csv")
    (tmp_path / "c.toml").write_text(
        '[[models]]\nname = "loan"\ntask = "binary"\nreference = "loan.reference"\nwindow = { rows = 500 }\n'
        '[[models.rules]]\nname = "drift"\nstatistic = "psi"\nabove = 0.1\nfor = 2\naction = "retrain"\n',
        encoding="utf-8",
    )
    built = driftwatch(
        "reference", "build", tmp_path / "reference.csv", "--config", tmp_path / "c.toml",
        "--model", "loan", "-o", tmp_path / "loan.reference",
    )  # fmt: skip
    assert built.code == 0, built.err
    return tmp_path


@pytest.fixture
def replayed(driftwatch, world):
    """Replay a file over the world's configuration and return how it ended, and the report."""

    def replay(data, *options):
        out = world / "out.jsonl"
        ended = driftwatch(
            "replay", "--config", world / "c.toml", "--predictions", data, "--report", out, *options
        )  # fmt: skip
        return ended, out

    return replay
