"""Windows close after the right row, and rows are late to the millisecond: drawn as timelines."""

from itertools import chain

import numpy as np
import pytest

from driftwatch.stream.windows import NEVER, Windows, WindowSpec
from tests.timeline import assert_timeline, spec

TUMBLING = spec(size=10, lateness=2, idle_after=50, keep=5)


def test_one_partition() -> None:
    """A window closes once an event lies `lateness` beyond its end."""
    assert_timeline(
        TUMBLING,
        """
        a      | 1   9   10   11   12   3   21   22   57
        closes |                   10            20   50
        """,
    )


def test_the_least_partition_counts() -> None:
    """The slowest partition holds windows open for all."""
    assert_timeline(
        TUMBLING,
        """
        a      | 1   11        35        36
        b      |          4         13        29
        closes |                    10        20
        """,
    )


def test_announced_partition_holds_windows_open() -> None:
    """A partition that is known but has not spoken yet holds windows open, so that no start order loses rows."""
    assert_timeline(
        TUMBLING,
        """
        a      | 1   25   48
        b      |               3    14   33
        closes |                    10   30
        """,
        announced=["a", "b"],
    )


def test_silent_partition_idles() -> None:
    """After more than `idle_after` of wall clock a silent partition holds nothing open."""
    assert_timeline(
        TUMBLING,
        """
        a      | 1        25        26
        b      |     4
        clock  |               50        51
        closes |                         20
        """,
    )


def test_announced_partition_idles_as_well() -> None:
    """One that never speaks holds windows open for `idle_after` only."""
    assert_timeline(
        TUMBLING,
        """
        a      | 5   25        26
        clock  |          50        51
        closes |                    20
        """,
        announced=["a", "b"],
    )


def test_return_from_idle() -> None:
    """A partition that comes back counts again; what was closed meanwhile stays closed, and keeps its late rows."""
    assert_timeline(
        TUMBLING,
        """
        a      | 1        26   27             38             45
        b      |     4                   15        14   16        31   33
        clock  |               .    51
        closes |                    20                            .    30
        late   |                              .
        """,
    )
    assert_timeline(
        TUMBLING,
        """
        a      | 1        36   37             58             57
        b      |     4                   15        14   26        51   53
        clock  |               .    51
        closes |                    30                            40   50
        late   |                         x         x
        """,
    )


def test_all_idle_follows_the_clock() -> None:
    """When nobody speaks, time itself closes windows: as far beyond the last event as silence exceeds idle_after."""
    assert_timeline(
        TUMBLING,
        """
        a      | 1    8
        clock  |           50   51   53   54   63   64
        closes |                          10        20
        """,
    )


def test_nobody_there() -> None:
    """Without partitions, or with none that ever spoke, no tick closes anything."""
    windows = assert_timeline(TUMBLING, "clock | 1 1000 1000000")
    assert windows.progress.closed_ms == NEVER
    windows = assert_timeline(TUMBLING, "clock | 1 1000 1000000", announced=["a"])
    assert windows.progress.closed_ms <= NEVER
    assert windows.watermark_ms is None


def test_keep_to_the_millisecond() -> None:
    """A row is late once its own partition is `lateness` and `keep` beyond its pane's end, not a millisecond before."""
    assert_timeline(
        TUMBLING,
        """
        a      | 1   16   9   0   17   9   10   26   19   27   19   20
        closes |     10                         20
        late   |                       x                       x
        """,
    )


def test_lateness_is_each_partitions_own() -> None:
    """A row that its own partition is not beyond is on time, however far ahead another partition is."""
    assert_timeline(
        TUMBLING,
        """
        a      | 1       900                  901
        b      |     2         5    8    3         4
        """,
    )


def test_sliding() -> None:
    """Sliding windows become due at every slide."""
    assert_timeline(
        spec(size=10, slide=5, lateness=2, idle_after=50, keep=5),
        """
        a      | 1   7   11   12   17   30
        closes |     5        10   15   25
        """,
    )


def test_sliding_names() -> None:
    """A pane lies in size / slide windows, and a window is the sum of as many panes."""
    windows = Windows(spec(size=12, slide=4))
    assert list(windows.ends_of(8)) == [12, 16, 20]
    assert list(windows.panes_of(20)) == [8, 12, 16]
    assert all(pane in windows.panes_of(end) for pane in range(-20, 20, 4) for end in windows.ends_of(pane))


def test_events_before_1970() -> None:
    """Panes are aligned to the epoch on both sides of it."""
    windows = Windows(TUMBLING)
    panes = [step.panes.tolist() for step in windows.place(np.array([-1, -10, -11, 0]), "a", received_ms=0)]
    assert list(chain.from_iterable(panes)) == [-10, -10, -20, 0]


def test_cut_inside_a_batch() -> None:
    """One batch is cut behind each row that makes windows due, and there only."""
    windows = assert_timeline(TUMBLING, "a | 1   2")
    steps = list(windows.place(np.array([2, 12, 3, 13, 40, 41, 3]), "a", received_ms=0))
    assert [(step.start, step.stop, step.close) for step in steps] == [(0, 2, 10), (2, 5, 30), (5, 7, None)]
    assert [step.late.tolist() for step in steps] == [[False, False], [False, False, False], [False, True]]


def test_counted_windows() -> None:
    """Windows counted in rows close by count alone, wherever rows come from and whenever they are dated."""
    windows = Windows(WindowSpec(rows=4))
    found = [
        (step.start, step.stop, step.panes.tolist(), step.close)
        for partition, rows in (("a", 3), ("b", 6), ("a", 3))
        for step in windows.place(np.full(rows, 5), partition, received_ms=0)
    ]
    assert found == [
        (0, 3, [0, 0, 0], None),
        (0, 1, [0], 1),
        (1, 5, [1] * 4, 2),
        (5, 6, [2], None),
        (0, 3, [2, 2, 2], 3),
    ]
    assert windows.tick(now_ms=10**9) is None
    assert windows.watermark_ms is None


@pytest.mark.parametrize(("rows", "due"), [(0, 1), (3, 1), (4, 2), (6, 2)])
def test_finish_counted(rows: int, due: int) -> None:
    """At the end of the input the last window is due, filled or not."""
    windows = Windows(WindowSpec(rows=4))
    list(windows.place(np.zeros(rows, dtype=np.int64), "a", received_ms=0))
    assert windows.finish() == due


def test_finish() -> None:
    """At the end every row has been in a window that was due; one that reaches beyond the last pane is not."""
    windows = assert_timeline(TUMBLING, "a | 1 5")
    assert windows.finish() == 10
    sliding = assert_timeline(spec(size=10, slide=5), "a | 1   5\nb |   7")
    assert sliding.finish() == 10
    assert sliding.watermark_ms == 10


def test_watermark_after_resume() -> None:
    """A copy of the progress is all that another Windows needs to go on."""
    windows = assert_timeline(TUMBLING, "a      | 1 25\ncloses |   20")
    resumed = Windows(TUMBLING, windows.progress)
    times = np.array([14, 3, 37, 31])
    for step, expected in zip(
        resumed.place(times, "a", received_ms=9), windows.place(times, "a", received_ms=9), strict=True
    ):
        assert (step.start, step.stop, step.close) == (expected.start, expected.stop, expected.close)
        np.testing.assert_array_equal(step.late, expected.late)
    assert resumed.progress == windows.progress


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, "give either a size"),
        ({"size": "1h", "rows": 5}, "give either a size"),
        ({"size": "1h", "slide": "7m"}, "size must be a whole multiple of slide"),
        ({"size": "1h", "slide": "2h"}, "size must be a whole multiple of slide"),
        ({"rows": 0}, "rows must be at least 1"),
        ({"rows": 5, "slide": "1m"}, "windows counted in rows do not slide"),
        ({"size": "0s"}, "must be longer than zero"),
        ({"size": 3600}, "write a duration as text with a unit"),
        ({"size": "1h", "grace": "1m"}, "there is no such key"),
    ],
)
def test_spec_refuses(written: dict, message: str) -> None:
    """A window's form is one of two, and whole panes make up a window."""
    with pytest.raises(ValueError, match=message):
        WindowSpec.model_validate(written)
