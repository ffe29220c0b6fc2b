"""The ring finds every row that lies in it, and none that has left, however it turns."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stream.join.ring import Ring, turns

SIZE = 12
steps = st.lists(st.tuples(st.lists(st.integers(1, 6), max_size=8), st.integers(0, 10)), max_size=20)


def array(values: list[int]) -> np.ndarray:
    # Few different upper halves: rows share buckets.
    return np.array([(value % 3 << 62) + value for value in values], dtype=np.uint64)


@given(steps)
def test_found(stream: list[tuple[list[int], int]]) -> None:
    """By number: the rows with an id are those a list would find, the oldest first."""
    ring, rows = Ring(SIZE), []
    for ids, forgotten in stream:
        some = ids[: SIZE - ring.span]
        ring.append(array(some))
        rows += some
        ring.first = min(ring.next, ring.first + forgotten)
        queries, places = ring.find(array([1, 2, 3, 4, 5, 6]))
        found = list(zip(queries.tolist(), ring.numbers(places).tolist(), strict=True))

        assert found == [
            (event - 1, number) for event in range(1, 7) for number in range(ring.first, ring.next)
            if rows[number] == event
        ]  # fmt: skip


@given(st.lists(st.integers(0, 5), max_size=30))
def test_turns(ids: list[int]) -> None:
    """The n-th part has the n-th time of each id, in order."""
    seen: dict[int, int] = {}
    parts: dict[int, list[int]] = {0: []}
    for place, one in enumerate(ids):
        seen[one] = seen.get(one, -1) + 1
        parts.setdefault(seen[one], []).append(place)

    assert [part.tolist() for part in turns(array(ids))] == [parts[turn] for turn in sorted(parts)]
