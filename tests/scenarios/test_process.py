"""The service as a process: what it says, and the code it ends with."""

import socket
import subprocess
from pathlib import Path

import pytest

from driftwatch.store.database import Database
from tests.scenarios import events
from tests.scenarios.probe import Probe, post_all, running
from tests.scenarios.process import ROOT, START_SECONDS, Process, command


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=START_SECONDS, check=False, cwd=ROOT
    )


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a person reads at the end of stderr."""
    return done.stderr.strip().splitlines()[-1]


def test_sigterm_drains_saves_and_ends_with_0(stream, configure):
    """Everything that was answered 200 before the signal is in the state that the next process finds."""
    path = configure()
    with Process(path) as process, Probe(process.port()) as probe:
        post_all(probe, events.portions(stream.lines, most=600))
        assert process.terminate() == 0, process.log()
    assert '"clean": true' in process.log()
    with running(path) as (_, probe):
        assert probe.wait_counted(len(stream.lines)).results() == stream.results()


def test_a_taken_port_ends_with_2(configure):
    """The line names the key and the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("run", "--config", str(configure(port=port)))
    assert done.returncode == 2
    assert f"server.listen: cannot listen on 127.0.0.1:{port}" in last_line(done)


def test_a_state_directory_in_use_ends_with_3(configure):
    """Two processes never share a state directory."""
    path = configure()
    database = Database(path.with_suffix(""))
    try:
        done = run("run", "--config", str(path))
    finally:
        database.close()
    assert done.returncode == 3
    assert "in use by another driftwatch process" in last_line(done)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('task = "binary"', 'task = "bianry"', "models[0].task"),
        ("[state]", "[states]", "states: there is no such key"),
        ('size = "1h"', "size = 60", "models[0].window.size"),
        ("fraud.reference", "nowhere.reference", "models[0].reference: there is no file"),
        ("[server]", "[server", "is not TOML"),
    ],
)
def test_a_wrong_configuration_ends_with_2_before_anything_runs(configure, before, after, words):
    """One line says where; no state directory was made."""
    path: Path = configure()
    path.write_text(path.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
    done = run("run", "--config", str(path))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("driftwatch: ")
    assert words in done.stderr
    assert not path.with_suffix("").exists()
