"""The bundle and the stream made of it."""

from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from driftwatch.demo.dataset import CATEGORICAL, FOLDER, NUMERIC, Flights, Part, Topic, labelled, load, slices
from driftwatch.demo.staged import CANARY_MS, CANARY_SHARE, FAULT_MS
from driftwatch.errors import DataError

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def flights():
    return load(Part.FLIGHTS)


def excerpt(flights, rows):
    """The first rows of a part and the labels that belong to them."""
    predictions = {name: values[:rows] for name, values in flights.predictions.items()}
    kept = np.isin(flights.labels["id"].astype(str), predictions["id"].astype(str))
    return Flights(predictions, {name: values[kept] for name, values in flights.labels.items()})


def test_the_bundle_is_small_and_names_its_source():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 3_000_000
    assert "CC0" in (FOLDER / "SOURCE.md").read_text()


def test_every_flight_of_the_year_is_there(flights):
    """336 776 flights in the source: none is dropped."""
    assert len(load(Part.REFERENCE).predictions["id"]) + len(flights.predictions["id"]) == 336_776


def test_every_stream_is_in_order_of_event_time(flights):
    for columns in (flights.predictions, flights.labels):
        assert np.all(np.diff(columns["time"]) >= 0)


def test_a_label_comes_after_its_prediction(flights):
    times = dict(zip(flights.predictions["id"], flights.predictions["time"], strict=True))
    waits = [known - times[name] for name, known in zip(flights.labels["id"], flights.labels["time"], strict=True)]
    assert min(waits) > 30 * 60_000
    assert max(waits) < DAY_MS
    assert len(set(flights.labels["id"])) == len(flights.labels["id"])


def test_cancelled_flights_and_no_others_are_said_to_get_no_label(flights):
    """Those that landed elsewhere are never heard of again."""
    delays = dict(zip(flights.predictions["id"], flights.predictions["dep_delay"], strict=True))
    said = zip(flights.labels["id"], flights.labels["label"], strict=True)
    assert all((delays[name] is None) == (label is None) for name, label in said)
    heard = set(flights.labels["id"])
    assert sum(delay is None for name, delay in delays.items() if name in heard) == 8255 - 1782
    assert len(delays) - len(heard) == 1011


def test_cancelled_flights_get_a_prediction_without_a_delay(flights):
    cancelled = np.equal(flights.predictions["dep_delay"], None)
    assert cancelled.sum() == 8255 - 1782
    assert np.all((flights.predictions["score"] >= 0) & (flights.predictions["score"] <= 1))
    assert set(flights.predictions["prediction"][cancelled]) <= {0, 1}


def test_slices_hold_every_event_once_in_order(flights):
    """The bodies, put together again, are the two streams."""
    some = excerpt(flights, 3000)
    bodies = list(slices(some, span_ms=6 * 3_600_000))
    for topic, columns in ((Topic.PREDICTIONS, some.predictions), (Topic.LABELS, some.labels)):
        documents = [msgspec.json.decode(body.content) for body in bodies if body.topic is topic]
        assert [name for document in documents for name in document["columns"]["id"]] == columns["id"].tolist()
        assert [when for document in documents for when in document["columns"]["time"]] == columns["time"].tolist()
    assert all(first.start_ms <= second.start_ms for first, second in pairwise(bodies))


def test_a_body_is_a_columnar_batch_of_the_contract(flights):
    first = next(slices(excerpt(flights, 500), span_ms=DAY_MS))
    document = msgspec.json.decode(first.content)
    columns = document["columns"]
    assert document["model"] == "flights"
    features = {f"features.{name}" for name in NUMERIC + CATEGORICAL}
    assert set(columns) == {"id", "time", "version", "score", "prediction"} | features
    assert {len(values) for values in columns.values()} == {first.rows}
    assert None in columns["features.dep_delay"]
    assert all(first.start_ms <= moment < first.start_ms + DAY_MS for moment in columns["time"])


def test_no_label_is_sent_before_its_prediction(flights):
    seen = set()
    for body in slices(excerpt(flights, 3000), span_ms=3_600_000):
        names = set(msgspec.json.decode(body.content)["columns"]["id"])
        if body.topic is Topic.PREDICTIONS:
            seen |= names
        assert names <= seen


def test_a_span_must_be_positive(flights):
    with pytest.raises(ValueError, match="span_ms"):
        next(slices(flights, span_ms=0))


def test_the_reference_table_has_labels_where_flights_arrived():
    reference = load(Part.REFERENCE)
    table = labelled(reference)
    assert table.num_rows - table["label"].null_count == sum(label is not None for label in reference.labels["label"])
    by_name = dict(zip(table["id"].to_pylist(), table["label"].to_pylist(), strict=True))
    assert all(by_name[name] == label for name, label in zip(*(reference.labels[key] for key in ("id", "label")),
                                                             strict=True))  # fmt: skip


@pytest.mark.parametrize("content", [None, b"", b"PAR1 not really"])
def test_a_damaged_bundle_is_a_clear_error(tmp_path: Path, content):
    if content is not None:
        (tmp_path / "flights.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"flights\.parquet: the demo's data cannot be read"):
        load(Part.FLIGHTS, tmp_path)


def test_the_canary_answers_for_its_share_of_four_weeks_by_a_lower_threshold(flights):
    """Elsewhere, and for the others, the champion answers; nothing but the threshold differs."""
    said = flights.predictions
    first, end = CANARY_MS
    during, canary = (said["time"] >= first) & (said["time"] < end), said["version"] == "2"
    assert end - first == 28 * DAY_MS
    assert not canary[~during].any()
    assert canary[during].mean() == pytest.approx(CANARY_SHARE, abs=0.01)
    assert set(said["version"][~canary]) == {"1"}
    assert np.array_equal(said["prediction"], said["score"] >= np.where(canary, 0.2, 0.5))
    assert set(load(Part.REFERENCE).predictions["version"]) == {"1"}


def test_the_distance_is_missing_on_three_days_and_no_others(flights):
    first, end = FAULT_MS
    during = (flights.predictions["time"] >= first) & (flights.predictions["time"] < end)
    assert end - first == 3 * DAY_MS
    assert np.array_equal(np.equal(flights.predictions["distance"], None), during)
