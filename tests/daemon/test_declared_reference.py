"""A model without a reference is watched by what its columns declare: constraints are judged, drift is not."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.config import load
from driftwatch.daemon.replay import replay
from driftwatch.daemon.snapshot import encode, resume
from driftwatch.daemon.watch import Watch, load_watch
from driftwatch.evaluation.report import Report
from driftwatch.statistics.reading import Reading, Status
from driftwatch.stream.decode import Decoder
from driftwatch.stream.raw import Raw, Stream
from driftwatch.summaries.declared_layout import declared_edges
from driftwatch.summaries.layout import EDGES

START_MS = 1_767_225_600_000
ROWS = 400
COLUMNS = """
[models.columns]
age = { kind = "numeric", min = 0, max = 120, nullable = false }
amount = { kind = "numeric" }
plan = { kind = "categorical", allowed = ["free", "pro"] }
country = { kind = "categorical" }
code = { kind = "categorical", pattern = "AA-9" }
member = { kind = "boolean", share = { value = true, min = 0.4, max = 0.6 } }
"""


def watched(folder: Path, more: str = "", *, task: str = "binary", columns: str = COLUMNS) -> Watch:
    """The model of a configuration without a reference, in windows of so many rows."""
    path = folder / "c.toml"
    text = f'[[models]]\nname = "loan"\ntask = "{task}"\nwindow = {{ rows = {ROWS} }}\n{more}{columns}'
    path.write_text(text, encoding="utf-8")
    return load_watch(load(path, {}), 0)


def event(number: int, **changed: object) -> dict[str, object]:
    """A prediction that keeps to all constraints."""
    features = {
        "age": 18 + number % 60, "amount": 10.0 ** (number % 12), "plan": ("free", "pro")[number % 2],
        "country": ("DE", "FR", "IT")[number % 3], "code": f"AB-{number % 10}", "member": number % 4 < 2,
    }  # fmt: skip
    score = (number * 37 % 100) / 100
    return {
        "model": "loan", "version": "1", "id": str(number), "time": START_MS + 1_000 * number, "score": score,
        "prediction": int(score > 0.5), "features": {**features, **changed},
    }  # fmt: skip


def window(**changed: object) -> list[dict[str, object]]:
    """A window whose first event is changed."""
    return [event(0, **changed), *map(event, range(1, ROWS))]


def raw(events: list[dict[str, object]], *, stream: Stream = Stream.PREDICTIONS) -> Raw:
    """They as they come from Kafka."""
    records = tuple(json.dumps(each).encode() for each in events)
    return Raw(stream, "test", "p", records, START_MS + 10**8, 1)


def reports(watch: Watch, events: list[dict[str, object]]) -> dict[str, Report]:
    """What is said of one window, by segment."""
    decoded = Decoder([watch.intake()]).decode(raw(events))
    assert not decoded.rejected
    outcome = watch.monitor().feed(decoded.batches["loan"], received_ms=START_MS)
    return {report.segment: report for report in outcome.reports}


def quality(report: Report) -> dict[tuple[str, str], Reading]:
    """Its readings of data quality."""
    return {(each.column, each.statistic): each for each in report.readings if each.family == "quality"}


def beyond(report: Report) -> set[tuple[str, str]]:
    """The columns and checks that fail."""
    return {key for key, reading in quality(report).items() if reading.beyond}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, set()),
        ({"age": None}, {("age", "missing")}),
        ({"age": 120.001}, {("age", "out_of_range")}),
        ({"age": -1}, {("age", "out_of_range")}),
        ({"plan": "gold"}, {("plan", "invalid")}),
        ({"code": "AB1"}, {("code", "invalid")}),
        # Neither is declared to be wrong.
        ({"amount": None, "country": "??"}, set()),
    ],
)
def test_one_row_is_too_many(tmp_path: Path, changed: Mapping[str, object], expected: set[tuple[str, str]]) -> None:
    """Each constraint is judged by itself, and the alert is raised by the default rules."""
    report = reports(watched(tmp_path), window(**changed))[""]
    assert beyond(report) == expected
    assert {(alert.column, alert.rule) for alert in report.alerts} == expected
    assert report.reference_rows == 0


def test_what_needs_a_reference_is_silent(tmp_path: Path) -> None:
    """Drift, and checks of columns that declare nothing about it, have no value and say why."""
    report = reports(watched(tmp_path), window())[""]
    drift = {each.status for each in report.readings if each.family == "drift"}
    assert drift == {Status.NO_REFERENCE}
    told = {key for key, reading in quality(report).items() if reading.status is Status.OK}
    names = ("age", "amount", "plan", "country", "code", "member")
    assert told == {
        ("age", "missing"), ("age", "out_of_range"), ("plan", "unseen"), ("member", "constraint"),
        *((name, "invalid") for name in names),
    }  # fmt: skip
    assert {each.status for each in quality(report).values()} == {Status.OK, Status.NO_REFERENCE}
    assert all(math.isnan(each.value) == (each.status is not Status.OK) for each in quality(report).values())


def test_a_wrong_kind(tmp_path: Path) -> None:
    """Values of another kind than the declared one are tolerated to one in a hundred, as of a reference without any."""
    few = [event(number, **({"amount": "x"} if number < 3 else {})) for number in range(ROWS)]
    many = [event(number, **({"amount": "x"} if number < 40 else {})) for number in range(ROWS)]
    assert beyond(reports(watched(tmp_path), few)[""]) == set()
    report = reports(watched(tmp_path), many)[""]
    assert beyond(report) == {("amount", "invalid")}
    assert quality(report)["amount", "invalid"].limit == pytest.approx(0.01, abs=1e-4)


def test_shares(tmp_path: Path) -> None:
    """An expectation on a share is judged by its interval."""
    events = [event(number, member=number % 10 < 8) for number in range(ROWS)]
    report = reports(watched(tmp_path), events)[""]
    assert beyond(report) == {("member", "constraint")}
    assert (quality(report)["member", "constraint"].value, quality(report)["member", "constraint"].limit) == (0.8, 0.6)


def test_segments_and_groups(tmp_path: Path) -> None:
    """Allowed values and conditions divide; a value of which only a condition speaks is known by it."""
    division = (
        'segments = ["plan", { name = "abroad", where = "country != \'DE\' and amount >= 1" }]\n'
        'protected = [{ name = "old", where = "age >= 60" }]\n'
    )
    found = reports(watched(tmp_path, division), window(age=None))
    assert {name: report.window.rows for name, report in found.items()} == {
        "": ROWS, "plan=free": ROWS / 2, "plan=pro": ROWS / 2, "abroad": sum(n % 3 > 0 for n in range(ROWS)),
    }  # fmt: skip
    assert {name for name, report in found.items() if ("age", "missing") in beyond(report)} == {"", "plan=free"}
    assert "statistical_parity_difference" in {each.statistic for each in found[""].readings}


def test_unknown_keys_are_named(tmp_path: Path) -> None:
    """A column that nobody declared is counted and named, as of any model."""
    decoded = Decoder([watched(tmp_path).intake()]).decode(raw([event(0, shoe=43)]))
    assert (decoded.unknown_keys, decoded.appeared) == (1, {"loan": ["features.shoe"]})


@pytest.mark.parametrize(
    ("task", "more", "answer", "label", "metric"),
    [
        ("binary", "", {"score": 0.8, "prediction": 1}, 1, "accuracy"),
        ("multiclass", 'classes = ["a", "b", "c"]\n', {"prediction": "b"}, "b", "accuracy"),
        ("regression", "", {"prediction": 3.5}, 3.5, "mae"),
        ("ranking", "", {"prediction": ["x", "y"]}, {"x": 1}, "ndcg"),
    ],
)
def test_performance(
    tmp_path: Path, task: str, more: str, answer: dict[str, object], label: object, metric: str
) -> None:
    """Labels are measured without a reference, whatever the task."""
    watch = watched(tmp_path, more, task=task, columns='[models.columns]\nage = { kind = "numeric" }\n')
    answers, truths = tmp_path / "answers.jsonl", tmp_path / "labels.jsonl"
    bare = [{key: each[key] for key in ("model", "version", "id", "time")} for each in map(event, range(ROWS))]
    answers.write_text("\n".join(json.dumps({**each, **answer}) for each in bare), encoding="utf-8")
    truths.write_text("\n".join(json.dumps({**each, "label": label}) for each in bare), encoding="utf-8")
    said: list[Report] = []
    replay(watch, [str(answers)], labels=[str(truths)], now_ms=START_MS + 10**8, report=said.append)
    value = next(each.value for each in said[-1].readings if each.statistic == metric and not each.column)
    assert value == (0.0 if metric == "mae" else 1.0)


def test_the_fingerprint_is_that_of_the_declarations(tmp_path: Path) -> None:
    """The same declarations make the same layout; others another one."""
    layouts = [watched(tmp_path, columns=text).layout for text in (COLUMNS, COLUMNS, COLUMNS.replace("120", "121"))]
    prints = [layout.fingerprint for layout in layouts]
    assert prints[0] == prints[1] != prints[2]
    assert prints[0] == "1762d31dc52b860ec3d0030231f9c90f", "or windows that are open begin anew after an upgrade"


def test_it_resumes(tmp_path: Path) -> None:
    """Stopped within a window and made anew, it says what it would have said."""
    events = window(age=None, plan="gold")
    whole = reports(watched(tmp_path), events)[""]
    decoder, first = Decoder([watched(tmp_path).intake()]), watched(tmp_path).monitor()
    first.feed(decoder.decode(raw(events[:150])).batches["loan"], received_ms=START_MS)
    snapshot = encode(first)
    second = watched(tmp_path).monitor()
    assert resume(second, snapshot.core, {name: data for name, data in snapshot.panes.items() if data}) == 0
    outcome = second.feed(decoder.decode(raw(events[150:])).batches["loan"], received_ms=START_MS)
    assert [report.line() for report in outcome.reports] == [whole.line()]


bounds = st.floats(allow_nan=False)


@given(bounds, bounds)
def test_edges(one: float, other: float) -> None:
    """Edges rise and are finite, and beyond a finite bound is beyond an edge, whatever the bounds."""
    least, greatest = min(one, other), max(one, other)
    if least == math.inf or greatest == -math.inf:
        return
    edges = declared_edges(least, greatest)
    assert edges.shape == (EDGES,)
    assert np.isfinite(edges).all()
    assert (np.diff(edges) >= 0).all()
    if math.isfinite(least) and math.isfinite(greatest - least) and least > -np.finfo(float).max:
        assert edges[0] == np.nextafter(least, -np.inf)
        assert edges[-1] == greatest
