import numpy as np
import pytest

from driftwatch.kernels.calibration import calibrate_bins
from driftwatch.kernels.influence import influences
from driftwatch.statistics.estimation import Joined, estimate_binary
from driftwatch.statistics.gap import gaps

BINS = 50
MIDDLES = (np.arange(BINS) + 0.5) / BINS
VALUES = np.array([[1.0, -20.0], [-5.0, 10.0]])


def draw(rng, rows, windows=None, shift=1.0):
    """Labelled counts ([windows,] bins + 1, 2, 2) of a model whose scores are the chances; shift moves the scores."""
    size = (windows or 1, rows)
    scores = rng.beta(0.6 * shift, 0.9, size)
    labels = (rng.random(size) < 0.03 + 0.9 * scores).astype(int)
    joint = np.zeros((size[0], BINS + 1, 2, 2))
    window = np.broadcast_to(np.arange(size[0])[:, None], size)
    np.add.at(joint, (window, (scores * BINS).astype(int), (scores > 0.5).astype(int), labels), 1)
    return joint if windows else joint[0]


@pytest.mark.parametrize(("learned", "rows"), [(2_000, 1_000), (20_000, 1_000), (20_000, 200)])
def test_interval_holds_what_the_labels_show(learned, rows):
    """95 % intervals hold the realised metric about as often as they say, also with few calibrating labels."""
    rng = np.random.default_rng(0)
    held: dict[str, list[float]] = {}
    for _ in range(60):
        calibration = calibrate_bins(draw(rng, learned), MIDDLES)
        windows = draw(rng, rows, 20)
        realised = influences(windows, VALUES)
        for name, estimated in estimate_binary(windows.sum(axis=-1), calibration, VALUES).items():
            interval, value = estimated.interval, realised[name].value
            held.setdefault(name, []).append(((interval.lower <= value) & (value <= interval.upper)).mean())
    for name, shares in held.items():
        assert 0.925 <= np.mean(shares) <= 0.98, (name, np.mean(shares))


def test_estimate_follows_a_shift_of_the_scores():
    """When scores move, the estimate moves with the labels, and the gap stays still."""
    rng = np.random.default_rng(1)
    calibration = calibrate_bins(draw(rng, 50_000), MIDDLES)
    before, after = (draw(rng, 20_000, 1, shift=shift) for shift in (1.0, 2.0))
    estimates = [estimate_binary(window.sum(axis=-1), calibration) for window in (before, after)]
    moved = estimates[1]["f1"].value - estimates[0]["f1"].value
    assert moved > 0.05
    assert (np.abs(gaps(after, estimates[1])["f1"].z) < 3).all()


def fired(flipped):
    """Share of 400 windows of 2 000 rows whose gap is beyond three deviations, by metric."""
    rng = np.random.default_rng(2)
    calibration = calibrate_bins(draw(rng, 20_000), MIDDLES)
    windows = draw(rng, 2_000, 400)
    turned = rng.binomial(windows.astype(int), flipped)
    windows = windows - turned + turned[..., ::-1]
    found = gaps(windows, estimate_binary(windows.sum(axis=-1), calibration))
    return {name: (np.abs(gap.z) > 3).mean() for name, gap in found.items()}


def test_gap_is_silent_without_concept_drift():
    """Luck alone is beyond three deviations in few windows."""
    assert max(fired(0.0).values()) < 0.02


def test_gap_fires_when_labels_are_flipped():
    """A tenth of the labels turned is seen in nearly every window of 2 000 rows."""
    assert min(share for name, share in fired(0.1).items() if name in {"accuracy", "roc_auc", "f1"}) > 0.9


def test_p_value_is_uniform_without_concept_drift():
    """A gap's p-value is below a tenth in a tenth of the windows."""
    rng = np.random.default_rng(3)
    calibration = calibrate_bins(draw(rng, 100_000), MIDDLES)
    windows = draw(rng, 1_000, 1_000)
    found = gaps(windows, estimate_binary(windows.sum(axis=-1), calibration))
    assert (found["accuracy"].p_value < 0.1).mean() == pytest.approx(0.1, abs=0.03)


def test_few_calibrating_labels_widen_the_interval():
    """A calibration of 500 rows is worth less than one of 50 000, and the error bar says so."""
    rng = np.random.default_rng(4)
    window = draw(rng, 5_000).sum(axis=-1)
    few, many = (
        estimate_binary(window, calibrate_bins(draw(rng, rows), MIDDLES))["accuracy"] for rows in (500, 50_000)
    )
    assert few.calibration > 5 * many.calibration
    assert few.sampling == pytest.approx(many.sampling, rel=0.2)


class Squares:
    """Errors of 1 in every cell."""

    def variance(self, turn):
        return (turn**2).sum()


def test_independent_errors_add():
    """Variances of independent errors add up."""
    rng = np.random.default_rng(5)
    part = Squares()
    turn = rng.random((3, 2))
    assert Joined((part, part)).variance(turn) == pytest.approx(2 * part.variance(turn))
