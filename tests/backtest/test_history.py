"""A model's past, read once: its order, its labels, and how much of it is kept."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from driftwatch.backtest.history import read_history
from driftwatch.errors import DataError
from driftwatch.stream.times import TIMELESS
from tests.backtest.world import START_MS, STEP_MS, make_world, table


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("history"), rows=600)


def test_rows_are_in_order_of_time(world, tmp_path):
    """Files may come in any order, and rows too: a history is told from the beginning."""
    rows = table(rows=600, seed=1)
    order = np.random.default_rng(0).permutation(600)
    csv.write_csv(rows.take(order), tmp_path / "shuffled.csv")
    mixed = read_history(world.watch, [str(tmp_path / "shuffled.csv")], labels=(), now_ms=0)
    sorted_ = read_history(world.watch, [world.history], labels=(), now_ms=0)
    assert np.array_equal(mixed.rows.times, START_MS + STEP_MS * np.arange(600))
    assert np.array_equal(mixed.rows.ids, sorted_.rows.ids)
    assert np.array_equal(mixed.rows.numeric, sorted_.rows.numeric)
    assert np.array_equal(
        mixed.labels.outcomes["label"][mixed.label_of], sorted_.labels.outcomes["label"][sorted_.label_of]
    )


def test_labels_follow_their_rows(world, tmp_path):
    """A label comes as long after its row as it had come, wherever the row is put; without a time, with the row."""
    csv.write_csv(
        pa.table({
            "id": ["1-10", "1-20", "nobody", "1-20"],
            "time": [START_MS + STEP_MS * 10 + 5_000, START_MS + STEP_MS * 500, START_MS, START_MS + STEP_MS * 520],
            "label": [1, 1, 0, 0],
        }),
        tmp_path / "labels.csv",
    )  # fmt: skip
    history = read_history(world.watch, [world.history], labels=[str(tmp_path / "labels.csv")], now_ms=0)
    assert np.flatnonzero(history.label_of >= 0).tolist() == [10, 20]
    rows, labels = history.taken(np.array([20, 5, 10]), times=np.array([100, 200, 300]))
    assert labels.ids.tolist() == rows.ids[[0, 2]].tolist()
    assert labels.times.tolist() == [100 + STEP_MS * 500, 300 + 5_000]
    assert labels.outcomes["label"].tolist() == [0, 1]
    csv.write_csv(pa.table({"id": ["1-10"], "label": [1]}), tmp_path / "timeless.csv")
    history = read_history(world.watch, [world.history], labels=[str(tmp_path / "timeless.csv")], now_ms=0)
    _, labels = history.taken(np.array([10]), times=np.array([100]))
    assert labels.times.tolist() == [TIMELESS]


def test_the_newest_are_kept(world):
    """Of a history that is too large for memory the newest rows are used, and it is said how many are not."""
    width = 8 * 3 + 4 * 2 + world.watch.output_form.outputs.itemsize + 20
    history = read_history(world.watch, [world.history], labels=(), now_ms=0, most_bytes=100 * width)
    assert (history.size, history.left_out) == (100, 500)
    assert history.rows.times[0] == START_MS + STEP_MS * 500
    assert history.labels.rows == np.count_nonzero(np.arange(500, 600) % 3)


def test_rows_taken_twice_are_two_rows(world):
    """A row that is taken again has another id, and so has its label."""
    history = read_history(world.watch, [world.history], labels=(), now_ms=0)
    rows, labels = history.taken(np.array([1, 1, 1]), times=np.arange(3), again=np.array([0, 1, 2]))
    assert len(set(rows.ids.tolist())) == 3
    assert labels.ids.tolist() == rows.ids.tolist()
    assert rows.ids[0] == history.rows.ids[1]


def test_rows_without_an_id_get_one(tmp_path):
    """What happens to a row is decided by its id; a model that joins nothing need not send any."""
    world = make_world(
        tmp_path, rows=50, config='[[models]]\nname = "m"\ntask = "none"\nreference = "loan.reference"\n'
    )
    rows = table(rows=50, seed=1).set_column(0, "id", pa.array([""] * 50))
    csv.write_csv(rows, tmp_path / "nameless.csv")
    history = read_history(world.watch, [str(tmp_path / "nameless.csv")], labels=(), now_ms=0)
    assert history.labels is None
    assert len(set(history.rows.ids.tolist()) - {0}) == 50


def test_nothing_that_can_be_read(world, tmp_path):
    """Events of other models are no history of this one."""
    (tmp_path / "other.jsonl").write_text('{"model": "other", "id": "1", "time": 1}\n', encoding="utf-8")
    with pytest.raises(DataError, match="no rows: none could be read as a prediction of model loan"):
        read_history(world.watch, [str(tmp_path / "other.jsonl")], labels=(), now_ms=0)
