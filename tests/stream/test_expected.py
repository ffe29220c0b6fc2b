"""Windows stay open for partitions that are still to be announced: a source says which it has once it is connected."""

import numpy as np
import pytest

from driftwatch.stream.windows import Windows, WindowSpec
from tests.timeline import spec

FORM = spec(size=10, lateness=2, idle_after=50, keep=5)


def place(windows: Windows, times: list[int], *, partition: str = "http/predictions", now: int = 0):
    """Place rows: the point up to which they close windows, or None, and how many are late."""
    steps = list(windows.place(np.array(times), partition, received_ms=now))
    closes = [step.close for step in steps if step.close is not None]
    return (closes or [None])[-1], sum(int(step.late.sum()) for step in steps)


@pytest.fixture
def windows() -> Windows:
    """Windows with an HTTP partition, and a topic whose partitions nobody knows yet."""
    windows = Windows(FORM)
    windows.expect(["http/predictions", "kafka/payments"], now_ms=0)
    windows.announce(["http/predictions"], now_ms=0)
    return windows


def test_nothing_closes_before_the_topic_has_said_its_partitions(windows) -> None:
    """However far HTTP gets; and the first rows of Kafka, far behind, are not late."""
    assert windows.expected == {"kafka/payments"}
    assert place(windows, [1, 100, 1_000]) == (None, 0)
    assert windows.tick(now_ms=50) is None
    windows.announce(["kafka/payments/0", "kafka/payments/1"], now_ms=50)
    assert windows.expected == frozenset()
    assert place(windows, [1_001], now=50) == (None, 0)
    assert place(windows, [3, 30], partition="kafka/payments/0", now=50) == (None, 0)
    assert place(windows, [2, 25], partition="kafka/payments/1", now=50) == (20, 0)


def test_a_topic_without_a_broker_is_waited_for_as_a_silent_partition(windows) -> None:
    """For `idle_after` to the millisecond; then HTTP closes its windows alone."""
    assert place(windows, [1, 100], now=40) == (None, 0)
    assert windows.tick(now_ms=50) is None
    assert windows.tick(now_ms=51) == 90
    assert windows.expected == frozenset()
    assert place(windows, [133], now=52) == (130, 0)


def test_a_topic_that_comes_after_all_holds_windows_again(windows) -> None:
    """What was closed meanwhile stays closed, and rows younger than `keep` are still taken."""
    place(windows, [1, 33], now=40)
    assert windows.tick(now_ms=51) == 30
    windows.announce(["kafka/payments/0"], now_ms=60)
    assert place(windows, [90], now=60) == (None, 0)
    assert place(windows, [14, 26], partition="kafka/payments/0", now=61) == (None, 1)
    assert place(windows, [50], partition="kafka/payments/0", now=61) == (40, 0)


@pytest.mark.parametrize("other", ["kafka/pay/0", "kafka/payments2/0", "kafka", "kafka/payments/0"])
def test_only_a_partition_of_its_own_answers_for_a_topic(windows, other) -> None:
    """A name that begins alike does not."""
    windows.announce([other], now_ms=1)
    assert windows.expected == (frozenset() if other == "kafka/payments/0" else {"kafka/payments"})


def test_time_alone_closes_nothing_either(windows) -> None:
    """HTTP falls silent while the topic is waited for."""
    place(windows, [1, 33], now=0)
    windows.expect(["kafka/late"], now_ms=40)
    assert windows.tick(now_ms=90) is None
    assert windows.tick(now_ms=91) == 70


def test_windows_counted_in_rows_wait_for_nobody() -> None:
    """They know no lateness."""
    windows = Windows(WindowSpec(rows=2))
    windows.expect(["kafka/payments"], now_ms=0)
    assert place(windows, [1, 2, 3]) == (1, 0)
