"""Every wrong configuration is refused in one line that says where it is wrong and what to do."""

from pathlib import Path

import pytest

from driftwatch.config import load, naming
from driftwatch.daemon.secrets import check_secrets
from driftwatch.daemon.watch import load_watches
from driftwatch.errors import ConfigError

BAD = sorted((Path(__file__).parent / "bad").glob("*.toml"))
EXPECT = "# expect: "
MODEL = '[[models]]\nname = "fraud"\ntask = "binary"\n'


def built(path: Path, environment) -> None:
    """Everything that can fail before anything runs."""
    config = load(path, environment)
    with naming(path):
        load_watches(config)
        check_secrets(config)


def refusal(path: Path, environment=None) -> str:
    """What `check-config` says of a file, without the file's name."""
    with pytest.raises(ConfigError) as refused:
        built(path, environment or {})
    prefix, text = f"{path}: ", str(refused.value)
    assert text.startswith(prefix)
    return text.removeprefix(prefix)


def test_there_are_enough():
    """The corpus is not lost by accident."""
    assert len(BAD) >= 100


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_message(path, monkeypatch):
    """The message is exactly what the file's first line expects."""
    monkeypatch.setenv("HOOK_SECRET", "secret")
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(EXPECT)
    assert refusal(path).replace(str(path.parent), "{here}") == first.removeprefix(EXPECT)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_one_line_without_secrets(path, monkeypatch):
    """No message has a second line, a word of pydantic's, or a secret that stood at the wrong place."""
    monkeypatch.setenv("HOOK_SECRET", "secret")
    text = refusal(path)
    assert "\n" not in text
    assert "pydantic" not in text
    assert "Input should" not in text
    assert "hunter2" not in text
    assert "whsec_" not in text


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("SERVER__LISTEN", "9464", 'server.listen: write text in quotes, not a number; for example "0.0.0.0:9464"'),
        ("SERVR__LISTEN", "0.0.0.0:1", 'servr: there is no such key; did you mean "server"?'),
        ("MODELS__0__TASK", "binry", 'models[0].task: "binry" is not known; did you mean "binary"?'),
        ("MODELS__0__GROUPS", "ten", "models[0].groups: write a whole number, not text"),
        ("MODELS__0__WINDOW__SIZE", "3600", "models[0].window.size: write a duration as text with a unit, such as"),
        ("MODELS__0__LABEL_WAIT", "14", "models[0].label_wait: write a duration as text with a unit, such as"),
    ],
)
def test_environment(tmp_path, variable, text, expected):
    """What a variable got wrong is said with the key and the variable."""
    path = tmp_path / "c.toml"
    path.write_text(MODEL, encoding="utf-8")
    said = refusal(path, {f"DRIFTWATCH_{variable}": text})
    assert said.startswith(expected)
    assert said.endswith(f"(see DRIFTWATCH_{variable})")


@pytest.mark.parametrize("variable", ["MODELS__1__NAME", "MODELS__X__NAME", "MODELS__0__NAME__FIRST", "SERVER____A"])
def test_environment_leads_nowhere(tmp_path, variable):
    """A variable for a place that the file does not have is named."""
    path = tmp_path / "c.toml"
    path.write_text(MODEL, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf'^DRIFTWATCH_{variable}: the file has no ".*" there to override; write'):
        load(path, {f"DRIFTWATCH_{variable}": "x"})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "no such file or directory; name an existing TOML file"),
        (b"\xff\xfe[\x00", "is not UTF-8 text; save it as UTF-8"),
        (b"a = " + b"[" * 100_000, "is not TOML: maximum recursion depth exceeded"),
        (b"\x00", "is not TOML: invalid statement"),
    ],
)
def test_unreadable(tmp_path, content, expected):
    """What is no TOML file at all is said so."""
    path = tmp_path / "c.toml"
    if content is not None:
        path.write_bytes(content)
    assert refusal(path).startswith(expected)


def test_directory(tmp_path):
    """A directory is no file."""
    assert refusal(tmp_path) == "is a directory; name an existing TOML file"


def test_damaged_reference(tmp_path):
    """A reference that cannot be trusted is the operator's to make again."""
    (tmp_path / "fraud.reference").write_bytes(b"nonsense")
    path = tmp_path / "c.toml"
    path.write_text(MODEL + 'reference = "fraud.reference"\n', encoding="utf-8")
    assert refusal(path) == (
        f"models[0].reference: {tmp_path}/fraud.reference: "
        "not written by driftwatch: the first bytes are not its mark; make it again with `driftwatch reference build`"
    )


def test_more_mistakes_are_counted(tmp_path):
    """One mistake is told at a time, and how many more there are."""
    path = tmp_path / "c.toml"
    path.write_text(MODEL + 'groups = 1\nignore = "x"\nwindow = { size = 5 }\n', encoding="utf-8")
    assert refusal(path).endswith('or "7d" (and 2 more)')
