"""`driftwatch backtest`: what it prints and writes, and what it refuses."""

import json
from xml.etree import ElementTree as ET

import pytest

from tests.backtest.world import make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("backtest"), rows=1_250)


@pytest.fixture
def backtested(driftwatch, world):
    """Backtest the world's history."""

    def run(*options, predictions=world.history):
        return driftwatch(
            "backtest", "--config", world.folder / "c.toml", "--predictions", predictions, "--repeats", 1, *options
        )

    return run


def test_text(backtested):
    """The findings stand on standard output, how long it took on standard error."""
    ended = backtested()
    assert ended.code == 0
    assert ended.out.startswith("backtest of loan: 1250 rows, 5 windows of about 250, ")
    assert "against dumb baselines" in ended.out
    assert ended.err.strip().startswith("18 replays in ")


def test_json_and_picture(backtested, world):
    """The document goes to a file, and says the same each time; the picture is well-formed."""
    documents = []
    for name in ("a.json", "b.json"):
        ended = backtested("--format", "json", "-o", world.folder / name, "--picture", world.folder / "p.svg")
        assert (ended.code, ended.out) == (0, "")
        documents.append((world.folder / name).read_bytes())
    assert documents[0] == documents[1]
    found = json.loads(documents[0])
    assert list(found) == [
        "model", "seed", "repeats", "history", "trials", "budget", "as_it_is", "resampled", "shifts", "monitors",
        "baselines",
    ]  # fmt: skip
    assert list(found["shifts"][0]) == [
        "name", "kind", "size", "trials", "found", "power", "lower", "upper", "delay_windows", "delay_seconds",
        "any_alert", "named", "by_rule", "false_before", "f1",
    ]  # fmt: skip
    assert {"rule", "column", "false_alarms", "per_30_days", "lower", "upper", "shifts"} == set(found["monitors"][0])
    assert found["history"]["labels"] > 0
    assert ET.parse(world.folder / "p.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--repeats", 0), "Invalid value for '--repeats'"),
        (("--seed", -1), "Invalid value for '--seed'"),
        (("--format", "xml"), "Invalid value for '--format'"),
        (("--model", "other"), 'no model is called "other"'),
        (("--labels", "nowhere.csv"), "nowhere.csv: no such file"),
        (("-o", "/dev/null/out"), "/dev/null/out: cannot be written: not a directory"),
        (("--picture", "/dev/null/p.svg"), "/dev/null/p.svg: cannot be written: not a directory"),
    ],
)
def test_bad_usage(backtested, options, said):
    """One line says what is wrong."""
    ended = backtested(*options)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_bad_data(backtested, world, tmp_path):
    """No such file, and too little of it."""
    ended = backtested(predictions=tmp_path / "none.csv")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    (tmp_path / "few.csv").write_text("id,amount\na,1\nb,2\n", encoding="utf-8")
    ended = backtested(predictions=tmp_path / "few.csv")
    assert ended.code == 2
    assert ended.err == (
        "driftwatch: model loan: the history has 2 rows, which are 0 windows of 250; "
        "a backtest needs at least 4: give more data, or make the windows smaller\n"
    )
