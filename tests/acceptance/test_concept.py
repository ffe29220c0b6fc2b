"""Concept monitors on error streams with known changes, beside other detectors (issue 4, done-when 6)."""

import numpy as np
import pytest

from driftwatch.statistics.concept import Direction, Terms
from tests.benchmarks.concept import DRIFTS, alarms_of, others, read_stream, scored

pytestmark = pytest.mark.acceptance

SINE = "lobo_sine_0123_abrupto_err_RF_train0_5000"
SEA = "lobo_sea_0123_abrupto_noise_0.2_err_RF_train0_5000"


def test_each_sine_drift_within_200_rows(shared):
    """Every drift is noticed within 200 rows, told as a rise or a fall, and nothing else is alarmed."""
    alarms = alarms_of(read_stream(shared, SINE), Terms())
    assert [alarm.direction for alarm in alarms] == [Direction.RISE, Direction.FALL, Direction.RISE]
    assert all(0 <= alarm.row - drift < 200 for alarm, drift in zip(alarms, DRIFTS["lobo"], strict=True))
    assert all(abs(alarm.changed_row - drift) < 200 for alarm, drift in zip(alarms, DRIFTS["lobo"], strict=True))


@pytest.mark.parametrize("promised", [20_000, 50_000, 100_000])
def test_sine_does_not_hang_on_the_run_length(shared, promised):
    """The drifts are found whatever is promised."""
    rows = [alarm.row for alarm in alarms_of(read_stream(shared, SINE), Terms(run_length_rows=promised))]
    assert all(delay is not None and delay < 200 for delay in scored(rows, DRIFTS["lobo"]).delays)


def test_sea_beside_others(shared):
    """Of SEA's drifts as many are found as ADWIN finds, with no more alarms elsewhere than it or Page-Hinkley has."""
    ours = scored([alarm.row for alarm in alarms_of(read_stream(shared, SEA), Terms())], DRIFTS["lobo"])
    for name in ("ADWIN(delta=0.002)", "PageHinkley(default)"):
        assert ours.elsewhere <= scored(others(shared)[SEA, name], DRIFTS["lobo"]).elsewhere
    adwin = scored(others(shared)[SEA, "ADWIN(delta=0.002)"], DRIFTS["lobo"])
    assert ours.found >= adwin.found


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_stable_streams_are_quiet(shared, seed):
    """No alarm in 20 000 rows of one error rate."""
    assert not alarms_of(read_stream(shared, f"bern_AA_p0.2_seed{seed}"), Terms())


@pytest.mark.parametrize(("after", "rows", "error"), [("0.3", 1000, 300), ("0.6", 60, 60)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_known_rises(shared, seed, after, rows, error):
    """A rise at row 5 000 is the only alarm, and comes soon."""
    (alarm,) = alarms_of(read_stream(shared, f"bern_AB_0.2_to_{after}_seed{seed}"), Terms())
    assert alarm.direction is Direction.RISE
    assert 0 <= alarm.row - 5000 < rows
    assert abs(alarm.changed_row - 5000) < error
    assert alarm.before == pytest.approx(0.2, abs=0.02)


def test_streams_are_error_streams(shared):
    """What is read is 0/1 losses."""
    for name in (SINE, SEA):
        assert set(np.unique(read_stream(shared, name))) == {0.0, 1.0}
