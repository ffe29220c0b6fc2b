"""The label join does what lists and dictionaries do, however rows are cut and wherever it is stopped."""

from collections import Counter
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.stream.join import journal, labels, remember, waiting
from driftwatch.stream.join.labels import Joined, LabelJoin
from tests.stream.label_book import FORM, Book, assert_groups, label, predict, store, told

PANES = list(range(0, 80, 10))
WINDOWS = [PANES, [0, 10], [20], [70, 30, 20], [90]]
COUNTS = [field.name for field in fields(Joined) if field.name != "settled"]

# Ids whose lowest bits vary as those of hashes do, and whose upper bits bring some into the same bucket.
ids = st.integers(0, 40).map(lambda number: number * 0x9E3779B97F4A7C15 % 2**64)
times = st.integers(0, 90)
predictions = st.builds(
    lambda event, version, time, score: (event, version, time // 10 * 10, time, score),
    ids, st.integers(0, 2), st.integers(0, 79), st.integers(0, 9).map(lambda tenth: tenth / 10),
)  # fmt: skip
verdicts = st.tuples(ids, times, st.sampled_from([0, 1, None]))
steps = st.one_of(
    st.tuples(st.just("predict"), st.lists(predictions, max_size=25)),
    st.tuples(st.just("label"), st.lists(verdicts, max_size=25)),
    st.tuples(st.just("label"), st.lists(verdicts, max_size=25)),
    st.tuples(st.sampled_from(["forget", "forget_labels"]), st.integers(0, 70)),
    st.tuples(st.just("resume"), st.just(0)),
)


@pytest.fixture(autouse=True, scope="module")
def _small_chunks() -> object:
    """Chunks of four rows, so that a few dozen go through every turn of the memory."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (journal, remember, waiting):
            patch.setattr(module, "CHUNK", 4)
        yield


@settings(max_examples=250, deadline=None)
@given(st.lists(steps, max_size=14), st.integers(0, 60), st.integers(0, 20), st.integers(1, 26))
def test_book(stream, capacity: int, waiting_capacity: int, cut: int) -> None:
    """Counts, settled rows in their order and answers are the book's, after any step, cut and restart."""
    book, join = Book(capacity, waiting_capacity), LabelJoin(FORM, capacity=capacity, waiting_capacity=waiting_capacity)
    stored: dict[str, bytes] = {}
    counts: Counter[str] = Counter()
    settled: list[tuple] = []
    for kind, what in stream:
        if kind == "resume":
            store(join, stored)
            join = LabelJoin(FORM, capacity=capacity, waiting_capacity=waiting_capacity)
            join.resume(stored)
        elif kind == "forget":
            assert join.forget(what // 10 * 10) == book.forget(what // 10 * 10)
        elif kind == "forget_labels":
            assert join.forget_labels(what) == book.forget_labels(what)
        else:
            for row in what:
                (book.predict if kind == "predict" else book.label)(*row)
            for start in range(0, len(what), cut):
                joined = (predict if kind == "predict" else label)(join, what[start : start + cut])
                counts += Counter({name: getattr(joined, name) for name in COUNTS})
                settled += lines(joined.settled)
        assert counts == +book.counts
        assert settled == book.settled
        assert join.waiting_labels == sum(entry.there for entry in book.room)
        assert join.rate == 2.0**-book.others
        assert told(join, WINDOWS) == book.answers(WINDOWS)
        assert sum(total.predictions for total in join.totals().values()) == len(book.rows) <= capacity


def lines(settled: labels.Settled) -> list[tuple]:
    assert_groups(settled.outputs)
    columns = (
        settled.panes, settled.versions, settled.outputs["score"], settled.outcomes["label"], settled.delays_ms,
    )  # fmt: skip
    return list(zip(*(column.tolist() for column in columns), strict=True))


@settings(deadline=None)
@given(st.lists(predictions, max_size=40, unique_by=lambda row: row[:3]), st.lists(verdicts, max_size=40), st.data())
def test_order(rows: list[tuple], said: list[tuple], data) -> None:
    """While there is room for all, the order in which predictions and labels come changes no answer."""
    said = [(event, place, outcome) for place, (event, _, outcome) in enumerate(said)]
    events = [(predict, row) for row in rows] + [(label, row) for row in said]
    answers = []
    for order in (events, data.draw(st.permutations(events))):
        join = LabelJoin(FORM, capacity=100, waiting_capacity=100)
        for kind, row in order:
            kind(join, [row])
        answers.append(told(join, WINDOWS))
    assert answers[0] == answers[1]
