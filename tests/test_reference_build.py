"""`driftwatch reference build` and `show`: from data files to a reference, and what a person sees of it."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from driftwatch.cli.reference import app
from driftwatch.config import ModelSpec
from driftwatch.daemon.referencing import build_reference
from driftwatch.errors import DataError
from driftwatch.sources import table_parquet
from driftwatch.stream.schema import ColumnSpec, FieldsSpec, Kind, Task
from driftwatch.summaries.layout import INVALID_SLOT, MISSING_SLOT
from driftwatch.summaries.portrait import portraits
from tests.golden.make_reference import described


def build(*paths, task=Task.NONE, **spec):
    """A reference of a model called m."""
    model = ModelSpec(name="m", task=task, **spec)
    return build_reference([str(path) for path in paths], model, now_ms=5, progress=lambda *_: None)


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def table(path, **columns):
    """A Parquet file."""
    pq.write_table(pa.table(columns), path)
    return path


def counts(reference, name):
    """(missing, invalid) of a numeric column, or category → count of another."""
    numeric = [column.name for column in reference.layout.numeric]
    if name in numeric:
        slots = reference.profile.numeric.counts[numeric.index(name)]
        return int(slots[MISSING_SLOT]), int(slots[INVALID_SLOT])
    place = reference.layout.names.index(name) - len(numeric)
    column = reference.layout.categorical[place]
    start = int(reference.layout.offsets[place])
    words = (*column.vocabulary, "(other)", "(missing)", "(invalid)")
    found = reference.profile.categories[start : start + len(words)].tolist()
    return {word: count for word, count in zip(words, found, strict=True) if count}


def test_counts_equal_the_data(tmp_path):
    """Every value is in its place: numbers, sums, extremes, categories, missing, time range."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(5, 2, 5000)
    words = rng.choice(["a", "b", None], 5000)
    path = table(tmp_path / "a.parquet", x=numbers, c=pa.array(words), time=np.arange(5000) * 10 + 1000)
    reference = build(path)
    portrait = {column.name: column for column in portraits(reference)}
    assert reference.rows == 5000
    assert (reference.first_ms, reference.last_ms) == (1000, 50_990)
    assert (portrait["x"].least, portrait["x"].greatest) == (numbers.min(), numbers.max())
    assert portrait["x"].mean == pytest.approx(numbers.mean(), rel=1e-12)
    assert reference.layout.centre[0] == np.sort(numbers)[2499]
    assert reference.layout.scale[0] == pytest.approx(numbers.std(), rel=1e-12)
    expected = {word: int((words == word).sum()) for word in ("a", "b")}
    assert counts(reference, "c") == {**expected, "(missing)": int((words == None).sum())}  # noqa: E711 - elementwise
    assert reference.created_ms == 5


def test_the_same_table_in_any_format_and_cutting_gives_the_same_reference(tmp_path, monkeypatch):
    """CSV, JSONL flat and as events, Parquet in one file and in two, in large and small batches."""
    rng = np.random.default_rng(1)
    rows = [
        {"x": float(x), "k": int(k), "c": "abc"[k % 3]}
        for x, k in zip(rng.normal(size=900), rng.integers(0, 9, 900), strict=True)
    ]
    flat = written(tmp_path / "flat.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    events = written(
        tmp_path / "events.jsonl", "".join(json.dumps({"model": "m", "features": row}) + "\n" for row in rows)
    )
    csv = written(tmp_path / "a.csv", "x,k,c\n" + "".join(f"{row['x']!r},{row['k']},{row['c']}\n" for row in rows))
    whole = table(tmp_path / "whole.parquet", **{name: [row[name] for row in rows] for name in "xkc"})
    halves = [
        table(
            tmp_path / f"half{start}.parquet",
            **{name: [row[name] for row in rows[start : start + 450]] for name in "xkc"},
        )
        for start in (0, 450)
    ]
    expected = build(whole)
    monkeypatch.setattr(table_parquet, "_ROWS", 100)
    for paths in ([flat], [events], [csv], [whole], halves):
        reference = build(*paths)
        assert reference.layout.fingerprint == expected.layout.fingerprint
        np.testing.assert_array_equal(reference.profile.numeric.counts, expected.profile.numeric.counts)
        np.testing.assert_array_equal(reference.profile.categories, expected.profile.categories)
        np.testing.assert_array_equal(reference.blocks.numeric, expected.blocks.numeric)
        np.testing.assert_array_equal(reference.dispersion, expected.dispersion)


def test_roles_and_ignored_columns_are_no_features(tmp_path):
    """What is mapped in [models.fields] is not a feature, nor what stands in `ignore`, nor a time or a list."""
    path = table(
        tmp_path / "a.parquet",
        key=[1, 2], at=[10, 20], p=[0.5, 1.5], said=[0, 1], truth=[1, 0], value=[1.0, 2.0], version=["1", "1"],
        x=[1.0, 2.0], skip=[1, 2], when=pa.array([0, 1], pa.timestamp("ms")), many=[[1], [2]],
    )  # fmt: skip
    fields = FieldsSpec(id="key", time="at", score="p", prediction="said", label="truth")
    reference = build(path, task=Task.BINARY, fields=fields, ignore=["skip"])
    assert reference.layout.names == ("x", "score", "prediction")
    assert reference.left_out == ("when", "many")
    assert (reference.first_ms, reference.last_ms) == (10, 20)
    assert counts(reference, "score") == (0, 1)
    assert counts(reference, "prediction") == {"0": 1, "1": 1}


@pytest.mark.parametrize(
    ("task", "kinds"),
    [
        (Task.BINARY, {"score": Kind.NUMERIC, "prediction": Kind.CATEGORICAL}),
        (Task.MULTICLASS, {"score": Kind.NUMERIC, "prediction": Kind.CATEGORICAL}),
        (Task.REGRESSION, {"score": Kind.NUMERIC, "prediction": Kind.NUMERIC}),
        (Task.RANKING, {"score": Kind.NUMERIC}),
        (Task.NONE, {"score": Kind.NUMERIC}),
    ],
)
def test_outputs_follow_the_task(tmp_path, task, kinds):
    """A prediction is a class or a number, or no column at all; only a binary score must lie in [0, 1]."""
    reference = build(table(tmp_path / "a.parquet", score=[0.5, 3.0], prediction=[1, 2]), task=task)
    layout = reference.layout
    assert {column.name: column.kind for column in (*layout.numeric, *layout.categorical)} == kinds
    assert counts(reference, "score") == (0, 1 if task is Task.BINARY else 0)


def test_kinds_can_be_overridden(tmp_path):
    """A number as a category, a text as a number, 0 and 1 as a boolean."""
    path = written(tmp_path / "a.csv", "zip,text,flag\n10115,1,0\n10115,word,1\n20095,3,2\n")
    columns = {
        "zip": ColumnSpec(kind=Kind.CATEGORICAL), "text": ColumnSpec(kind=Kind.NUMERIC),
        "flag": ColumnSpec(kind=Kind.BOOLEAN),
    }  # fmt: skip
    reference = build(path, columns=columns)
    assert counts(reference, "zip") == {"10115": 2, "20095": 1}
    assert counts(reference, "text") == (0, 1)
    assert counts(reference, "flag") == {"false": 1, "true": 1, "(invalid)": 1}


def test_rare_categories_are_other(tmp_path):
    """Only the thousand most frequent are known."""
    words = [f"w{place:04}" for place in range(1500)] + ["w1499"]
    reference = build(table(tmp_path / "a.parquet", c=words))
    assert counts(reference, "c")["(other)"] == 500
    assert reference.layout.categorical[0].vocabulary[0] == "w1499"
    assert len(reference.layout.categorical[0].vocabulary) == 1000


def test_empty_columns_and_columns_without_time_are_no_trouble(tmp_path):
    """All missing, all invalid; the reference says that it knows no times."""
    path = table(
        tmp_path / "a.parquet", none=pa.nulls(3), inf=[np.inf] * 3, nan=[np.nan] * 3, c=pa.nulls(3, pa.string())
    )
    reference = build(path)
    assert (counts(reference, "none"), counts(reference, "inf"), counts(reference, "nan")) == ((3, 0), (0, 3), (3, 0))
    assert counts(reference, "c") == {"(missing)": 3}
    assert (reference.first_ms, reference.last_ms) == (None, None)
    assert described(type(reference).from_bytes(reference.to_bytes())) == described(reference)


def test_rows_without_a_readable_time_are_left_out(tmp_path):
    """Where the table has times, a row must have one, as in the stream."""
    path = written(tmp_path / "a.csv", "time,x\n2026-01-01T00:00:00Z,1\nlater,2\n2026-01-02,3\n")
    assert build(path).rows == 2


@pytest.mark.parametrize(
    ("content", "spec", "words"),
    [
        ("x,c\n", {}, "a.csv: no rows"),
        ("time,x\nsoon,1\n", {}, 'none has a time that can be read in column "time"'),
        ("id,label\n1,1\n", {}, "no column to watch"),
        ("x\n1\n", {"columns": {"y": ColumnSpec(kind=Kind.NUMERIC)}}, 'the data has no column "y"'),
        ("x,score,p\n1,1,1\n", {"fields": FieldsSpec(score="p")}, 'a feature cannot be called "score"'),
    ],
)
def test_unusable_data_is_refused_in_one_line(tmp_path, content, spec, words):
    """What, where, and what to do."""
    with pytest.raises(DataError) as caught:
        build(written(tmp_path / "a.csv", content), **spec)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_feature_of_an_event_may_not_take_an_outputs_name(tmp_path):
    """`score` among the features would be mistaken for the model's."""
    path = written(tmp_path / "a.jsonl", '{"features": {"score": 1}, "score": 0.5}\n')
    with pytest.raises(DataError, match='a feature cannot be called "score"'):
        build(path)
    assert build(path, ignore=["score"]).layout.names == ("score",)


def test_commands_build_and_show(tmp_path):
    """The file that `build` writes is the one that `show` describes, as a table and as JSON."""
    config = written(tmp_path / "c.toml", '[[models]]\nname = "m"\ntask = "none"\n')
    data = written(
        tmp_path / "a.csv", "time,x,c\n" + "".join(f"{row * 1000},{row % 200},[{row % 2}]\n" for row in range(1000))
    )
    out = tmp_path / "m.reference"
    runner = CliRunner()
    built = runner.invoke(app, ["build", str(data), "--config", str(config), "--model", "m", "-o", str(out)])
    assert built.exit_code == 0, built.output
    assert "1000 rows, 2 columns" in "".join(built.output.splitlines())
    document = json.loads(runner.invoke(app, ["show", str(out), "--json"]).stdout)
    assert (document["model"], document["rows"]) == ("m", 1000)
    assert (document["first"], document["last"]) == ("1970-01-01T00:00:00.000Z", "1970-01-01T00:16:39.000Z")
    numeric, categorical = document["columns"]
    assert (numeric["min"], numeric["max"], numeric["missing"]) == (0.0, 199.0, 0)
    assert numeric["mean"] == pytest.approx(99.5)
    assert categorical["categories"] == [{"value": "[0]", "count": 500}, {"value": "[1]", "count": 500}]
    shown = runner.invoke(app, ["show", str(out)], env={"COLUMNS": "160"}).stdout
    assert document["fingerprint"] in shown
    assert document["source_hash"] in shown
    assert "[0] 50%, [1] 50%" in shown
    assert "████" in shown


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("name", "fields", "rows"),
    [
        (
            "nannyml_car_loan_reference",
            {"time": "timestamp", "score": "y_pred_proba", "prediction": "y_pred", "label": "repaid"},
            50_000,
        ),
        ("adult", {}, 48_842),
        ("nycflights13_flights", {"time": "sched_dep", "label": "arrived_late_15"}, 336_776),
    ],
)
def test_real_tables_are_counted_exactly(shared, name, fields, rows):
    """Counts, extremes, missing and distinct values as Arrow finds them."""
    path = shared / "data" / f"{name}.parquet"
    reference = build(path, task=Task.BINARY, fields=FieldsSpec(**fields))
    data = pq.read_table(path)
    assert reference.rows == rows
    renamed = {source: role for role, source in fields.items()}
    for portrait in portraits(reference):
        source = next((old for old, new in renamed.items() if new == portrait.name), portrait.name)
        column = data[source]
        assert portrait.missing == column.null_count, portrait.name
        if portrait.kind == "numeric":
            values = column.drop_null().to_numpy().astype(float)
            assert (portrait.least, portrait.greatest) == (values.min(), values.max())
            assert portrait.mean == pytest.approx(values.mean(), rel=1e-9)
        else:
            expected = {
                str(row["values"]).lower(): row["counts"] for row in column.drop_null().value_counts().to_pylist()
            }
            assert {text.lower(): count for text, count in portrait.categories} == expected
