import numpy as np
import pytest

from driftwatch.kernels.arrival import (
    BUCKETS,
    EDGES_MS,
    PastDelays,
    arrival_curve,
    arrived_by_label,
    buckets_of,
    delay_counts,
    label_matters,
)

HOUR = 3_600_000


def test_curve_is_not_misled_by_young_rows():
    """The share labelled by each lag is right although half of the rows are too young to have their label."""
    rng = np.random.default_rng(0)
    delays = rng.exponential(10 * HOUR, 200_000)
    ages = rng.uniform(0, 40 * HOUR, 200_000)
    came = delays <= ages
    labelled = np.bincount(buckets_of(delays[came].astype(int)), minlength=BUCKETS).astype(float)
    waiting = np.bincount(buckets_of(ages[~came].astype(int)), minlength=BUCKETS).astype(float)
    curve = arrival_curve(labelled, waiting)[:-1]
    seen = EDGES_MS < 30 * HOUR
    assert np.abs(curve[seen] - (1 - np.exp(-EDGES_MS[seen] / (10 * HOUR)))).max() < 0.01
    assert np.isnan(curve[EDGES_MS > 80 * HOUR]).all(), "no row is so old"


def test_share_arrived_is_that_of_the_delays():
    """By score group and label, the share that has come is the mean over the ages of the rows, inside buckets too."""
    rng = np.random.default_rng(1)
    labels, groups = rng.integers(0, 2, 400_000), rng.integers(0, 2, 400_000)
    delays = rng.exponential((1 + labels + groups) * 5 * HOUR)
    past = PastDelays.of(delay_counts(groups, labels, delays.astype(np.int64), count=2).astype(float))
    ages, where = np.array([0, HOUR, 7 * HOUR, 33 * HOUR, 1000 * HOUR]), np.array([0, 1, 1, 0, 1])
    found = arrived_by_label(past, where, ages)
    for group, label in np.ndindex(2, 2):
        own = delays[(groups == group) & (labels == label)]
        expected = np.mean([(own <= age).mean() for age in ages[where == group]])
        assert found[group, label] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("slower", [1.0, 1.3])
def test_delays_that_depend_on_the_label_are_told_apart(slower):
    """Equal delays of both labels are no reason for weights, a third longer ones are."""
    alarms = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        labels, groups = rng.integers(0, 2, 20_000), rng.integers(0, 3, 20_000)
        delays = rng.exponential((1 + groups) * HOUR * np.where(labels == 1, slower, 1)).astype(np.int64)
        counts = delay_counts(groups, labels, delays, count=3).astype(float)
        alarms += label_matters(counts)
        if not label_matters(counts):
            assert (arrived_by_label(PastDelays.of(counts), groups, np.full(20_000, HOUR)) == 1).all()
    assert alarms == (0 if slower == 1 else 20)


def test_unseen_label_has_no_weight():
    """Where no positive has ever matured, nothing is made up."""
    rng = np.random.default_rng(2)
    zeros = np.zeros(1000, np.int64)
    counts = delay_counts(zeros, zeros, rng.integers(0, HOUR, 1000), count=1).astype(float)
    assert (arrived_by_label(PastDelays.of(counts), zeros, zeros + HOUR) == 1).all()
