"""Batches divided into segments, for whoever tests a law over them."""

import numpy as np
from hypothesis import strategies as st

from driftwatch.stream.batch import Batch
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import profiles
from driftwatch.summaries.segment_panes import SegmentPanes
from driftwatch.summaries.segmented import Segmented
from tests.strategies import assert_profiles_equal, batches

PANE = (0, "")


@st.composite
def divided(draw, layout: Layout, *, count: int = 7) -> tuple[Batch, np.ndarray]:
    """Rows, and the segment of each in two dimensions: segments 0…2, or none, and 3…count-1."""
    batch = draw(batches(layout))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    condition = rng.integers(-1, 3, batch.rows)
    partition = rng.integers(3, count, batch.rows)
    return batch, np.stack([condition, partition]).astype(np.int16)


def state_of(batch: Batch, numbers: np.ndarray, layout: Layout, *, count: int = 7) -> Segmented:
    """Count all rows of a batch by segment."""
    panes = SegmentPanes(layout, count)
    add(panes, batch, numbers)
    return held(panes)


def held(panes: SegmentPanes) -> Segmented:
    """What the one pane holds."""
    return panes.window([PANE]) or Segmented(panes.layout, panes.count)


def add(panes: SegmentPanes, batch: Batch, numbers: np.ndarray) -> None:
    """Count a batch into the one pane."""
    cells = np.zeros(batch.rows, dtype=np.int64)
    division = panes.divide([PANE], cells, numbers=numbers, times=batch.times, whole={})
    profiles(batch, cells, count=1, layout=panes.layout, division=division)


def merged(*states: Segmented, layout: Layout, count: int = 7) -> Segmented:
    """All of them together, in this order."""
    total = Segmented(layout, count)
    for state in states:
        total.absorb(state)
    return total


def assert_states_equal(got: Segmented, expected: Segmented, *, exact: bool = False) -> None:
    """The same segments, each the same profile."""
    assert got.present == expected.present
    for number in expected.present:
        assert_profiles_equal(got.profile(number), expected.profile(number), exact=exact)
