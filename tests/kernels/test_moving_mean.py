"""Fading means against a reference: chances that are right on average over references."""

import numpy as np
import pytest

from driftwatch.kernels.moving_mean import MEMORIES, Centre, Moving, bend_of, chances

NOT_LEARNT = Centre(np.zeros((1, 1)), np.full((1, 1), 1 / 12), np.full((1, 1), np.inf), np.zeros((1, 1)))


def test_sums_fade_by_their_memory():
    """A window of long ago weighs memory to the power of its age."""
    centre = Centre(np.full((1, 1), 0.5), np.full((1, 1), 1 / 12), np.full((1, 1), 0.01), np.zeros((1, 1)))
    one = np.ones((1, 1))
    moving = Moving.empty(1, 1)
    for total, rows in ((60.0, 100), (30.0, 50), (0.0, 0)):
        moving = moving.add(np.full((1, 1), total), rows, centre=centre, factor=2 * one)
    np.testing.assert_allclose(moving.sums[0, 0], 10 * MEMORIES**2 + 5 * MEMORIES)
    np.testing.assert_allclose(moving.rows[0, 0], 100 * MEMORIES**2 + 50 * MEMORIES)
    np.testing.assert_allclose(moving.squares[0, 0], 200 * MEMORIES**4 + 100 * MEMORIES**2)
    np.testing.assert_allclose(moving.errors[0, 0], 0.01 * moving.rows[0, 0])


@pytest.mark.parametrize("known", [300, 100_000])
def test_chances_are_right_over_references(known):
    """Below a level there are as many windows as it says, whatever share of the error is the reference's."""
    rng, columns, rows = np.random.default_rng(11), 40_000, 300
    spread = np.full((columns, 1), 1 / 12)
    reference = 0.5 + rng.standard_normal((columns, 1)) * np.sqrt(spread / known)
    centre = Centre(reference, spread, np.sqrt(spread / known), np.zeros((columns, 1)))
    moving = Moving.empty(columns, 1)
    for _ in range(12):
        sums = rows * 0.5 + rng.standard_normal((columns, 1)) * np.sqrt(rows * spread)
        moving = moving.add(sums, rows, centre=centre, factor=np.ones((columns, 1)))
    not_learnt = Centre(np.zeros((columns, 1)), spread, np.full((columns, 1), np.inf), np.zeros((columns, 1)))
    found = chances(moving, not_learnt, np.zeros((columns, 1)), np.full(columns, np.inf))[:, 0]
    for level in (0.1, 0.01, 0.001):
        assert np.abs((found < level).mean(axis=0) / level - 1).max() < 4 / np.sqrt(level * columns)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("share", [0.001, 0.01, 0.1])
def test_chances_of_rare_values_are_not_too_small(share, both):
    """Of a score that is hardly ever 1, or hardly ever at either end, extremes are no likelier than their chances."""
    rng, columns, rows = np.random.default_rng(12), 40_000, 300
    values, law = np.array([0.0, 0.5, 1.0]), np.array([share / 2 * both, 1 - share, share * (1 - both / 2)])
    mean = law @ values
    moments = [np.full((columns, 1), law @ (values - mean) ** power) for power in (2, 3, 4)]
    nothing, bend = np.zeros((columns, 1)), bend_of(*moments)
    centre, moving = Centre(nothing + mean, moments[0], nothing, bend), Moving.empty(columns, 1)
    for _ in range(12):
        sums = rng.multinomial(rows, law, columns) @ values
        moving = moving.add(sums[:, None], rows, centre=centre, factor=nothing + 1)
    found = chances(moving, Centre(nothing, moments[0], nothing, bend), nothing, np.full(columns, np.inf))[:, 0]
    for level in (0.01, 0.001, 0.0001):
        assert ((found < level).mean(axis=0) < level + 4 * np.sqrt(level / columns)).all()


def test_few_degrees_of_freedom_are_heeded():
    """With a factor that is but estimated the same distance says less."""
    centre = Centre(np.full((1, 1), 0.5), np.full((1, 1), 1 / 12), np.zeros((1, 1)), np.zeros((1, 1)))
    moving = Moving.empty(1, 1).add(np.full((1, 1), 560.0), 1000, centre=centre, factor=np.ones((1, 1)))
    known, few = (chances(moving, NOT_LEARNT, np.zeros((1, 1)), np.array([f])) for f in (np.inf, 9.0))
    assert (known < 1e-8).all()
    assert (few > 1e-5).all()
    assert (few < 1e-3).all()


def test_what_is_tolerated_is_no_change():
    """Up to the tolerance the chance is 1; before the first window too."""
    centre = Centre(np.full((1, 1), 0.5), np.full((1, 1), 1 / 12), np.zeros((1, 1)), np.zeros((1, 1)))
    moving = Moving.empty(1, 1).add(np.full((1, 1), 540.0), 1000, centre=centre, factor=np.ones((1, 1)))
    for asked, tolerance in ((moving, 0.05), (Moving.empty(1, 1), 0.0)):
        found = chances(asked, NOT_LEARNT, np.full((1, 1), tolerance), np.array([np.inf]))
        np.testing.assert_array_equal(found, 1.0)
