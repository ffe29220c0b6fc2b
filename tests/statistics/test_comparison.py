"""What is added up of two versions, and what their difference says."""

import numpy as np
import pytest

from driftwatch.quality.yardsticks import coarse
from driftwatch.statistics.comparison import (
    LEAST_EVENTS,
    LEAST_ROWS,
    added,
    differences,
    ruling_of,
    shared,
    side_of,
)
from driftwatch.statistics.contrast import Ruling
from driftwatch.stream.schema import Task
from driftwatch.summaries.scores import ScoreGrid
from tests.benchmarks.comparison import EVEN, HARD, delays, false_decisions
from tests.duels import FORMS, MEASURES, answers, together

TASKS = list(FORMS)


def sides(task, windows, *, weighed=True):
    """Both sides of windows, each a pair of answers."""
    measure, found = MEASURES[task], []
    for pair in windows:
        rows = [part.rows for part in pair]
        weights = shared(*rows) if weighed else (1.0, 1.0)
        found.append(
            [side_of(measure.count(part), n, weight=w) for part, n, w in zip(pair, rows, weights, strict=True)]
        )
    whole = found[0]
    for parts in found[1:]:
        whole = [added(one, other, measure.yardstick) for one, other in zip(whole, parts, strict=True)]
    return tuple(whole)


def said(task, *pairs):
    return differences(pairs, MEASURES[task].yardstick)


@pytest.mark.parametrize("task", TASKS)
def test_with_constant_shares_rows_count_alike(task):
    """Three windows of 400 and 200 rows are 1 200 beside 600: the difference is that of all rows at once."""
    parts = [(answers(task, seed, 400), answers(task, seed + 10, 200, noise=0.2)) for seed in range(3)]
    weighed = sides(task, parts)
    assert [side.effective for side in weighed] == pytest.approx([1200, 600])
    whole = sides(task, [tuple(together(*part) for part in zip(*parts, strict=True))])
    one, other = said(task, weighed), said(task, whole)
    for key, found in one.items():
        assert np.allclose(found.value, other[key].value, rtol=1e-9, atol=1e-12, equal_nan=True), key
        assert np.allclose(found.lower, other[key].lower, rtol=1e-6, atol=1e-9, equal_nan=True), key


@pytest.mark.parametrize("task", TASKS)
def test_sides_add_in_any_order(task):
    """Windows are a commutative sum, to 1e-9."""
    parts = [(answers(task, seed, 150 + 90 * seed), answers(task, seed + 10, 300 - 60 * seed)) for seed in range(3)]
    one, other = said(task, sides(task, parts)), said(task, sides(task, parts[::-1]))
    for key, found in one.items():
        assert np.allclose(found.value, other[key].value, rtol=1e-9, atol=1e-9, equal_nan=True), key


@pytest.mark.parametrize("task", TASKS)
def test_the_worse_version_is_told(task):
    """Every task has a metric that falls behind, and pairs that are taken at once are what they are alone."""
    parts = [(answers(task, seed, 400), answers(task, seed + 50, 400, noise=0.6)) for seed in range(8)]
    worse, alike = sides(task, parts), sides(task, [(one, one) for one, _ in parts])
    together = said(task, worse, alike)
    name = {Task.REGRESSION: "mae", Task.RANKING: "mrr"}.get(task, "log_loss")
    found = together["", name]
    assert ruling_of(name, found.lower[0], found.upper[0]) is Ruling.WORSE
    assert ruling_of(name, found.lower[1], found.upper[1]) is Ruling.UNDECIDED
    assert found.value[1] == 0
    alone = said(task, worse)["", name]
    assert (alone.lower[0], alone.upper[0]) == pytest.approx((found.lower[0], found.upper[0]))


def test_both_versions_stand_for_the_same_windows():
    """What one has of a window, the other has: however the traffic moves between them."""
    for rows in ((900, 100), (1, 50), (30, 30)):
        weights = shared(*rows)
        assert weights[0] * rows[0] == pytest.approx(weights[1] * rows[1])
    assert shared(10, 0) == shared(0, 10) == (0.0, 0.0)


def test_nothing_is_said_of_few_rows():
    """Nor, by what rests on the rarer class, of few rows of it."""
    few = answers(Task.BINARY, 1, LEAST_ROWS - 1)
    many = answers(Task.BINARY, 2, 5 * LEAST_ROWS)
    assert np.isnan(said(Task.BINARY, sides(Task.BINARY, [(few, many)]))["", "accuracy"].value[0])
    assert said(Task.BINARY, sides(Task.BINARY, [(many, many)]))["", "accuracy"].value[0] == 0
    many.outcomes["label"] = 0
    many.outcomes["label"][: LEAST_EVENTS - 1] = 1
    found = said(Task.BINARY, sides(Task.BINARY, [(many, many)]))
    assert np.isnan(found["", "roc_auc"].value[0])
    assert found["", "accuracy"].value[0] == 0


def test_overstated_metrics_are_left_out():
    """The calibration error and KS grow as rows get fewer."""
    one = answers(Task.BINARY, 1, 300)
    names = {name for _, name in said(Task.BINARY, sides(Task.BINARY, [(one, one)]))}
    assert names.isdisjoint({"ece", "ks_score"})
    assert {"roc_auc", "average_precision", "log_loss", "mcc", "value_per_prediction"} <= names


def test_a_ruling_knows_which_way_is_better():
    """A log loss is better when it is lower; a bias is not better on either side."""
    assert ruling_of("accuracy", 0.01, 0.02) is ruling_of("log_loss", -0.02, -0.01) is Ruling.BETTER
    assert ruling_of("accuracy", -0.02, -0.01) is ruling_of("log_loss", 0.01, 0.02) is Ruling.WORSE
    assert ruling_of("accuracy", -0.01, 0.02) is ruling_of("bias", 0.01, 0.02) is Ruling.UNDECIDED
    assert ruling_of("accuracy", np.nan, np.nan) is Ruling.UNDECIDED


def test_a_coarse_grid_keeps_its_ends():
    """One bin holds nothing but 0, one nothing but 1, and there are about 256 between them."""
    fine = ScoreGrid.of(np.linspace(0.2, 0.3, 129))
    found = coarse(fine)
    assert set(found.edges) <= set(fine.edges)
    assert (found.edges[0], found.edges[-1], found.edges[-2]) == (0.0, 1.0, np.nextafter(1.0, 0.0))
    assert 200 < found.bins <= 257


def test_versions_alike_are_hardly_ever_told_apart():
    """A small part of the benchmark: 200 pairs, 60 windows of 50 rows; peeking at a z-test decides in most pairs."""
    found = false_decisions(EVEN[0], pairs=200, windows=60)
    assert max(found["accuracy"], found["roc_auc"], found["log_loss"]) <= 0.08
    ((_, _, _, never, _, peeking),) = delays(0.8, gains=[0.0], rows=50, windows=200, pairs=400)
    assert 1 - never <= 0.06
    assert peeking > 0.3


def test_traffic_that_moves_with_the_base_rate_decides_nothing():
    """Where the challenger gets the harder times, adding up all rows calls it worse; weighing windows does not."""
    assert false_decisions(HARD[-1], pairs=60, windows=60, weighed=False)["accuracy"] > 0.5
    assert false_decisions(HARD[-1], pairs=60, windows=60)["accuracy"] < 0.12


def test_a_gain_of_two_points_takes_about_as_long_as_a_fixed_test():
    """The median of the rows is that of a fixed test of 80 % power; none is called worse."""
    ((_, at, wrong, never, fixed, _),) = delays(0.85, gains=[0.02], rows=100, windows=300, pairs=400)
    assert 0.6 < at[1] / fixed[0] < 1.3
    assert (wrong, never) == (0.0, 0.0)
