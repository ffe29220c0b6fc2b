"""A service that starts without a reference file: what it says while it learns, and afterwards, over HTTP."""

import json

import pytest
from typer.testing import CliRunner

from driftwatch.cli.app import app
from driftwatch.daemon.state import backup, state_hash, verify
from tests.daemon.lessons import LEARNT, LINES, WINDOW
from tests.scenarios import world
from tests.scenarios.probe import post_all, running

MODEL = f'[[models]]\nname = "fraud"\ntask = "binary"\nreference = {{ first = "2h" }}\n{WINDOW}\n'


@pytest.fixture
def path(tmp_path):
    """The configuration of such a service."""
    file = tmp_path / "learning.toml"
    state = '[state]\npath = "state"\ncheckpoint = "200ms"\n'
    file.write_text(f'[server]\nlisten = "127.0.0.1:0"\n{state}{world.HTTP}{MODEL}{world.RULES}', encoding="utf-8")
    return file


def bodies(lines):
    """Bodies of a hundred events."""
    return [b"\n".join(lines[start : start + 100]) for start in range(0, len(lines), 100)]


def learning(probe):
    """How far the model has come, as the status has it."""
    return probe.listing("status")[0]["learning"].get("fraud", {})


def test_it_starts_without_a_file_and_watches_once_it_has_learnt(path, tmp_path):
    """Status, models, metrics, page and the reference file, before and after a restart in the middle."""
    with running(path) as (_, probe):
        post_all(probe, bodies(LINES[:300]))
        probe.wait(lambda: learning(probe).get("rows") == 300, "the rows to be learnt from")
        assert learning(probe) == {
            "state": "learning", "task": "binary", "rows": 300, "rows_wanted": 500, "until": "2026-01-05T02:00:00Z",
            "full": False, "error": None,
        }  # fmt: skip
        (model,) = probe.listing("models")
        assert (model["name"], model["reference"], model["learning"]["state"]) == ("fraud", None, "learning")
        metrics = probe.metrics()
        assert metrics.results()["accepted"] == 300
        assert not metrics.values("window_rows")
        assert "fraud" in probe.get("/").text
    state = tmp_path / "state"
    before = state_hash(state)
    assert verify(state).startswith(f"{state}: good")
    backup(state, tmp_path / "copy")
    assert state_hash(tmp_path / "copy") == before
    with running(path) as (service, probe):
        post_all(probe, bodies(LINES[300:]))
        probe.wait(lambda: not learning(probe) and bool(service.engine.monitors), "the model to be watched")
        probe.wait_counted(len(LINES))
        probe.wait(lambda: probe.metrics().values("window_rows"), "a window")
        (model,) = probe.listing("models")
        assert model["reference"]["rows"] == LEARNT
        assert {alert["column"] for alert in probe.listing("alerts")} >= {"amount", "country"}
        assert probe.post(json.dumps({"model": "fraud", "id": "x"}).encode())["accepted"] == 1
    shown = CliRunner().invoke(app, ["reference", "show", str(state / "learning" / "fraud.reference")])
    assert shown.exit_code == 0
    assert f"rows         {LEARNT}" in shown.output


def test_a_backup_goes_on_learning(path, tmp_path):
    """Its events are in it; a backup without them is found to be none."""
    with running(path) as (_, probe):
        post_all(probe, bodies(LINES[:300]))
        probe.wait_counted(300)
    backup(tmp_path / "state", tmp_path / "copy")
    path.write_text(path.read_text(encoding="utf-8").replace('"state"', '"copy"'), encoding="utf-8")
    with running(path) as (service, probe):
        post_all(probe, bodies(LINES[300:]))
        probe.wait(lambda: bool(service.engine.monitors), "the model to be watched")
    assert (tmp_path / "copy" / "learning" / "fraud.reference").is_file()


def test_check_config_and_replay(path, tmp_path):
    """The one says that it learns; the other learns first, and ends with 2 where there is too little."""
    run = CliRunner()
    checked = run.invoke(app, ["check-config", str(path)])
    assert 'model "fraud": binary, learns its reference from its first events' in checked.output
    assert checked.exit_code == 0
    for name, lines in {"all": LINES, "few": LINES[:400]}.items():
        (tmp_path / f"{name}.jsonl").write_bytes(b"\n".join(lines))
    done = run.invoke(app, ["replay", "--config", str(path), "--predictions", str(tmp_path / "all.jsonl")])
    assert f"the reference was learnt from the first {LEARNT} rows" in done.output
    assert (done.exit_code, f"{len(LINES) - LEARNT} accepted" in done.output) == (0, True)
    failed = run.invoke(app, ["replay", "--config", str(path), "--predictions", str(tmp_path / "few.jsonl")])
    assert "the data end before the reference is learnt" in str(failed.exception)
