"""The label join at size, beside a dictionary: the same counts and the same state of every row."""

import numpy as np
import pytest

from driftwatch.stream.join.labels import LabelJoin
from driftwatch.stream.outputs import CANCELLED, LABELLED, OutputForm
from driftwatch.stream.schema import Task
from tests.stream.label_book import store

FORM = OutputForm(Task.BINARY, ("0", "1"))
PANES = 50
COUNTS = ["matched", "cancelled", "duplicate", "corrected", "outdated"]


def test_three_hundred_thousand_rows() -> None:
    """Predictions and labels in batches of any size, with repetitions, corrections, cancellations and restarts."""
    against_dictionary(300_000, restarts=4)


@pytest.mark.soak
def test_ten_million_rows() -> None:
    """The same with ten million predictions and as many labels."""
    against_dictionary(10_000_000, restarts=1)


def against_dictionary(rows: int, *, restarts: int) -> None:
    """A stream in which a tenth of the labels come before their prediction, a tenth twice and a tenth never."""
    generator = np.random.default_rng(rows)
    ids = generator.integers(1, 2**64, rows, dtype=np.uint64)
    times = np.arange(rows) * 10
    panes = np.arange(rows) * PANES // rows
    # Which event each label is for, in the order of arrival: mostly later than the prediction.
    events = np.concatenate([np.flatnonzero(generator.random(rows) < 0.9), generator.integers(0, rows, rows // 10)])
    arrival = events + generator.normal(rows / 20, rows / 25, events.size)
    events = events[np.argsort(arrival, kind="stable")]
    given = times[events] + generator.integers(0, 5, events.size) * 1_000
    said = generator.integers(0, 3, events.size)
    arrival = np.sort(arrival)
    join, stored = LabelJoin(FORM, capacity=rows, waiting_capacity=rows), {}
    counts = dict.fromkeys(COUNTS, 0)
    batches = max(100, rows // 3_000)
    edges = np.sort(generator.integers(0, rows, batches - 1))
    start = begin = 0
    stops = generator.choice(batches, restarts, replace=False).tolist()
    for number, stop in enumerate([*edges.tolist(), rows]):
        end = int(np.searchsorted(arrival, stop)) if stop < rows else events.size
        joined = [
            predict(join, ids[start:stop], panes=panes[start:stop], times=times[start:stop]),
            label(join, ids[events[begin:end]], times=given[begin:end], said=said[begin:end]),
        ]
        counts = {name: count + sum(getattr(one, name) for one in joined) for name, count in counts.items()}
        start, begin = stop, end
        if number in stops:
            store(join, stored)
            join = LabelJoin(FORM, capacity=rows, waiting_capacity=rows)
            join.resume(stored)

    held, expected = dictionary(ids[events].tolist(), given.tolist(), said.tolist())
    # A first label that is corrected while it waits may turn from one that matches to one that cancels.
    assert counts.pop("matched") + counts.pop("cancelled") == expected.pop("first")
    assert counts == expected
    assert join.waiting_labels == 0
    seen = 0
    for part in join.answers([[pane] for pane in range(PANES)]):
        some = np.flatnonzero(panes == part.window)
        some = some[np.argsort(ids[some])]
        found = [held.get(one, (0, 0)) for one in ids[some].tolist()]
        state = np.array([2 if what == 2 else int(time > 0) for time, what in found])
        assert np.array_equal(part.answers.state, state)
        settled = state == LABELLED
        assert np.array_equal(part.answers.outcomes["label"][settled], np.array([w for _, w in found])[settled])
        delays = np.array([time for time, _ in found]) - times[some] - 1
        assert np.array_equal(part.answers.delays_ms[settled], delays[settled])
        seen += some.size
    assert seen == rows


def dictionary(ids: list[int], times: list[int], said: list[int]) -> tuple[dict, dict[str, int]]:
    """Id → (time + 1, label or 2 for cancelled), and how often what happened."""
    held: dict[int, tuple[int, int]] = {}
    counts = dict.fromkeys(["first", *COUNTS[2:]], 0)
    for one, time, what in zip(ids, times, said, strict=True):
        before = held.get(one)
        if before is None:
            counts["first"] += 1
        elif before[1] == what:
            counts["duplicate"] += 1
        else:
            counts["corrected" if time + 1 >= before[0] else "outdated"] += 1
        if before is None or time + 1 >= before[0]:
            held[one] = (time + 1, what)
    return held, counts


def predict(join: LabelJoin, ids: np.ndarray, *, panes: np.ndarray, times: np.ndarray):
    outputs = np.zeros(ids.size, dtype=FORM.outputs)
    outputs["value"] = np.nan
    return join.predict(
        panes=panes, versions=np.zeros(ids.size, dtype=np.int32), times=times, ids=ids, outputs=outputs
    )  # fmt: skip


def label(join: LabelJoin, ids: np.ndarray, *, times: np.ndarray, said: np.ndarray):
    outcomes = np.zeros(ids.size, dtype=FORM.outcomes)
    outcomes["value"] = np.nan
    outcomes["label"] = said % CANCELLED
    return join.label(times=times, ids=ids, outcomes=outcomes, cancelled=said == CANCELLED)
