"""The score grid."""

import numpy as np
import pytest

from driftwatch.summaries.scores import ScoreGrid


@pytest.mark.parametrize(
    "reference", [None, np.array([]), np.array([0.3]), np.linspace(0.49, 0.51, 129), np.array([-1.0, np.nan, 2.0])]
)
def test_edges_increase_from_zero_to_one(reference):
    """Whatever the reference holds; 0 and 1 have bins of their own."""
    grid = ScoreGrid.of(reference)
    assert (np.diff(grid.edges) > 0).all()
    assert (grid.edges[0], grid.edges[-1]) == (0.0, 1.0)
    assert (grid.widths > 0).all()
    assert grid.bins_of(np.array([0.0, 5e-324, 1.0, np.nextafter(1.0, 0.0), np.nan])).tolist() == [
        0, 1, grid.bins - 1, grid.bins - 2, grid.bins,
    ]  # fmt: skip


def test_bins_are_whole_parts_of_tenths():
    """So the calibration error over ten bins is exact."""
    grid = ScoreGrid.of(np.random.default_rng(0).random(129))
    scores = np.concatenate([np.random.default_rng(1).random(10_000), np.arange(101) / 100])
    tenth = np.searchsorted(np.arange(1, 11) / 10, scores)
    assert (grid.tenths[grid.bins_of(scores)] == tenth).all()


def test_the_grid_is_fine_where_the_reference_lies():
    """A reference between 0.49 and 0.51 has hundreds of bins there; the number of bins is bounded."""
    grid = ScoreGrid.of(np.linspace(0.49, 0.51, 129))
    assert np.count_nonzero((grid.edges > 0.49) & (grid.edges < 0.51)) > 600
    assert grid.bins < 2100


def test_scores_of_three_decimals_have_a_bin_each():
    """A bin's right edge is such a score."""
    grid = ScoreGrid.of()
    scores = np.arange(1001) / 1000
    assert (grid.edges[grid.bins_of(scores)] == scores).all()


def test_the_same_reference_gives_the_same_grid():
    """States of one model add."""
    reference = np.linspace(0.1, 0.4, 129)
    assert ScoreGrid.of(reference).edges is ScoreGrid.of(reference.copy()).edges
