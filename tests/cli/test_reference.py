"""`driftwatch reference` through the whole command line: exit codes and what is said where."""

import json

import pytest


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
