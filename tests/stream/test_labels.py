"""The label join, case by case: what counts as what, what is bounded, what is written and what is refused."""

import json

import numpy as np
import pytest

from driftwatch.errors import StateError
from driftwatch.stream.join.labels import HEAD, LabelJoin
from driftwatch.stream.outputs import CANCELLED, LABELLED, WAITING, OutputForm
from driftwatch.stream.schema import Task
from tests.stream.label_book import FORM, label, predict, store, told

ID = 0xDEADBEEF00000000
WEEK = 7 * 86_400_000


def join_of(capacity: int = 100, waiting_capacity: int = 10) -> LabelJoin:
    return LabelJoin(FORM, capacity=capacity, waiting_capacity=waiting_capacity)


def only(join: LabelJoin) -> tuple:
    """The one row that is remembered."""
    (part,) = told(join, [[0]])
    (row,) = part[3]
    return row


def spread(count: int, seed: int = 0) -> list[int]:
    return np.random.default_rng(seed).integers(1, 2**64, count, dtype=np.uint64).tolist()


def test_a_label_joins_every_version_that_scored_the_event() -> None:
    """A canary's prediction and the one beside it get the same label; so does one that comes after it."""
    join = join_of()
    predict(join, [(ID, 0, 0, 5, 0.1), (ID, 1, 0, 6, 0.2)])
    joined = label(join, [(ID, 9, 1)])
    late = predict(join, [(ID, 2, 0, 7, 0.3)])

    assert (joined.matched, joined.settled.versions.tolist(), joined.settled.delays_ms.tolist()) == (1, [0, 1], [4, 3])
    assert (late.matched, late.settled.versions.tolist(), late.settled.delays_ms.tolist()) == (1, [2], [2])
    assert {version: total.labelled for version, total in join.totals().items()} == {0: 1, 1: 1, 2: 1}


def test_the_label_with_the_latest_time_holds() -> None:
    """A correction replaces, an older label does not, and of equal times the last to come holds."""
    join = join_of()
    predict(join, [(ID, 0, 0, 5, 0.1)])
    counts = [label(join, [(ID, time, outcome)]) for time, outcome in ((10, 1), (12, 0), (11, 1), (12, 1), (12, 1))]

    assert [c.matched for c in counts] == [1, 0, 0, 0, 0]
    assert [c.corrected for c in counts] == [0, 1, 0, 1, 0]
    assert [c.outdated for c in counts] == [0, 0, 1, 0, 0]
    assert [c.duplicate for c in counts] == [0, 0, 0, 0, 1]
    assert [c.settled.rows for c in counts] == [1, 0, 0, 0, 0]
    assert only(join) == (0.1, LABELLED, 1, 7)


def test_cancelled_and_labelled_after_all() -> None:
    """A producer that said no label would come may still send one: then it is settled."""
    join = join_of()
    predict(join, [(ID, 0, 0, 5, 0.1)])
    assert label(join, [(ID, 6, None)]).cancelled == 1
    assert only(join) == (0.1, CANCELLED)

    joined = label(join, [(ID, 8, 1)])
    assert (joined.corrected, joined.settled.rows) == (1, 1)
    assert only(join) == (0.1, LABELLED, 1, 3)


def test_a_label_of_before_its_prediction_has_no_delay() -> None:
    """Clocks differ; a delay is never negative."""
    join = join_of()
    label(join, [(ID, 2, 1)])
    joined = predict(join, [(ID, 0, 0, 5, 0.1)])

    assert joined.settled.delays_ms.tolist() == [0]
    assert only(join) == (0.1, LABELLED, 1, 0)
    assert label(join, [(ID, 1, 0)]).outdated == 1


def test_a_full_waiting_room_lets_the_oldest_eighth_go() -> None:
    """The bound holds, and who waited longest leaves first."""
    join = join_of(waiting_capacity=16)
    ids = spread(18)
    joined = label(join, [(one, 1, 1) for one in ids])

    assert (joined.waiting, joined.crowded_out, join.waiting_labels) == (18, 2, 16)
    assert predict(join, [(one, 0, 0, 5, 0.5) for one in ids]).matched == 16


def test_the_bound_keeps_a_sample_by_hash() -> None:
    """Over the bound exactly the ids with enough zero bits stay, on both sides, and the rate says so."""
    join = join_of(capacity=1_000, waiting_capacity=10_000)
    ids, strangers = spread(5_000), spread(1_000, seed=1)
    label(join, [(one, 1, 1) for one in strangers])
    joined = predict(join, [(one, 0, 0, 5, one / 2**64) for one in ids])
    kept = sorted(one for one in ids if one % 8 == 0)

    assert join.rate == 1 / 8
    assert joined.thinned == 5_000 - len(kept)
    assert [row[0] for row in told(join, [[0]])[0][3]] == [one / 2**64 for one in kept]
    assert join.waiting_labels == sum(one % 8 == 0 for one in strangers)
    assert label(join, [(one, 9, 1) for one in ids]).matched == len(kept)


def test_a_window_over_panes_of_different_rates_is_held_to_the_lower() -> None:
    """Memory came back between two panes: together they are read at the rate of the sparser one."""
    join = join_of(capacity=1_000)
    first, second = spread(3_000), spread(300, seed=2)
    predict(join, [(one, 0, 0, 5, 0.5) for one in first])
    assert join.rate == 1 / 4
    predict(join, [(one, 0, 10, 15, 0.5) for one in second[:1]])
    join.forget(10)
    predict(join, [(one, 0, 20, 25, 0.5) for one in second])

    assert join.rate == 1
    assert [(p.rate, p.answers.rows) for p in join.answers([[20]])] == [(1.0, 300)]
    both = sum(one % 4 == 0 for one in [*second, second[0]])
    assert [(p.rate, p.answers.rows) for p in join.answers([[10, 20]])] == [(0.25, both)]


def test_a_prediction_of_a_forgotten_pane_is_expired_at_once() -> None:
    """What came too late to be remembered is counted, and its label finds nothing."""
    join = join_of()
    predict(join, [(ID, 0, 0, 5, 0.1), (ID + 1, 0, 0, 5, 0.1)])
    label(join, [(ID, 6, 1)])

    assert join.forget(10) == 1
    assert predict(join, [(ID + 2, 0, 0, 5, 0.1)]).expired == 1
    assert label(join, [(ID, 7, 1)]).waiting == 1
    assert join.totals() == {}


def test_values_and_far_times_are_kept() -> None:
    """Numbers that do not fit in four bytes and business values, given from some row on, come back as they were."""
    join = join_of()
    outputs, outcomes = np.zeros(2, dtype=FORM.outputs), np.zeros(2, dtype=FORM.outcomes)
    outputs["value"], outcomes["value"] = [np.nan, 2.5], [np.nan, -1.0]
    predict(join, [(ID, 0, 0, 5, 0.1)])
    join.predict(
        panes=np.array([0, 0]), versions=np.zeros(2, dtype=np.int32), times=np.array([0, 20 * WEEK]),
        ids=np.array([ID + 1, ID + 2], dtype=np.uint64), outputs=outputs,
    )  # fmt: skip
    ids = np.array([ID + 2, ID], dtype=np.uint64)
    join.label(times=np.array([60 * WEEK] * 2), ids=ids, outcomes=outcomes, cancelled=np.zeros(2, dtype=np.bool_))
    (part,) = join.answers([[0]])

    assert np.array_equal(part.answers.outputs["value"], [np.nan, np.nan, 2.5], equal_nan=True)
    assert part.answers.state.tolist() == [LABELLED, WAITING, LABELLED]
    assert part.answers.delays_ms[[0, 2]].tolist() == [60 * WEEK - 5, 40 * WEEK]
    assert np.array_equal(part.answers.outcomes["value"][[0, 2]], [-1.0, np.nan], equal_nan=True)


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.REGRESSION, Task.RANKING, Task.NONE])
def test_every_task_s_records_come_back(task: Task) -> None:
    """Whatever fields a task has: joined, stored and restored they are the same, and a repetition is recognised."""
    form = OutputForm(task, ("a", "b", "c") if task is Task.MULTICLASS else ())
    generator = np.random.default_rng(3)
    outputs, outcomes = (
        np.frombuffer(generator.bytes(50 * kind.itemsize), dtype=kind) for kind in (form.outputs, form.outcomes)
    )
    join = LabelJoin(form, capacity=100, waiting_capacity=10)
    ids = np.sort(generator.integers(1, 2**64, 50, dtype=np.uint64))
    columns = {"panes": np.zeros(50, dtype=np.int64), "versions": np.zeros(50, dtype=np.int32), "ids": ids}
    join.predict(**columns, times=columns["panes"], outputs=outputs)
    labels = {"times": columns["panes"], "ids": ids, "outcomes": outcomes, "cancelled": columns["panes"] > 0}

    assert join.label(**labels).matched == 50
    assert join.label(**labels).duplicate == 50
    stored: dict[str, bytes] = {}
    store(join, stored)
    restored = LabelJoin(form, capacity=100, waiting_capacity=10)
    restored.resume(stored)
    for one in (join, restored):
        (part,) = one.answers([[0]])
        assert part.answers.outputs.tobytes() == outputs.tobytes()
        assert part.answers.outcomes.tobytes() == outcomes.tobytes()


def test_only_what_is_new_is_written() -> None:
    """A checkpoint after few events writes a few chunks; one after none writes nothing; a failed one is repeated."""
    join, stored = join_of(capacity=50_000), {}
    ids = spread(40_000)
    predict(join, [(one, 0, 0, 5, 0.5) for one in ids])
    store(join, stored)
    assert join.changes() == {}

    predict(join, [(ID, 0, 0, 5, 0.5)])
    label(join, [(ids[7], 9, 1), (ID + 1, 9, 1)])
    changes = join.changes()
    assert sorted(changes) == ["head", "notes/0", "rows/9", "waiting/0"]
    assert join.changes() == changes
    store(join, stored)
    assert join.changes() == {}
    join.forget(10)
    store(join, stored)
    assert sorted(stored) == ["head", "rows/9", "waiting/0"]


def test_a_smaller_capacity_samples_what_is_restored() -> None:
    """An operator lowers the bound: the restored memory is thinned to it, and the next checkpoint says so."""
    join, stored = join_of(capacity=2_000, waiting_capacity=100), {}
    ids = spread(1_500)
    predict(join, [(one, 0, 0, 5, 0.5) for one in ids])
    label(join, [(one, 9, 1) for one in [*ids[:700], *spread(90, seed=5)]])
    store(join, stored)
    small = join_of(capacity=1_000, waiting_capacity=8)
    small.resume(stored)
    store(small, stored)
    again = join_of(capacity=1_000, waiting_capacity=8)
    again.resume(stored)

    for one in (small, again):
        (total,) = one.totals().values()
        assert total.predictions == sum(number % 2 == 0 for number in ids)
        assert total.labelled == sum(number % 2 == 0 for number in ids[:700])
        assert one.rate == 0.5
        assert one.waiting_labels <= 8
    assert told(small, [[0]]) == told(again, [[0]])


def stored_join() -> dict[str, bytes]:
    join, stored = join_of(capacity=20_000, waiting_capacity=100), {}
    ids = spread(9_000)
    predict(join, [(one, 0, 0, 5, 0.5) for one in ids])
    label(join, [(one, 9, 1) for one in [*ids[:700], *spread(90, seed=5)]])
    store(join, stored)
    return stored


def head_with(**changes: object) -> bytes:
    return json.dumps({**json.loads(stored_join()[HEAD]), **changes}).encode()


@pytest.mark.parametrize(
    "damage",
    [
        {HEAD: None},
        {HEAD: b"{"},
        {HEAD: b"[]"},
        {HEAD: head_with(format=2)},
        {HEAD: head_with(others=65)},
        {HEAD: head_with(others=1.5)},
        {HEAD: head_with(rows=[0])},
        {HEAD: head_with(rows=[0, 8_999])},
        {HEAD: head_with(rows=[9_000, 0])},
        {HEAD: head_with(rows=[-4_096, 9_000])},
        {HEAD: head_with(labels=[0, 91])},
        {HEAD: head_with(panes=[[0, -1]])},
        {"rows/1": None},
        {"rows/0": None},
        {"rows/2": None},
        {"rows/1": b"x"},
        {"rows/1": stored_join()["rows/2"]},
        {"rows/0": bytes(len(stored_join()["rows/0"]))},
        {"rows/0": b"\xff" * len(stored_join()["rows/0"])},
        {"rows/0": stored_join()["rows/0"] + stored_join()["rows/1"]},
        {"rows/x": stored_join()["rows/0"]},
        {"notes/0": b"\xff" * len(stored_join()["notes/0"])},
        {"notes/0": bytes(len(stored_join()["notes/0"]))},
        {"notes/0": b""},
        {"waiting/0": None},
        {"waiting/0": b"\xff" * len(stored_join()["waiting/0"])},
    ],
)
def test_nonsense_is_refused(damage: dict[str, bytes | None]) -> None:
    """Chunks that do not fit together are a StateError of one line, never a guess."""
    chunks = {name: data for name, data in {**stored_join(), **damage}.items() if data is not None}

    with pytest.raises(StateError) as refused:
        join_of(capacity=20_000, waiting_capacity=100).resume(chunks)
    assert "\n" not in str(refused.value)
