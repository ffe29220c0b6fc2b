"""Configurations that hold: what is read from them, the environment over them, and where paths start."""

from pathlib import Path

import pytest

from driftwatch.config import load, parse
from driftwatch.daemon.secrets import check_secrets
from driftwatch.daemon.watch import load_watches
from driftwatch.errors import ConfigError
from driftwatch.evaluation.defaults import default_rules
from driftwatch.sinks.targets.kinds import KINDS
from driftwatch.stream.reference_spec import ReferenceSpec

GOOD = sorted((Path(__file__).parent / "good").glob("*.toml"))
MODEL = '[[models]]\nname = "fraud"\ntask = "binary"\nreference = "here/fraud.reference"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "c.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_every_model_can_be_watched(path):
    """Nothing is wrong with it."""
    assert [watch.spec.name for watch in load_watches(load(path, {}))]


def test_a_target_of_every_kind(monkeypatch):
    """Each can be made of few keys; pipelines are asked for retraining, people are told, the rest takes all."""
    monkeypatch.setenv("HOOK_SECRET", "geheim")
    monkeypatch.setenv("SLACK_URL", "https://hooks.slack.com/services/T0/B0/x")
    config = load(Path(__file__).parent / "good" / "targets.toml", {})
    check_secrets(config)

    assert sorted(target.type for target in config.targets) == sorted(KINDS)
    takes = {target.type: target.actions for target in config.targets}
    assert {kind for kind, actions in takes.items() if actions == ("notify",)} == {"alertmanager", "pagerduty", "slack"}
    assert {kind for kind, actions in takes.items() if len(actions) == 3} == {"webhook", "cloudevents"}
    assert {actions for kind, actions in takes.items() if kind in {"github", "gitlab", "jenkins"}} == {("retrain",)}


def test_defaults(tmp_path):
    """What is not written is what the contract says."""
    config = load(written(tmp_path, MODEL + '[state]\npath = "state"\n'), {})
    model = config.models[0]
    assert config.server.listen == "0.0.0.0:9464"
    assert config.state is not None
    assert (config.state.checkpoint, config.state.retention) == (5_000, 90 * 86_400_000)
    assert (model.window.size, model.window.slide, model.window.rows) == (3_600_000, None, None)
    assert (model.groups, model.rules) == (10, list(default_rules(model.task)))


@pytest.mark.parametrize(
    ("variable", "text", "read"),
    [
        ("SERVER__LISTEN", "127.0.0.1:1", lambda config: config.server.listen == "127.0.0.1:1"),
        ("SERVER__LISTEN", '"127.0.0.1:1"', lambda config: config.server.listen == "127.0.0.1:1"),
        ("SERVER__MAX_SERIES", "200", lambda config: config.server.max_series == 200),
        ("MODELS__0__NAME", "other", lambda config: config.models[0].name == "other"),
        ("MODELS__0__WINDOW__SIZE", "5m", lambda config: config.models[0].window.size == 300_000),
        ("MODELS__0__WINDOW", "{ rows = 7 }", lambda config: config.models[0].window.rows == 7),
        ("MODELS__0__IGNORE", '["a", "b"]', lambda config: config.models[0].ignore == ["a", "b"]),
        ("MODELS__0__COLUMNS__AMOUNT__COERCE", "true", lambda config: config.models[0].columns["Amount"].coerce),
        ("SERVER_LISTEN", "single underscores are not ours", lambda config: config.server.listen == "0.0.0.0:9464"),
    ],
)
def test_environment(tmp_path, variable, text, read):
    """A variable stands over the file, as TOML where it is TOML, else as text."""
    path = written(tmp_path, MODEL + 'window = { size = "1h" }\n[models.columns]\nAmount = { kind = "numeric" }\n')
    assert read(load(path, {f"DRIFTWATCH_{variable}": text}))


def test_the_process_environment_is_read(tmp_path, monkeypatch):
    """Without being told otherwise, load looks at the environment of the process."""
    monkeypatch.setenv("DRIFTWATCH_SERVER__LISTEN", "127.0.0.1:7")
    assert load(written(tmp_path, MODEL)).server.address == ("127.0.0.1", 7)


def test_paths_start_where_the_file_stands(tmp_path, monkeypatch):
    """Relative paths of every kind are relative to the file; absolute ones and ~ stand for themselves."""
    monkeypatch.setenv("HOME", "/home/someone")
    config = load(
        written(
            tmp_path,
            MODEL
            + '[state]\npath = "~/state"\n'
            + '[[sources]]\ntype = "files"\npredictions = ["in/*.jsonl", "/data/*.jsonl"]\nlabels = ["out"]\n'
            + '[[sources]]\ntype = "kafka"\nbrokers = ["a:1"]\nlabels = ["b"]\n'
            + 'security = { protocol = "SASL_SSL", mechanism = "PLAIN", username = "u", password_file = "p", '
            + 'ca_file = "ca", cert_file = "cert", key_file = "key" }\n'
            + '[[targets]]\nname = "a"\nurl = "http://a"\nsecret_file = "secrets/a"\n',
        ),
        {},
    )
    files, kafka = config.sources
    assert config.models[0].reference == ReferenceSpec(file=str(tmp_path / "here/fraud.reference"))
    assert config.state is not None
    assert config.state.path == "/home/someone/state"
    assert files.predictions == [str(tmp_path / "in/*.jsonl"), "/data/*.jsonl"]
    assert files.labels == [str(tmp_path / "out")]
    assert kafka.labels == ["b"]
    names = ("password_file", "ca_file", "cert_file", "key_file")
    assert [getattr(kafka.security, name) for name in names] == [
        str(tmp_path / name) for name in ("p", "ca", "cert", "key")
    ]
    assert config.targets[0].secret_file == str(tmp_path / "secrets/a")


def test_paths_start_at_the_link_not_at_its_target(tmp_path):
    """A mounted ConfigMap is a link into a folder that its next change removes."""
    (tmp_path / "mounted").mkdir()
    link = tmp_path / "c.toml"
    link.symlink_to(written(tmp_path / "mounted", MODEL))
    assert load(link, {}).models[0].reference == ReferenceSpec(file=str(tmp_path / "here/fraud.reference"))


def test_models_are_found_by_name(tmp_path):
    """A name that the file does not have is answered with those that it has."""
    config = parse({"models": [{"name": "a", "task": "none"}]}, where="here", directory=tmp_path)
    assert config.model("a") is config.models[0]
    with pytest.raises(ConfigError, match=r'^models: no model is called "b"; the file has "a"$'):
        config.model("b")


def test_the_document_is_left_as_it_was(tmp_path):
    """Overriding makes a copy."""
    document = {"models": [{"name": "a", "task": "none"}]}
    parse(document, where="here", directory=tmp_path)
    assert document == {"models": [{"name": "a", "task": "none"}]}
