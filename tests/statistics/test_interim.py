import numpy as np
import pytest

from driftwatch.kernels.influence import influences
from driftwatch.statistics.interim import interim_binary
from tests.benchmarks.interim import DELAYS, METRICS, simulate

METRIC = {name: k for k, name in enumerate(METRICS)}


@pytest.mark.parametrize("delay", DELAYS)
def test_corrected_bias_is_at_most_a_fifth(delay):
    """Late positives, by score, by label or both: what is left of the bias is a fifth, or luck."""
    naive, corrected, _, _ = simulate(delay, windows=60)
    for name in ("accuracy", "roc_auc", "f1"):
        before, after = naive[:, METRIC[name]], corrected[:, METRIC[name]]
        luck = 3 * after.std() / np.sqrt(after.size)
        assert abs(after.mean()) <= max(abs(before.mean()) / 5, luck), name


def test_naive_value_is_biased_where_positives_are_late():
    """The simulation has something to correct."""
    naive, corrected, _, _ = simulate("by both", windows=30)
    for name in ("accuracy", "roc_auc"):
        before, after = (abs(errors[:, METRIC[name]].mean()) for errors in (naive, corrected))
        assert before > 0.02, name
        assert after < before / 5, name


def test_intervals_and_bounds_hold():
    """The 95 % intervals hold the true value about as often as they say, the bounds the final value always."""
    _, _, within, _ = simulate("by both", windows=150)
    assert (within[..., 0].mean(axis=0) >= 0.90).all()
    assert within[..., 1].all()


def test_with_all_labels_nothing_is_corrected():
    """When every label has come the value is the plain one and the bounds are closed."""
    joint = np.random.default_rng(0).integers(0, 40, (51, 2, 2)).astype(float)
    found = interim_binary(joint.sum(axis=-1), joint)
    plain = influences(joint)
    for name, interval in found.metrics.items():
        assert float(interval.value) == pytest.approx(float(plain[name].value), abs=1e-12), name
    for name, (low, high) in found.bounds.items():
        assert float(low) == pytest.approx(float(high), abs=1e-12) == pytest.approx(float(plain[name].value)), name
    assert found.coverage == 1
    assert found.effective_rows == pytest.approx(joint.sum())


def test_no_label_yet():
    """Without labels there is no value, and the bounds are as wide as can be."""
    predicted = np.full((11, 2), 10.0)
    found = interim_binary(predicted, np.zeros((11, 2, 2)))
    assert np.isnan(found.metrics["accuracy"].value)
    assert found.bounds["accuracy"] == (0.0, 1.0)
    assert (found.coverage, found.effective_rows, found.strata.covered) == (0.0, 0.0, 0.0)
