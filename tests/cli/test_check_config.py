"""`driftwatch check-config`: what would run, or what is wrong."""

import re
import shutil

import pytest

from tests.config.test_example import EXAMPLE


def test_good(driftwatch, world):
    """It says what would be watched, and how."""
    ended = driftwatch("check-config", world / "c.toml")
    assert (ended.code, ended.err) == (0, "")
    described = 'model "loan": binary, 2 numeric and 2 categorical columns, reference of 2000 rows, '
    described += 'windows of 500 rows, rules: "drift"'
    assert ended.out.splitlines() == [
        described,
        '  labels are waited for 7 days, 0:00:00; the positive class is "1", the negative one "0"',
        "`driftwatch run` would also need [state] and [[sources]]; the offline commands do not",
        f"{world / 'c.toml'}: good",
    ]


@pytest.mark.parametrize(
    ("alerting", "rules", "said"),
    [
        ("", '"drift", "concept", ', "1 per 720 windows; the smallest effect that matters: tv 0.05"),
        (
            """[models.alerting]
            budget = "2 per 1000 windows"
            min_effect = { psi = 0.1, tv = 0.02 }
            [models.columns.amount]
            min_effect = 0.1
            """,
            '"drift", "concept", ',
            "2 per 1000 windows; the smallest effect that matters: psi 0.1, tv 0.02 (1 columns have their own)",
        ),
        ('[models.alerting]\nbudget = "none"\n', '"concept", ', ""),
    ],
)
def test_without_rules_the_budget_is_told(driftwatch, world, alerting, rules, said):
    """Nobody wrote a threshold: drift is watched by a budget of false alarms, unless it is switched off."""
    path = world / "c.toml"
    config = path.read_text(encoding="utf-8")
    path.write_text(config[: config.index("[[models.rules]]")] + alerting, encoding="utf-8")
    ended = driftwatch("check-config", path)
    assert (ended.code, ended.err) == (0, "")
    first, *others = ended.out.splitlines()
    assert f"rules: {rules}" in first
    told = [line for line in others if line.startswith("  budget")]
    assert told == ([f"  budget of false alarms: {said}"] if said else [])


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (
            'classes = ["1", "0"]',
            '  labels are waited for 7 days, 0:00:00; the positive class is "0", the negative one "1"',
        ),
        (
            'label_wait = "36h"',
            '  labels are waited for 1 day, 12:00:00; the positive class is "1", the negative one "0"',
        ),
        (
            "remember_predictions = 0",
            '  labels are not joined (remember_predictions = 0); the positive class is "1", the negative one "0"',
        ),
    ],
)
def test_labels(driftwatch, world, key, said):
    """It says how labels are joined, and which class is the positive one: a wrong guess turns all metrics round."""
    path = world / "c.toml"
    config = path.read_text(encoding="utf-8")
    path.write_text(config.replace('task = "binary"', f'task = "binary"\n{key}'), encoding="utf-8")
    ended = driftwatch("check-config", path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[1] == said


def test_bad(driftwatch, tmp_path):
    """What is wrong is one line on stderr."""
    path = tmp_path / "c.toml"
    path.write_text('[[models]]\nname = "loan"\n', encoding="utf-8")
    ended = driftwatch("check-config", path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"driftwatch: {path}: models[0].task: this key is missing; "
        'write one of "binary", "multiclass", "regression", "ranking", "none"\n'
    )


def test_wrong_for_its_reference(driftwatch, world):
    """What only the reference shows to be wrong names the file, too."""
    path = world / "c.toml"
    path.write_text(path.read_text(encoding="utf-8") + 'columns = ["age"]\n', encoding="utf-8")
    ended = driftwatch("check-config", path)
    assert ended.code == 2
    assert ended.err == (
        f'driftwatch: {path}: models[0].rules[0].columns: the reference has no column "age"; '
        "it has amount, score, country, prediction\n"
    )


def test_a_rule_for_segments_that_are_not_there(driftwatch, world):
    """A name that is written wrong would watch nothing."""
    path = world / "c.toml"
    path.write_text(path.read_text(encoding="utf-8") + 'segments = ["", "channel=web"]\n', encoding="utf-8")
    ended = driftwatch("check-config", path)
    assert ended.code == 2
    assert ended.err == (
        f'driftwatch: {path}: models[0].rules[0].segments: no segment is called "channel=web"; the reference has none\n'
    )


def test_example(driftwatch, world, monkeypatch):
    """The example is good as soon as the files that it names are there; references are made with it."""
    shutil.copy(EXAMPLE, world / "example.toml")
    lines = ["time,amount,country,age,plan,order,pressure,member,score,prediction,distance"]
    lines += [
        f"{1_767_225_600 + 3_600 * n},{n}.5,{'DE' if n % 3 else 'FR'},{20 + n % 50},{'free' if n % 4 else 'pro'},"
        f"AB-{1000 + n},{n % 9},{'true' if n % 2 else 'false'},0.{n % 10},{n % 2},{n % 7}"
        for n in range(300)
    ]
    (world / "history.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (world / "secrets").mkdir()
    for name in ("kafka", "ca.pem", "client.pem", "client.key", "hook", "airflow", "mlflow"):
        (world / "secrets" / name).write_text("secret\n", encoding="utf-8")
    for name in re.findall(r"^\w+_env = \"(\w+)\"", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE):
        monkeypatch.setenv(name, "https://example.com/secret")
    example = world / "example.toml"
    for name in ("fraud", "demand", "bids"):
        built = driftwatch(
            "reference", "build", world / "history.csv", "--config", example, "--model", name,
            "-o", world / f"{name}.reference",
        )  # fmt: skip
        assert built.code == 0, built.err
    ended = driftwatch("check-config", example)
    assert (ended.code, ended.err) == (0, "")
    assert "windows of 1:00:00 every 0:05:00" in ended.out
    assert 'target "retrain": webhook, told of retrain' in ended.out
    assert ended.out.endswith("example.toml: good\n")
    assert "would also need" not in ended.out
