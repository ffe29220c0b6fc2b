"""How far labels have been read: a backlog holds the last looks back, silence does not."""

import numpy as np
import pytest

from driftwatch.stream.frontier import Frontier, Reach
from driftwatch.stream.windows import NEVER


def heard(frontier: Frontier, partition: str, *times: int, now_ms: int = 0) -> int | None:
    frontier.hear(np.array(times, dtype=np.int64), partition, received_ms=now_ms)
    return frontier.held_at_ms


@pytest.fixture
def frontier() -> Frontier:
    """Partitions idle after 50 ms."""
    return Frontier(idle_after_ms=50)


def test_without_partitions_nothing_is_held(frontier) -> None:
    """A model whose labels nobody has announced waits for none."""
    frontier.tick(now_ms=1_000)
    assert frontier.held_at_ms is None


def test_the_slowest_partition_counts_and_none_goes_back(frontier) -> None:
    """Of each the greatest time that was read, of all the least."""
    assert heard(frontier, "a", 70, 30) == 70
    assert heard(frontier, "b", 20) == 20
    assert heard(frontier, "b", 90) == 70
    assert heard(frontier, "a", 10) == 70


def test_an_announced_partition_holds_until_it_is_idle(frontier) -> None:
    """Its backlog may not have been read yet."""
    heard(frontier, "a", 70)
    frontier.announce(["b"], now_ms=10)
    assert frontier.held_at_ms == NEVER
    heard(frontier, "a", 80, now_ms=60)
    frontier.tick(now_ms=60)
    assert frontier.held_at_ms == NEVER
    frontier.tick(now_ms=61)
    assert frontier.held_at_ms == 80


def test_silence_releases_and_a_label_holds_again(frontier) -> None:
    """When all are idle nothing is held; whoever speaks holds at what it said."""
    heard(frontier, "a", 70, now_ms=0)
    frontier.tick(now_ms=50)
    assert frontier.held_at_ms == 70
    frontier.tick(now_ms=51)
    assert frontier.held_at_ms is None
    assert heard(frontier, "a", 60, now_ms=52) == 70


def test_after_a_restart_silence_is_measured_anew() -> None:
    """What was saved goes on; who was silent for long before is so again only after as long."""
    frontier = Frontier(idle_after_ms=50, reach=Reach({"a": 70, "b": 30}, frozenset({"b"})))
    assert frontier.held_at_ms == 70
    frontier.tick(now_ms=1_000)
    assert frontier.held_at_ms == 30
    frontier.tick(now_ms=1_051)
    assert frontier.held_at_ms is None


def test_a_partition_that_is_read_again_after_a_stop_holds_although_it_was_idle() -> None:
    """While the service was down, labels may have come: its windows must not become final before they are read."""
    frontier = Frontier(idle_after_ms=50, reach=Reach({"a": 70}, frozenset({"a"})))
    assert frontier.held_at_ms is None
    frontier.announce(["a"], now_ms=1_000)
    assert frontier.held_at_ms == 70
    assert heard(frontier, "a", 400, now_ms=1_040) == 400
    frontier.tick(now_ms=1_091)
    assert frontier.held_at_ms is None
