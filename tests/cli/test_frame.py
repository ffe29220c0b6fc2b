"""Help, version, wrong usage, and how what goes wrong becomes an exit code and one line."""

import re
import subprocess
import sys

import pytest

import driftwatch as package
from driftwatch.errors import ConfigError, DataError, SinkError, SourceError, StateError

HEAVY = ("numpy", "scipy", "pydantic", "fastapi", "httpx", "kafka", "pyarrow", "rich", "structlog", "msgspec")
COMMANDS = (
    [],
    ["alerts"],
    ["alerts", "approve"],
    ["deliveries", "replay"],
    ["silences", "add"],
    ["incidents"],
    ["run"],
    ["demo"],
    ["check-config"],
    ["replay"],
    ["reference"],
    ["reference", "build"],
)


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help(driftwatch, command):
    """Every command explains itself on stdout, within 80 columns."""
    ended = driftwatch(*command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert "Usage: driftwatch" in ended.out
    assert not re.search(r"Commands:.*\.\.\.$", ended.out, re.DOTALL | re.MULTILINE), "a line was cut"
    assert max(map(len, ended.out.splitlines())) <= 80


def test_help_loads_nothing_heavy():
    """`driftwatch --help` answers at once: numpy and the like are loaded only by commands that need them."""
    code = (
        "import sys\n"
        "from driftwatch.cli.app import main\n"
        "sys.argv = ['driftwatch', '--help']\n"
        "try:\n    main()\n"
        f"finally:\n    print('loaded:', sorted(set(sys.modules) & set({HEAVY!r})))\n"
    )
    ended = python(code)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == "loaded: []"


def test_version(driftwatch):
    """The version is the package's."""
    ended = driftwatch("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"driftwatch {package.__version__}\n", "")


def test_module():
    """`python -m driftwatch` is the command."""
    ended = subprocess.run(
        [sys.executable, "-m", "driftwatch", "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, f"driftwatch {package.__version__}\n")


@pytest.mark.parametrize("command", [[], ["reference"]], ids=["driftwatch", "reference"])
def test_no_command(driftwatch, command):
    """A group without a command shows its help, as an error."""
    ended = driftwatch(*command)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Usage: driftwatch")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], r"No such command 'nosuch'"),
        (["run"], r"Missing option '--config'"),
        (["replay", "--config", "c.toml"], r"Missing option '--predictions'"),
        (["replay", "--confg", "c.toml"], r"No such option:? '?--confg"),
        (["run", "--config"], r"Option '--config' requires an argument"),
        (["check-config"], r"Missing argument 'FILE'"),
        (["demo", "--port", "web"], r"Invalid value for '--port'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(driftwatch, arguments, said):
    """What was not understood is said in one line, with where to read more."""
    ended = driftwatch(*arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert re.match(rf"driftwatch: {said}.*; see `driftwatch.* --help`$", ended.err, re.IGNORECASE)


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConfigError, 2), (DataError, 2), (StateError, 3), (SourceError, 1), (SinkError, 1)],
)
def test_exit_codes(driftwatch, monkeypatch, error, code):
    """The kind of error decides the exit code; its text is one line whatever it holds."""

    def fail(*_: object) -> None:
        raise error("first\nsecond")

    monkeypatch.setattr("driftwatch.config.load", fail)
    ended = driftwatch("check-config", "c.toml")
    assert (ended.code, ended.out, ended.err) == (code, "", "driftwatch: first second\n")


def test_a_bug_shows_where_it_is():
    """What nobody foresaw ends with 1 and its traceback, which a bug report needs."""
    ended = python(
        "import sys, driftwatch.config\n"
        "from driftwatch.cli.app import main\n"
        "driftwatch.config.load = lambda *_: 1 / 0\n"
        "sys.argv = ['driftwatch', 'check-config', 'c.toml']\n"
        "main()\n"
    )
    assert ended.returncode == 1
    assert ended.stderr.rstrip().endswith("ZeroDivisionError: division by zero")
