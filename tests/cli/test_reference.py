"""`driftwatch reference` through the whole command line: exit codes and what is said where."""

import json
from pathlib import Path

import numpy as np
import pytest

GOLDEN = Path(__file__).parents[1] / "golden"


def test_show(driftwatch, world):
    """A reference is shown for people, and as JSON for programs."""
    shown = driftwatch("reference", "show", world / "loan.reference")
    assert (shown.code, shown.err) == (0, "")
    assert "rows         2000" in shown.out
    document = json.loads(driftwatch("reference", "show", world / "loan.reference", "--json").out)
    assert [column["name"] for column in document["columns"]] == ["amount", "score", "country", "prediction"]
    assert (document["rows"], document["model"], document["task"]) == (2_000, "loan", "binary")


def test_build_says_what_it_made(driftwatch, world):
    """The result is a line on stderr: stdout stays free."""
    out = world / "again.reference"
    ended = driftwatch(
        "reference", "build", world / "reference.csv", "--config", world / "c.toml", "--model", "loan", "-o", out
    )  # fmt: skip
    assert (ended.code, ended.out) == (0, "")
    assert "2000 rows, 4 columns" in ended.err
    assert out.read_bytes()[:64] == (world / "loan.reference").read_bytes()[:64]


@pytest.mark.parametrize(
    ("data", "model", "said"),
    [
        ("nowhere.csv", "loan", "nowhere.csv: no such file: check the path"),
        ("reference.csv", "churn", 'models: no model is called "churn"; the file has "loan"'),
        ("c.toml", "loan", "c.toml: unknown kind of file"),
    ],
)
def test_build_refuses(driftwatch, world, data, model, said):
    """What cannot be used is named, with 2, and nothing is written."""
    out = world / "new.reference"
    ended = driftwatch(
        "reference", "build", world / data, "--config", world / "c.toml", "--model", model, "-o", out
    )  # fmt: skip
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.startswith("driftwatch: ")
    assert ended.err.count("\n") == 1
    assert not out.exists()


def test_build_needs_no_reference_yet(driftwatch, world):
    """The configuration may name the file that is to be made."""
    (world / "loan.reference").unlink()
    ended = driftwatch(
        "reference", "build", world / "reference.csv", "--config", world / "c.toml",
        "--model", "loan", "-o", world / "loan.reference",
    )  # fmt: skip
    assert ended.code == 0
    assert driftwatch("check-config", world / "c.toml").code == 0


def test_show_lists_segments_and_protected_groups(driftwatch):
    """With their rows, and each column with its importance; JSON says the same."""
    file = GOLDEN / "reference_v3_binary.reference"
    shown = driftwatch("reference", "show", file)
    assert shown.code == 0
    lines = shown.out.splitlines()
    begin = lines.index("        rows  segment")
    assert lines[begin + 1 : begin + 3] == ["         316  country=FR", "         158  country=Österreich"]
    assert lines[lines.index("        rows  protected by late") + 1 :] == [
        "         120  late",
        "         480  not late",
    ]
    assert "importance 1.00" in shown.out
    document = json.loads(driftwatch("reference", "show", file, "--json").out)
    assert document["segments"][0] == {"name": "country=FR", "rows": 316}
    assert document["protected"][1] == {
        "name": "late", "groups": [{"name": "late", "rows": 120}, {"name": "not late", "rows": 480}],
    }  # fmt: skip
    assert {column["name"]: column["importance"] for column in document["columns"]}["score"] == 1.0
    assert len(document["hours_of_week"]) == 168


def test_what_is_never_met_is_said(driftwatch, world):
    """A condition on a value that the reference does not know, when it is built and when a configuration is checked."""
    config = world / "segments.toml"
    text = (world / "c.toml").read_text(encoding="utf-8")
    where = 'segments = [{ name = "far", where = "country == \'Atlantis\'" }]'
    config.write_text(text.replace('name = "loan"\n', f'name = "loan"\n{where}\n', 1), encoding="utf-8")
    ended = driftwatch(
        "reference", "build", world / "reference.csv", "--config", config,
        "--model", "loan", "-o", world / "loan.reference",
    )  # fmt: skip
    said = 'never met: "far": country is never "Atlantis" in the reference, so no row surely meets that'
    assert (ended.code, ended.out) == (0, "")
    assert "segments: 1" in ended.err
    assert said in ended.err
    checked = driftwatch("check-config", config)
    assert (checked.code, checked.err) == (0, "")
    assert said in checked.out


def test_show_says_how_much_windows_vary(driftwatch, tmp_path):
    """Where rows come in runs, for windows of so many rows; nothing is said of rows that are independent."""
    rng = np.random.default_rng(1)
    runs, alone = np.repeat(rng.normal(size=400), 10), rng.normal(size=4_000)
    lines = ["runs,alone", *(f"{one},{other}" for one, other in zip(runs.tolist(), alone.tolist(), strict=True))]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = tmp_path / "driftwatch.toml"
    config.write_text('[[models]]\nname = "m"\ntask = "none"\n', encoding="utf-8")
    file = tmp_path / "m.reference"
    built = driftwatch("reference", "build", tmp_path / "rows.csv", "--config", config, "--model", "m", "--out", file)
    assert built.code == 0, built.err
    shown = driftwatch("reference", "show", file, "--window-rows", "500")
    assert shown.out.count("windows vary") == 1
    document = json.loads(driftwatch("reference", "show", file, "--json", "--window-rows", "500").out)
    assert document["window_rows"] == 500
    runs, alone = (column["overdispersion"] for column in document["columns"])
    assert 5 < runs["location"] < 18  # ten, as well as fifty degrees of freedom tell
    assert runs["freedom"] > 10
    assert alone == {"location": 1, "scale": 1, "cells": 1, "path": 1, "freedom": None}
