"""What a reference keeps of its own labels, and what becomes of it: shown, loaded, calibrated by."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from driftwatch.cli.reference import app
from driftwatch.config import ModelSpec
from driftwatch.daemon.referencing import build_reference
from driftwatch.daemon.watch import watch
from driftwatch.errors import ConfigError
from driftwatch.quality.building import make_assessor
from driftwatch.sources import table_parquet
from driftwatch.statistics.concept import bounded_errors, error_scale
from driftwatch.statistics.reading import Stage
from driftwatch.stream.join.joined import Settled
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import LABELLED, WAITING, Answers, OutputForm
from driftwatch.stream.schema import FieldsSpec, Task
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.known_outcomes import PARTS
from driftwatch.summaries.reference import Reference

ROWS = 5000


def build(*paths, task=Task.BINARY, **spec):
    """A reference of a model called m, after a trip through its file."""
    model = ModelSpec(name="m", task=task, **spec)
    reference = build_reference([str(path) for path in paths], model, now_ms=5, progress=lambda *_: None)
    return Reference.from_bytes(reference.to_bytes())


def table(path, **columns):
    """A Parquet file."""
    pq.write_table(pa.table(columns), path)
    return path


def scored(rows=ROWS, *, seed=0):
    """Scores that are worth what they say, the classes that they predict, and labels."""
    rng = np.random.default_rng(seed)
    scores = rng.random(rows)
    return {
        "score": scores,
        "prediction": (scores >= 0.5).astype(int),
        "label": (rng.random(rows) < scores).astype(int),
    }


def measured(rows=ROWS, *, seed=0, noise=1.0):
    """Predictions of a number, and labels."""
    rng = np.random.default_rng(seed)
    prediction = rng.normal(10, 3, rows)
    return {"prediction": prediction, "label": prediction + noise * rng.normal(size=rows)}


def window(form, columns, *, labelled):
    """A window of these rows as the join gives it back."""
    rows = len(columns["label"])
    outputs, outcomes = np.zeros(rows, form.outputs), np.zeros(rows, form.outcomes)
    for name in form.outputs.names:
        outputs[name] = columns.get(name, np.nan)
    outcomes["label"], outcomes["value"] = columns["label"], np.nan
    state = np.full(rows, LABELLED if labelled else WAITING, dtype=np.uint8)
    answers = Answers(outputs, outcomes, state, np.zeros(rows, dtype=np.int64))
    return Recalled(window=0, version=0, times=np.zeros(rows, dtype=np.int64), answers=answers, rate=1.0)


def assessor_of(reference, *, task=Task.BINARY):
    """Whoever measures the reference's model, and the form of its outputs."""
    form = OutputForm(task, reference.outcomes.classes)
    return make_assessor(form, reference.layout, known=reference.outcomes), form


def settled(recalled):
    """The labels of a window as they come in."""
    answers, times = recalled.answers, recalled.times
    return Settled(times, times, answers.outputs, answers.outcomes, delays_ms=times, times_ms=times)


def values(assessor, recalled, *, stage=Stage.INTERIM):
    """(family, metric) → reading."""
    found = assessor.measure(recalled, version="", stage=stage, now_ms=0).readings
    return {(reading.family, reading.statistic): reading for reading in found}


def test_every_label_is_counted_in_its_part(tmp_path):
    """Ten consecutive parts of the rows; a label that is missing or wrong is in none."""
    columns = scored()
    texts = columns["label"].astype(str).astype(object)
    texts[3::10], texts[4::10] = None, "?"
    labels = pa.array(texts)
    reference = build(table(tmp_path / "a.parquet", **{**columns, "label": labels}))
    known = reference.outcomes
    places = np.arange(ROWS) % 10
    kept = (places != 3) & (places != 4)
    right = columns["prediction"] == columns["label"]
    assert (known.rows, known.losses, known.refused) == (kept.sum(), (~right)[kept].sum(), ROWS // 10)
    assert known.performance == ("accuracy", pytest.approx(right[kept].mean()))
    assert reference.layout.names == ("score", "prediction")
    form = OutputForm(Task.BINARY, known.classes)
    for part in range(PARTS):
        some = np.flatnonzero(kept & (np.arange(ROWS) * PARTS // ROWS == part))
        answers = window(form, {name: column[some] for name, column in columns.items()}, labelled=True).answers
        counted = BinaryState.of(answers, form, grid=known.scores.grid).labelled
        np.testing.assert_array_equal(known.scores.counts[part], counted)


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_outcomes_do_not_depend_on_how_the_table_is_cut(tmp_path, monkeypatch, task):
    """One file or two, large or small batches."""
    columns = measured() if task is Task.REGRESSION else scored()
    whole = table(tmp_path / "whole.parquet", **columns)
    halves = [
        table(tmp_path / f"{start}.parquet", **{name: column[start : start + 2500] for name, column in columns.items()})
        for start in (0, 2500)
    ]
    expected = build(whole, task=task).outcomes
    monkeypatch.setattr(table_parquet, "_ROWS", 100)
    found = build(*halves, task=task).outcomes
    assert (found.rows, found.refused) == (expected.rows, expected.refused)
    assert found.losses == pytest.approx(expected.losses, rel=1e-12)
    assert found.performance == (expected.performance[0], pytest.approx(expected.performance[1], rel=1e-12))
    for name, array in expected.arrays().items():
        np.testing.assert_allclose(found.arrays()[name], array, rtol=1e-9, atol=1e-6, err_msg=name)


def test_a_regressions_errors_are_kept(tmp_path):
    """Mean absolute error, the scale of the bounded loss, and its sum, as the rows themselves have them."""
    columns = measured()
    known = build(table(tmp_path / "a.parquet", **columns), task=Task.REGRESSION).outcomes
    errors = columns["prediction"] - columns["label"]
    assert known.performance == ("mae", pytest.approx(np.abs(errors).mean(), rel=1e-12))
    assert known.errors.scale == error_scale(errors)
    assert known.losses == pytest.approx(bounded_errors(errors, scale=known.errors.scale).sum(), rel=1e-12)


def test_several_classes_keep_their_accuracy(tmp_path):
    """Number of labelled rows and of wrong ones."""
    path = table(tmp_path / "a.parquet", prediction=["a", "b", "c", "a"], label=["a", "b", "a", None])
    known = build(path, task=Task.MULTICLASS).outcomes
    assert (known.rows, known.losses, known.classes) == (3, 1, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("task", "columns"),
    [
        (Task.NONE, {"x": [1.0], "label": [1]}),
        (Task.RANKING, {"score": [1.0], "label": [1]}),
        (Task.BINARY, {"score": [1.0]}),
    ],
)
def test_without_labels_nothing_is_known(tmp_path, task, columns):
    """No label column, or a task whose labels are no column."""
    assert build(table(tmp_path / "a.parquet", **columns), task=task).outcomes is None


def test_labels_of_none_of_the_classes_are_told(tmp_path):
    """A reference whose labels have other names than its predictions is built, and says so."""
    path = table(tmp_path / "a.parquet", prediction=["no", "yes"] * 5, label=["bad", "good"] * 5)
    config = tmp_path / "c.toml"
    config.write_text('[[models]]\nname = "m"\ntask = "binary"\n')
    out = str(tmp_path / "m.reference")
    built = CliRunner().invoke(app, ["build", str(path), "--config", str(config), "--model", "m", "-o", out])
    assert "labels: 0 rows, 10 cannot be read as no or yes" in " ".join(built.output.split())
    shown = json.loads(CliRunner().invoke(app, ["show", out, "--json"]).stdout)
    assert shown["labels"] == {"rows": 0, "refused": 10}


def test_show_tells_of_labels(tmp_path):
    """How many, and how good the model was."""
    path = table(tmp_path / "a.parquet", prediction=[0, 1, 1, 1], label=[0, 1, 0, 1], score=[0.1, 0.9, 0.8, 0.7])
    config = tmp_path / "c.toml"
    config.write_text('[[models]]\nname = "m"\ntask = "binary"\n')
    out = str(tmp_path / "m.reference")
    CliRunner().invoke(app, ["build", str(path), "--config", str(config), "--model", "m", "-o", out])
    assert "labels       4 rows, accuracy 0.75" in CliRunner().invoke(app, ["show", out]).stdout
    assert json.loads(CliRunner().invoke(app, ["show", out, "--json"]).stdout)["labels"] == {
        "rows": 4, "refused": 0, "accuracy": 0.75,
    }  # fmt: skip


@pytest.mark.parametrize("task", [Task.BINARY, Task.REGRESSION])
def test_a_window_without_labels_is_estimated(tmp_path, task):
    """From the reference alone, the first window has its estimate, and the truth lies within the bounds."""
    make, metric = (scored, "accuracy") if task is Task.BINARY else (measured, "mae")
    reference = build(table(tmp_path / "a.parquet", **make(20_000)), task=task)
    assessor, form = assessor_of(reference, task=task)
    recalled = window(form, make(2000, seed=1), labelled=False)
    estimate = values(assessor, recalled)["estimation", metric]
    truth = values(assessor, window(form, make(2000, seed=1), labelled=True), stage=Stage.FINAL)["performance", metric]
    assert estimate.lower < truth.value < estimate.upper
    without = make_assessor(form, reference.layout)
    assert not [family for family, _ in values(without, recalled) if family == "estimation"]


def test_the_reference_fades_the_oldest_part_first(tmp_path):
    """Its first half knew less: as labels come it is forgotten first, and then so is the other half."""
    columns = scored(50_000)
    coins = np.random.default_rng(1).integers(0, 2, 25_000)
    columns["label"][:25_000] = coins
    assessor, form = assessor_of(build(table(tmp_path / "a.parquet", **columns)))
    rows = scored(5000, seed=2)
    recalled = window(form, rows, labelled=False)
    promised = []
    for end in range(11):
        promised.append(values(assessor, recalled)["estimation", "accuracy"].value)
        assessor.learn(window(form, rows, labelled=True).answers, version="", end=end)
    assert promised[0] == pytest.approx(0.625, abs=0.01)
    assert promised[:6] == sorted(promised[:6])
    assert promised[5] == pytest.approx(0.75, abs=0.01)
    assert promised[10] == pytest.approx((rows["prediction"] == rows["label"]).mean(), abs=0.005)


@pytest.mark.parametrize("task", [Task.BINARY, Task.REGRESSION])
def test_the_loss_is_held_against_the_references(tmp_path, task):
    """A model that is worse than its reference from its very first label on is noticed."""
    make = scored if task is Task.BINARY else measured
    reference = build(table(tmp_path / "a.parquet", **make(20_000)), task=task)
    assessor, form = assessor_of(reference, task=task)
    rows = make(3000, seed=1)
    worse = {**rows, "label": 1 - rows["label"]} if task is Task.BINARY else measured(3000, noise=3.0)
    changes = []
    for columns in (rows, worse):
        recalled = window(form, columns, labelled=True)
        assessor.settle(settled(recalled), {0: ""})
        changes.append(values(assessor, recalled)["concept", "loss_change"])
    assert changes[0].lower <= 0
    assert changes[1].lower > 0


def test_late_positives_are_corrected_for_by_score(tmp_path):
    """Rare positives whose labels are late, and later at low scores: accuracy is much less off than without."""
    rng = np.random.default_rng(0)

    def drawn(rows, *, waited_hours=None):
        scores = rng.beta(0.4, 4.0, rows)
        label = (rng.random(rows) < scores).astype(int)
        hours = rng.exponential(np.where(label == 1, 6.0, 2.0) * np.where(scores > 0.2, 0.5, 1.5))
        columns = {"score": scores, "prediction": (scores >= 0.5).astype(int), "label": label}
        recalled = window(form, columns, labelled=True)
        state = LABELLED if waited_hours is None else np.where(hours <= waited_hours, LABELLED, WAITING)
        answers = replace(
            recalled.answers,
            state=np.broadcast_to(state, rows).astype(np.uint8),
            delays_ms=(hours * 3_600_000).astype(np.int64),
        )
        return replace(recalled, answers=answers), columns

    form = OutputForm(Task.BINARY, ("0", "1"))
    _, columns = drawn(50_000)
    assessor, _ = assessor_of(build(table(tmp_path / "a.parquet", **columns)))
    for end in range(8):
        assessor.learn(drawn(5000)[0].answers, version="", end=end)
    off = []
    for _ in range(20):
        recalled, columns = drawn(5000, waited_hours=4)
        found = assessor.measure(recalled, version="", stage=Stage.INTERIM, now_ms=4 * 3_600_000).readings
        (reading,) = (each for each in found if (each.family, each.statistic) == ("performance", "accuracy"))
        truth = (columns["prediction"] == columns["label"]).mean()
        off.append([reading.support.naive - truth, reading.value - truth])
    naive, corrected = np.mean(off, axis=0)
    assert naive > 0.01
    assert abs(corrected) < naive / 3


def test_a_regression_without_labelled_reference_watches_no_loss(tmp_path):
    """Nothing says which error is a large one."""
    reference = build(table(tmp_path / "a.parquet", prediction=[1.0, 2.0]), task=Task.REGRESSION)
    form = OutputForm(Task.REGRESSION)
    assessor = make_assessor(form, reference.layout)
    recalled = window(form, measured(), labelled=True)
    assessor.settle(settled(recalled), {0: ""})
    assert ("concept", "loss_change") not in values(assessor, recalled)


def test_other_classes_than_the_references_are_refused(tmp_path):
    """What was counted as positive must not become negative by an edit of the configuration."""
    path = table(tmp_path / "a.parquet", **scored())
    reference = build(path)
    spec = ModelSpec(name="m", task=Task.BINARY)
    assert watch(spec, reference, where="models[0]").reference.outcomes is reference.outcomes
    with pytest.raises(
        ConfigError, match=r"models\[0\]\.classes: the reference's labels were counted as 0, 1; rebuild"
    ):
        watch(ModelSpec(name="m", task=Task.BINARY, classes=["1", "0"]), reference, where="models[0]")
    by_score = build(path, fields=FieldsSpec(prediction="none"), ignore=["prediction"])
    with pytest.raises(ConfigError, match=r"threshold: the reference's labels were counted with 0\.5"):
        watch(
            ModelSpec(name="m", task=Task.BINARY, threshold=0.9, fields=FieldsSpec(prediction="none")),
            replace(by_score),
            where="models[0]",
        )
