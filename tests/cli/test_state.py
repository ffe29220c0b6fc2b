"""`driftwatch state`: on a directory in use, on one that was left, and on one that is damaged."""

import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from driftwatch.cli.app import main
from driftwatch.store.database import FILE
from driftwatch.store.tables import VERSION
from tests.scenarios import events, world
from tests.scenarios.fixtures import configure, reference, stream
from tests.scenarios.probe import post_all, running

__all__ = ["configure", "reference", "stream"]


@dataclass
class Done:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def state(monkeypatch, capsys) -> Callable[..., Done]:
    """Run `driftwatch state …` in this process."""

    def run(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["driftwatch", "state", *map(str, arguments)])
        capsys.readouterr()  # what a service said before
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Done(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture(scope="module")
def counted(reference, stream, tmp_path_factory) -> Path:
    """The directory of a service that has counted everything and was stopped."""
    path = world.configuration(tmp_path_factory.mktemp("counted"), reference)
    with running(path) as (_, probe):
        post_all(probe, events.portions(stream.lines))
        probe.wait_counted(len(stream.lines))
    return path.with_suffix("")


@pytest.fixture
def used(counted, tmp_path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(counted, tmp_path / "used"))


def test_a_directory_in_use_can_be_hashed_verified_and_copied(configure, stream, tmp_path, state):
    """The copy is a state to go on from: counters and hash are those of the moment."""
    path, lines = configure(), stream.lines[:1_500]
    with running(path) as (service, probe):
        post_all(probe, events.portions(lines))
        probe.wait_counted(len(lines))
        probe.wait(lambda: service.engine.positions == _saved_positions(path.with_suffix("")), "the checkpoint")
        done = [state(do, path.with_suffix("")) for do in ("hash", "verify")]
        done.append(state("backup", path.with_suffix(""), "-o", tmp_path / "copy"))
        done.append(state("hash", tmp_path / "copy"))
    assert [each.returncode for each in done] == [0, 0, 0, 0], [each.stderr for each in done]
    assert done[0].stdout == done[3].stdout
    assert ": good: 1 models, " in done[1].stdout
    assert [file.name for file in (tmp_path / "copy").iterdir() if file.stat().st_size] == [FILE]

    shutil.move(tmp_path / "copy", tmp_path / "again")
    with running(configure(state="again")) as (_, probe):
        assert sum(probe.metrics().results().values()) == len(lines)


def _saved_positions(directory: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{directory / FILE}?mode=ro", uri=True)) as connection:
        return dict(connection.execute("SELECT partition, position FROM positions"))


def test_hash_is_the_same_however_the_stream_was_cut(used, configure, stream, tmp_path, state):
    """Stopped and started in between: equal; one event more: different."""
    path, bodies = configure(state="other"), events.portions(stream.lines)
    for part in (bodies[:7], bodies[7:]):
        with running(path) as (_, probe):
            post_all(probe, part)
    with running(path) as (_, probe):
        probe.wait_counted(len(stream.lines))
    other = path.with_suffix("")
    before = state("hash", other).stdout
    assert state("hash", used).stdout == before
    with running(path) as (_, probe):
        probe.post(stream.lines[-1].replace(b'"id": "', b'"id": "z'))
        probe.wait_counted(len(stream.lines) + 1)
    assert state("hash", other).stdout != before


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE positions SET position = position - 1", "are not those that were saved together"),
        ("DELETE FROM panes WHERE key = (SELECT MIN(key) FROM panes)", "are not those that were saved together"),
        ("DELETE FROM panes WHERE key LIKE 'slow/%'", "are not those that were saved together"),
        ("UPDATE monitors SET state = CAST(state || ' ' AS BLOB)", "model fraud does not fit its checksum"),
        ("UPDATE alerts SET state = 'firing'", "rows of alerts do not fit their checksums"),
        ("DELETE FROM alerts", "which is not there"),
        ("UPDATE reports SET document = x'00'", "reports cannot be read"),
        ("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'inbox'", "the inbox's sequence stands at 1"),
        ("DROP INDEX letters_waiting", "its tables are not declared as its version declares them"),
        (f"UPDATE schema_version SET version = {VERSION + 1}", "run the release that wrote it, or a newer one"),
    ],
)
def test_verify_says_in_one_line_what_is_wrong(used, statement, words, state):
    """It ends with 3; what only a person can have changed is found as well."""
    with closing(sqlite3.connect(used / FILE)) as connection, connection:
        connection.execute(statement)
    done = state("verify", used)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert done.stderr.startswith(f"driftwatch: {used}")
    assert words in done.stderr


@pytest.mark.parametrize("do", ["hash", "verify", "backup"])
def test_a_directory_without_a_state_ends_with_3(do, tmp_path, state):
    """Nothing is made on the way."""
    done = state(do, tmp_path / "nowhere", *(["-o", tmp_path / "copy"] if do == "backup" else []))
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "there is no such file" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_backup_overwrites_nothing(used, state):
    """The target must be new."""
    done = state("backup", used, "-o", used)
    assert done.returncode == 3
    assert "exists already" in done.stderr


def test_a_damaged_directory_gives_no_backup_that_looks_good(used, tmp_path, state):
    """The copy is verified before the command says so."""
    with closing(sqlite3.connect(used / FILE)) as connection, connection:
        connection.execute("UPDATE positions SET position = 0")
    done = state("backup", used, "-o", tmp_path / "copy")
    assert done.returncode == 3
    assert done.stdout == ""
