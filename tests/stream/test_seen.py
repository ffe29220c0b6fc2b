"""The memory of event ids: bounded, first in first out, the same however the rows are cut and stored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stream import seen
from driftwatch.stream.seen import GENERATIONS, Seen

CHUNK = 4
hashes = st.lists(st.integers(0, 40), max_size=300)


@pytest.fixture(autouse=True, scope="module")
def _small_chunks() -> object:
    """Chunks of four hashes, so that a few hundred go through every turn of the memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen, "CHUNK", CHUNK)
        yield


def first_times(values: list[int], capacity: int) -> list[bool]:
    """The same by definition: lists of lists."""
    length = max(CHUNK, capacity // GENERATIONS // CHUNK * CHUNK)
    generations: list[list[int]] = [[]]
    answers = []
    for value in values:
        new = value == 0 or not any(value in generation for generation in generations)
        answers.append(new)
        if new and value:
            generations[-1].append(value)
            if len(generations[-1]) == length:
                generations = [*generations, []][-GENERATIONS:]
    return answers


def array(values: list[int]) -> np.ndarray:
    # Spread over all bits, as real hashes are: the filter reads some of them.
    return np.array([value * 0x9E3779B97F4A7C15 % 2**64 for value in values], dtype=np.uint64)


@given(hashes, st.integers(1, 200), st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_cutting(values: list[int], capacity: int, cuts: list[int]) -> None:
    """However the rows are cut, the same ones are new: those that are by definition."""
    memory, answers, start = Seen(capacity), [], 0
    while start < len(values):
        stop = start + cuts[len(answers) % len(cuts)]
        answers += memory.new(array(values[start:stop])).tolist()
        start = stop

    assert answers == first_times(values, capacity)


@given(hashes, st.integers(1, 200), st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=40))
def test_resume(values: list[int], capacity: int, cuts: list[tuple[int, bool]]) -> None:
    """Stored after any batch and brought back, it knows the same; only the last chunk is ever written twice."""
    memory, answers, start = Seen(capacity), [], 0
    stored: dict[int, np.ndarray] = {}
    while start < len(values):
        length, dies = cuts[len(answers) % len(cuts)]
        answers += memory.new(array(values[start : start + length])).tolist()
        start += length
        for number, chunk in memory.changes().items():
            if chunk is None:
                stored.pop(number, None)
            else:
                assert stored.get(number, chunk[:0]).size < CHUNK
                stored[number] = chunk
        memory.saved()
        if dies:
            total, forgotten, memory = memory.total, memory.forgotten, Seen(capacity)
            memory.resume(stored)
            assert (memory.total, memory.forgotten) == (total, forgotten)
        assert sum(chunk.size for chunk in stored.values()) == memory.total - memory.forgotten

    assert answers == first_times(values, capacity)


def test_the_memory_is_bounded() -> None:
    """At the limit an eighth is forgotten, the rest is still known."""
    memory = Seen(64)
    assert memory.new(array(list(range(1, 201)))).all()

    assert memory.total - memory.forgotten <= 64
    assert not memory.new(array(list(range(150, 201)))).any()
    assert memory.new(array([1])).all()


def test_changes_stay_until_they_are_saved() -> None:
    """A checkpoint that failed is tried again with the same changes and what came since."""
    memory = Seen(64)
    memory.new(array([1, 2, 3, 4, 5]))
    first = memory.changes()
    memory.new(array([6]))

    assert memory.changes().keys() >= first.keys()
    memory.saved()
    assert memory.changes() == {}
    memory.new(array([7]))
    assert [chunk.size for chunk in memory.changes().values()] == [3]


def test_events_without_id_are_always_new() -> None:
    """0 stands for no id: such events are never duplicates and take no room."""
    memory = Seen(64)
    assert memory.new(np.zeros(500, dtype=np.uint64)).all()
    assert memory.total == 0
