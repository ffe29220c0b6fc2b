"""A unique column beside a reference: every form of file says the same, and the reference may be without it."""

import json

import pyarrow as pa
from pyarrow import csv, parquet

from tests.cli.conftest import table
from tests.cli.reports import START_MS, lines

UNIQUE = '[models.columns]\norder = { unique = true }\n[[models.rules]]\nname = "twice"\nstatistic = "duplicates"\n'


def test_every_form(replayed, world):
    """CSV, Parquet, a table in JSON lines, and events: one order of 500 comes twice, and one has no number."""
    text = (world / "c.toml").read_text(encoding="utf-8")
    (world / "c.toml").write_text(text + UNIQUE, encoding="utf-8")
    orders = [f"A{n}" for n in range(1_000)]
    orders[700], orders[800], orders[999] = "A699", None, "A3"
    rows = table(rows=1_000, seed=1).append_column("order", pa.array(orders))
    rows = rows.append_column("time", pa.array([START_MS + 1_000 * row for row in range(1_000)]))
    csv.write_csv(rows, world / "stream.csv")
    parquet.write_table(rows, world / "stream.parquet")
    (world / "table.jsonl").write_text("\n".join(map(json.dumps, rows.to_pylist())), encoding="utf-8")
    sent = [
        {
            "model": "loan", "id": str(place), "time": row["time"], "score": row["score"],
            "prediction": row["prediction"], "features": {name: row[name] for name in ("amount", "country", "order")},
        }
        for place, row in enumerate(rows.to_pylist())
    ]  # fmt: skip
    (world / "events.jsonl").write_text("\n".join(map(json.dumps, sent)), encoding="utf-8")
    reports = []
    for name in ("stream.csv", "stream.parquet", "table.jsonl", "events.jsonl"):
        ended, out = replayed(world / name)
        assert ended.code == 0, ended.err
        assert "firing warning: twice of order (threshold_crossed)" in ended.out
        told = [[each.value for each in line.readings if each.column == "order"] for line in lines(out)]
        assert told == [[0.0], [1 / 499]], "a repetition in the window before is none"
        reports.append(out.read_bytes())
    assert [report == reports[0] for report in reports] == [True] * 4


def test_a_reference_is_built_without_it(driftwatch, world):
    """A column of which nothing else is said is no feature: its values are not counted, in the data or not."""
    text = (world / "c.toml").read_text(encoding="utf-8")
    (world / "c.toml").write_text(text + UNIQUE, encoding="utf-8")
    for rows, name in ((table(rows=600, seed=2), "without"), (table(rows=600, seed=2), "with")):
        if name == "with":
            rows = rows.append_column("order", pa.array([f"A{n}" for n in range(600)]))  # noqa: PLW2901 - the same
        csv.write_csv(rows, world / f"{name}.csv")
        arguments = ["--config", world / "c.toml", "--model", "loan", "-o", world / f"{name}.reference"]
        built = driftwatch("reference", "build", world / f"{name}.csv", *arguments)
        assert built.code == 0, built.err
        shown = driftwatch("reference", "show", world / f"{name}.reference", "--json")
        columns = {column["name"] for column in json.loads(shown.out)["columns"]}
        assert columns == {"amount", "country", "score", "prediction"}
