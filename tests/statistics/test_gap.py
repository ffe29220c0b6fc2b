import pytest

from tests.benchmarks.estimation import gap_alarms, nothing, shift_errors, steady


def test_shift_of_the_inputs_is_no_concept_drift():
    """Groups' mix moves and groups matter beyond the score: estimates that know the groups raise no alarm."""
    assert gap_alarms((steady,), flipped=0, tilt=1.5, windows=40)[1].max() <= 0.075


def test_flipped_labels_are():
    """A tenth of the labels turned, inputs as ever: the gap fires in every window, with and without groups."""
    assert gap_alarms((steady,), flipped=0.1, tilt=0, windows=20).min() == 1


@pytest.mark.parametrize("effects", [(steady, nothing), (steady, steady, steady, nothing)])
def test_slices_are_closer_than_plain_estimates(effects):
    """Under a shift of the groups' mix every metric's error falls; those that were far off, to less than half."""
    plain, slices, _ = shift_errors(effects, windows=4)
    assert (slices < plain).all()
    far = plain > 0.02
    assert (slices[far] < plain[far] / 2).all()


def test_slices_that_say_nothing_add_no_noise():
    """Groups move, but the score says it all: the estimate is the plain one."""
    plain, slices, _ = shift_errors((nothing, nothing), windows=4)
    assert slices == pytest.approx(plain, abs=1e-12)
