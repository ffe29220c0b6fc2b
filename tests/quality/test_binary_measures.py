"""What an assessor says, from the filled bins only, against the statistics over the whole grid."""

import numpy as np
import pytest

from driftwatch.kernels.arrival import PastDelays, arrival_errors, arrived_by_label, delay_counts
from driftwatch.kernels.calibration import calibrate_bins
from driftwatch.kernels.strata import score_groups
from driftwatch.quality.binary import GROUPS, BinaryAssessor
from driftwatch.quality.loss import LossWatch
from driftwatch.statistics.concept import Terms
from driftwatch.statistics.estimation import estimate_binary
from driftwatch.statistics.gap import gaps
from driftwatch.statistics.interim import Arrived, interim_binary
from driftwatch.statistics.reading import Stage
from driftwatch.stream.outputs import LABELLED
from driftwatch.stream.schema import Task
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.scores import ScoreGrid
from tests.benchmarks.measure import DAY_MS, form_of, recalled

FORM, GRID, NOW_MS = form_of(Task.BINARY), ScoreGrid.of(), 2 * DAY_MS


@pytest.fixture(scope="module")
def past():
    """Answers of one window that was learnt from."""
    return recalled(np.random.default_rng(0), Task.BINARY, 20_000).answers


def said(past, window, stage):
    """Readings by family and statistic."""
    assessor = BinaryAssessor(FORM, GRID, loss=LossWatch(Terms(run_length_rows=1e6)))
    assessor.learn(past, version="1", end=1)
    found = assessor.measure(window, version="1", stage=stage, now_ms=NOW_MS)
    return {
        (reading.family, reading.statistic): (reading.value, reading.lower, reading.upper) for reading in found.readings
    }


def assert_equal(found, family, expected):
    for name, interval in expected.items():
        bounds = tuple(float(part) for part in (interval.value, interval.lower, interval.upper))
        assert found[family, name] == pytest.approx(bounds, rel=1e-9, abs=1e-12), name


@pytest.mark.parametrize("rows", [30, 200, 1_000, 5_000])
def test_estimates_and_gaps_are_those_of_the_whole_grid(past, rows):
    """Bins without rows add nothing to what scores promise, nor to the error of the promise."""
    window = recalled(np.random.default_rng(rows), Task.BINARY, rows, coverage=0.8)
    state = BinaryState.of(window.answers, FORM, grid=GRID)
    calibration = calibrate_bins(BinaryState.of(past, FORM, grid=GRID).labelled, GRID.middles)
    found = said(past, window, Stage.FINAL)
    promised = estimate_binary(state.predicted.astype(float), calibration)
    assert_equal(found, "estimation", {name: each.interval for name, each in promised.items()})
    labelled = state.labelled.astype(float)
    parted = gaps(labelled, estimate_binary(labelled.sum(axis=-1), calibration))
    assert_equal(found, "concept", {f"gap_{name}": parted[name].interval for name in ("accuracy", "f1", "roc_auc")})


@pytest.mark.parametrize("rows", [30, 200, 1_000, 5_000])
def test_interim_values_are_those_of_the_whole_grid(past, rows):
    """So are strata, arrival weights and the intervals that they have a part in."""
    window = recalled(np.random.default_rng(rows), Task.BINARY, rows, coverage=0.6)
    state = BinaryState.of(window.answers, FORM, grid=GRID)
    group = score_groups(np.ones(GRID.bins + 1), GROUPS)
    came = past.state == LABELLED
    groups, labels = group[GRID.bins_of(past.outputs["score"][came])], past.outcomes["label"][came].astype(int)
    delays = PastDelays.of(delay_counts(groups, labels, past.delays_ms[came], count=GROUPS).astype(float))
    shares = arrived_by_label(delays, group[GRID.bins_of(window.answers.outputs["score"])], NOW_MS - window.times)
    expected = interim_binary(
        state.predicted.astype(float),
        state.labelled.astype(float),
        Arrived(group, shares, arrival_errors(delays.counts, shares)),
    )
    assert_equal(said(past, window, Stage.INTERIM), "performance", expected.metrics)
