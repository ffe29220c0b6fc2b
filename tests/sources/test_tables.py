"""Data files of every format become the same columns, and unusable ones a clear line."""

import json
import math
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftwatch.errors import DataError
from driftwatch.sources import table_csv, table_events, tables
from driftwatch.stream.schema import Kind
from driftwatch.stream.table import NULL, WRONG, Encoded, Form
from driftwatch.stream.times import BAD_TIME

NAN, INF = math.nan, math.inf
NUMBER, CATEGORY, BOOLEAN, TIME = Form.NUMBER, Form.CATEGORY, Form.BOOLEAN, Form.TIME


def written(path, content):
    """A file with this content: bytes, text, rows of JSON, or an Arrow table."""
    if isinstance(content, pa.Table):
        pq.write_table(content, path)
    elif isinstance(content, list):
        path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")
    return path


def whole(files, forms):
    """All chunks put together: lists, texts decoded, None for a null and WRONG for what is no category."""
    got = {name: [] for name in forms}
    rows = 0
    for chunk in tables.read(files, forms):
        assert chunk.first_row == rows
        rows += chunk.rows
        for name in forms:
            column = chunk.columns.get(name)
            if column is None:
                got[name] += [None] * chunk.rows
            elif isinstance(column, Encoded):
                words = {NULL: None, WRONG: WRONG, **dict(enumerate(column.categories))}
                got[name] += [words[code] for code in column.codes.tolist()]
            else:
                got[name] += column.tolist()
    return got


def assert_same(got, expected):
    """Equal lists, where NaN equals NaN."""
    assert {name: [repr(value) for value in values] for name, values in got.items()} == {
        name: [repr(value) for value in values] for name, values in expected.items()
    }


ROWS = [
    {"n": 1, "x": 0.5, "c": "a", "b": True, "t": "2026-01-01T00:00:00Z"},
    {"n": -2, "x": None, "c": None, "b": None, "t": "2026-01-01T00:00:01.5Z"},
    {"n": 3, "x": 2.25, "c": "ö", "b": False, "t": "2026-01-01T01:00:00+01:00"},
]
CSV = """n,x,c,b,t
1,0.5,a,true,2026-01-01T00:00:00Z
-2,,,,2026-01-01T00:00:01.5Z
3,2.25,ö,false,2026-01-01T01:00:00+01:00
"""
FORMS = {"n": NUMBER, "x": NUMBER, "c": CATEGORY, "b": BOOLEAN, "t": TIME}
BASE = 1_767_225_600_000
VALUES = {
    "n": [1.0, -2.0, 3.0],
    "x": [0.5, NAN, 2.25],
    "c": ["a", None, "ö"],
    "b": ["true", None, "false"],
    "t": [BASE, BASE + 1500, BASE],
}


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_every_format_gives_the_same_columns(tmp_path, name):
    """Numbers, texts, booleans, times, nulls."""
    content = {"a.csv": CSV, "a.jsonl": ROWS, "a.parquet": pa.Table.from_pylist(ROWS)}[name]
    files = tables.find([str(written(tmp_path / name, content))])
    assert_same(whole(files, FORMS), VALUES)
    kinds = tables.kinds(files)
    assert {column: kinds[column] for column in "nxcb"} == {
        "n": Kind.NUMERIC, "x": Kind.NUMERIC, "c": Kind.CATEGORICAL, "b": Kind.BOOLEAN,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("array", "form", "expected"),
    [
        (pa.array([1, None], pa.int8()), NUMBER, [1.0, NAN]),
        (pa.array([2**63], pa.uint64()), NUMBER, [2.0**63]),
        (pa.array([1.5, NAN, INF, -INF, None], pa.float32()), NUMBER, [1.5, NAN, INF, INF, NAN]),
        (pa.array([Decimal("1.25"), None]), NUMBER, [1.25, NAN]),
        (pa.array(["1e3", " 2 ", "word", "", None, "inf", "nan"]), NUMBER, [1000.0, 2.0, INF, INF, NAN, INF, NAN]),
        (pa.array([None, None]), NUMBER, [NAN, NAN]),
        (pa.array([True, None]), NUMBER, [1.0, NAN]),
        (pa.array([[1], None]), NUMBER, [INF, NAN]),
        (pa.array([1, 2, None]), CATEGORY, ["1", "2", None]),
        (pa.array([1.0, 2.5, NAN, None]), CATEGORY, ["1", "2.5", None, None]),
        (pa.array(["a", "b", "a", None]).dictionary_encode(), CATEGORY, ["a", "b", "a", None]),
        (pa.array(["a", "b"], pa.large_string()), CATEGORY, ["a", "b"]),
        (pa.array([True, False, None]), CATEGORY, ["true", "false", None]),
        (pa.array(["TRUE", "false ", "1", None]), BOOLEAN, ["true", "false", "1", None]),
        (pa.array([0, 1, None]), BOOLEAN, ["0", "1", None]),
        (pa.array([None, None]), CATEGORY, [None, None]),
        (pa.array([datetime(2026, 1, 1), None], pa.timestamp("us")), TIME, [BASE, BAD_TIME]),  # noqa: DTZ001
        (pa.array([BASE * 1_000_000], pa.timestamp("ns", "UTC")), TIME, [BASE]),
        (pa.array([date(2026, 1, 1)]), TIME, [BASE]),
        (pa.array([BASE, None]), TIME, [BASE, BAD_TIME]),
        (pa.array([BASE + 0.7, INF, 1e300]), TIME, [BASE, BAD_TIME, BAD_TIME]),
        (pa.array(["2026-01-01", "2026-01-01 00:00:00", "yesterday"]), TIME, [BASE, BASE, BAD_TIME]),
        (pa.array([str(BASE), "1000", "20260101", "nan", None]), TIME, [BASE, 1000, 20260101, BAD_TIME, BAD_TIME]),
    ],
)
def test_parquet_types(tmp_path, array, form, expected):
    """Each Arrow type becomes what its form says; what does not fit is invalid and a null is missing."""
    files = [written(tmp_path / "a.parquet", pa.table({"v": array}))]
    assert_same(whole(files, {"v": form}), {"v": expected})


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        (1, NUMBER, 1.0), (True, NUMBER, INF), ("1", NUMBER, INF), ("1", Form.NUMBER_OR_TEXT, 1.0),
        ("word", Form.NUMBER_OR_TEXT, INF), (None, NUMBER, NAN), ([1], NUMBER, INF), (10**400, NUMBER, INF),
        (NAN, NUMBER, INF), (-INF, NUMBER, INF), (1.0, CATEGORY, "1"), (7, CATEGORY, "7"), (False, CATEGORY, "false"),
        ([1], CATEGORY, WRONG), (NAN, CATEGORY, WRONG), (None, CATEGORY, None), (True, BOOLEAN, "true"),
        (BASE, TIME, BASE), ("2026-01-01T00:00:00", TIME, BASE), (True, TIME, BAD_TIME), (None, TIME, BAD_TIME),
        (1e300, TIME, BAD_TIME), ("soon", TIME, BAD_TIME),
    ],
)  # fmt: skip
def test_json_values(tmp_path, value, form, expected):
    """Types are as strict as in the stream: a number in a string counts only where the column coerces."""
    assert_same(whole([written(tmp_path / "a.jsonl", [{"v": value}])], {"v": form}), {"v": [expected]})


def test_event_files_take_every_form_of_the_contract(tmp_path):
    """Objects, arrays of objects and columnar batches, one a line; inner objects become dotted names."""
    lines = [
        {"model": "m", "features": {"a": 1, "b": "x"}, "score": 0.5},
        [{"features": {"a": 2}}, {"features": {"b": "y"}, "score": None}],
        {"model": "m", "columns": {"features.a": [3, 4], "score": [0.1, 0.2]}},
    ]
    files = [written(tmp_path / "a.jsonl", lines)]
    got = whole(files, {"model": CATEGORY, "features.a": NUMBER, "features.b": CATEGORY, "score": NUMBER})
    expected = {
        "model": ["m", None, None, "m", "m"],
        "features.a": [1.0, 2.0, NAN, 3.0, 4.0],
        "features.b": ["x", None, "y", None, None],
        "score": [0.5, NAN, NAN, 0.1, 0.2],
    }
    assert_same(got, expected)


def test_a_word_far_down_a_numeric_csv_column_costs_one_value(tmp_path, monkeypatch):
    """Rows before and after it are read once each, and other columns keep their values."""
    monkeypatch.setattr(table_csv, "_BLOCK_BYTES", 1000)
    rows = [f"{row},{row / 8},c{row % 3}" for row in range(3000)]
    rows[2000] = "2000,n.v.,c2"
    files = [written(tmp_path / "a.csv", "\n".join(["i,x,c", *rows]) + "\n")]
    assert tables.kinds(files) == {"i": Kind.NUMERIC, "x": Kind.NUMERIC, "c": Kind.CATEGORICAL}
    got = whole(files, {"i": NUMBER, "x": NUMBER, "c": CATEGORY})
    expected = [row / 8 for row in range(3000)]
    expected[2000] = INF
    assert_same(
        got, {"i": [float(row) for row in range(3000)], "x": expected, "c": [f"c{row % 3}" for row in range(3000)]}
    )


def test_csv_kinds_are_decided_by_the_majority(tmp_path):
    """A few words do not make numbers a category, nor a few numbers a category numeric."""
    text = "mostly_numbers,mostly_words\n" + "".join(f"{row},{'w' if row else '5'}\n" for row in range(9)) + "?,w\n"
    assert tables.kinds([written(tmp_path / "a.csv", text)]) == {
        "mostly_numbers": Kind.NUMERIC, "mostly_words": Kind.CATEGORICAL,
    }  # fmt: skip


def test_kinds_of_json_columns_are_decided_by_the_majority(tmp_path):
    """Over all files together; a column that only ever is null is numeric."""
    first = written(tmp_path / "a.jsonl", [{"v": 1, "w": None, "l": [1]}, {"v": "x"}])
    second = written(tmp_path / "b.jsonl", [{"v": "y"}, {"v": "z", "u": True}])
    assert tables.kinds([first, second]) == {
        "v": Kind.CATEGORICAL, "w": Kind.NUMERIC, "l": None, "u": Kind.BOOLEAN,
    }  # fmt: skip


def test_a_column_that_speaks_late_is_still_recognised(tmp_path, monkeypatch):
    """Empty in the whole first block: the search goes on."""
    monkeypatch.setattr(table_csv, "_BLOCK_BYTES", 1000)
    monkeypatch.setattr(table_events, "_ROWS", 10)
    rows = [f"{row}," for row in range(2000)] + ["1,late"]
    files = [written(tmp_path / "a.csv", "\n".join(["i,c", *rows]) + "\n")]
    assert tables.kinds(files)["c"] is Kind.CATEGORICAL
    events = [{"i": row, "c": None} for row in range(50)] + [{"i": 1, "c": "late"}]
    assert tables.kinds([written(tmp_path / "a.jsonl", events)])["c"] is Kind.CATEGORICAL


def test_csv_nulls_and_quotes(tmp_path):
    """An empty or NA field is missing; in quotes it is a text."""
    files = [written(tmp_path / "a.csv", 'c,d\n,1\nNA,2\n"NA",3\n"a,b",4\n')]
    assert whole(files, {"c": CATEGORY})["c"] == [None, None, "NA", "a,b"]


def test_files_follow_each_other_and_may_lack_columns(tmp_path):
    """Globs are expanded by name; rows are numbered through; a file named twice is read once."""
    written(tmp_path / "b.csv", "n\n3\n")
    written(tmp_path / "a.parquet", pa.table({"n": [1, 2], "c": ["x", "y"]}))
    files = tables.find([str(tmp_path / "*"), str(tmp_path / "b.csv")])
    assert [path.name for path in files] == ["a.parquet", "b.csv"]
    assert_same(whole(files, {"n": NUMBER, "c": CATEGORY}), {"n": [1.0, 2.0, 3.0], "c": ["x", "y", None]})


def test_progress_never_falls_and_ends_at_the_size(tmp_path):
    """So that a bar can be drawn."""
    rows = [{"n": row} for row in range(20_000)]
    files = [
        written(tmp_path / "a.jsonl", rows),
        written(tmp_path / "b.parquet", pa.Table.from_pylist(rows)),
        written(tmp_path / "c.csv", "n\n" + "".join(f"{row['n']}\n" for row in rows)),
    ]
    seen = []
    for _ in tables.read(files, {"n": NUMBER}, progress=seen.append):
        pass
    assert seen == sorted(seen)
    assert seen[-1] == tables.size_bytes(files)


def test_digest_follows_the_bytes_and_their_order(tmp_path):
    """The same files have the same digest; one byte, or another order, another one."""
    a, b = written(tmp_path / "a.csv", "n\n1\n"), written(tmp_path / "b.csv", "n\n2\n")
    first = tables.digest([a, b])
    assert tables.digest([a, b]) == first
    assert tables.digest([b, a]) != first
    written(b, "n\n3\n")
    assert tables.digest([a, b]) != first


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, "no such file: check the path"),
        ("a.csv", "", "empty file: give a file that holds data"),
        ("a.xlsx", "x", "unknown kind of file: name it .csv, .parquet or .jsonl"),
        ("a.parquet", "no parquet", "not readable as Parquet"),
        ("a.csv", "a,b\n1,2\n1,2,3\n", "not readable as CSV"),
        ("a.csv", b"a\n\xff\xfe\n", "not readable as CSV"),
        ("a.jsonl", '{"a": 1}\n{"a": \n', "a.jsonl:2: not JSON"),
        ("a.jsonl", '{"a": 1}\n3\n', "a.jsonl:2: an event is a JSON object"),
        ("a.jsonl", '{"columns": {"a": [1, 2], "b": [1]}}\n', "a.jsonl:1: the columns have different lengths"),
        ("a.jsonl", "\n\n", "no rows: give files that hold data"),
    ],
)
def test_unusable_files_are_named_in_one_line(tmp_path, name, content, words):
    """What, where, and what to do."""
    path = tmp_path / name
    if content is not None:
        written(path, content)
    with pytest.raises(DataError) as caught:
        list(tables.read((files := tables.find([str(path)])), dict.fromkeys(tables.kinds(files), CATEGORY)))
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damage_in_the_middle_of_a_parquet_file_is_an_error(tmp_path):
    """Its footer is whole, a page is not."""
    numbers = np.random.default_rng(0).normal(size=20_000)
    path = written(tmp_path / "a.parquet", pa.table({"n": numbers}))
    data = bytearray(path.read_bytes())
    data[4:400] = bytes(396)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.parquet: damaged Parquet after row 0"):
        whole([path], {"n": NUMBER})


def test_nothing_to_read_is_an_error(tmp_path):
    """No names, or a pattern that matches nothing."""
    with pytest.raises(DataError, match="no data files given"):
        tables.find([])
    with pytest.raises(DataError, match=r"\*\.csv: no such file"):
        tables.find([str(tmp_path / "*.csv")])
