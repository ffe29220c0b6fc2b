import numpy as np
import pytest

from driftwatch.errors import StateError
from driftwatch.kernels.expected import gather
from driftwatch.kernels.slicing import choose, features_of, shifted
from driftwatch.summaries.slices import SlicedRows, SliceEvidence


def rows_of(seed, rows=20_000, strength=1.0):
    """Groups of two slices, calibrated chances given nothing else, labels to which only the first slice speaks."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 6, (rows, 2)).astype(np.uint8)
    chances = rng.uniform(0.02, 0.98, rows)
    odds = chances / (1 - chances) * np.exp(strength * (groups[:, 0] - 2.5) / 2.5)
    truth = odds / (1 + odds)
    return groups, chances, (rng.random(rows) < truth).astype(float), truth


def test_only_the_slice_that_speaks_is_used():
    """The other one's effects are exactly zero."""
    groups, chances, labels, _ = rows_of(0)
    effects = SliceEvidence.converged(groups, chances, labels).effects
    assert effects.used.tolist() == [True, False]
    assert (effects.log_odds[effects.log_odds.size // 2 :] == 0).all()


def test_without_information_nothing_changes():
    """No slice says anything: the cells are those of the plain estimate, bit by bit."""
    plain = 0
    for seed in range(20):
        groups, chances, labels, _ = rows_of(seed, rows=5_000, strength=0.0)
        effects = SliceEvidence.converged(groups, chances, labels).effects
        bins, predicted = (chances * 20).astype(np.int64), (chances > 0.5).astype(np.int64)
        found = SlicedRows.of(groups, chances, (bins, predicted), slots=21, effects=effects)
        expected = gather(bins, predicted, chances, slots=21)
        plain += np.allclose(found.cells.positives, expected.positives, rtol=1e-14, atol=0)
    assert plain == 20


def test_chances_are_those_of_the_groups():
    """Expected positives of every group are near the true ones, where the score alone is far off."""
    effects = SliceEvidence.converged(*rows_of(1)[:3]).effects
    groups, chances, _, truth = rows_of(2)
    first = groups[:, 0].astype(np.int64)
    zeros = np.zeros_like(first)
    found = SlicedRows.of(groups, chances, (first, zeros), slots=7, effects=effects).cells.positives[:6, 0]
    right = np.bincount(first, truth, minlength=6)
    assert found == pytest.approx(right, rel=0.05), "two standard errors of 3 300 labels a group"
    assert np.abs(np.bincount(first, chances, minlength=6) / right - 1).max() > 0.15


def test_evidence_adds():
    """Sums of parts are the sums of all, in any order; nothing is neutral."""
    groups, chances, labels, _ = rows_of(3, rows=3000)
    parts = [SliceEvidence.of(groups[k::3], chances[k::3], labels[k::3]) for k in range(3)]
    whole = SliceEvidence.of(groups, chances, labels)
    for added in (
        parts[0].merge(parts[1]).merge(parts[2]),
        parts[2].merge(parts[0].merge(parts[1])),
        SliceEvidence.empty(2).merge(whole),
        SliceEvidence.from_arrays(whole.arrays()),
    ):
        assert added.response == pytest.approx(whole.response, rel=1e-9, abs=1e-9)
        assert added.information == pytest.approx(whole.information, rel=1e-9, abs=1e-9)
    packed = SliceEvidence.unpacked(parts[0].packed + parts[1].packed + parts[2].packed, 2)
    assert packed.response == pytest.approx(whole.response, rel=1e-5, abs=1e-4)
    assert packed.information == pytest.approx(whole.information, rel=1e-5, abs=1e-9)
    assert whole.packed.nbytes < 8_000, "of two slices, where all of it would be 295 000"


def test_errors_of_effects_are_carried_to_the_metrics():
    """By the rows of each cell that have the effect: the definition, in full tables."""
    effects = SliceEvidence.converged(*rows_of(1, rows=2_000)[:3]).effects
    groups, chances, _, _ = rows_of(2, rows=300)
    bins, predicted = (chances * 5).astype(np.int64), (chances > 0.5).astype(np.int64)
    rows = SlicedRows.of(groups, chances, (bins, predicted), slots=6, effects=effects)
    codes = features_of(groups, chances)
    own = shifted(chances, codes, effects.log_odds)
    leverage = np.zeros((6, 2, effects.log_odds.size))
    for row in range(300):
        leverage[bins[row], predicted[row], codes[row]] += own[row] * (1 - own[row])
    turns = np.random.default_rng(0).normal(size=(3, 6, 2))
    pulls = np.einsum("mbc,bce->me", turns, leverage)
    expected = np.einsum("me,ef,mf->m", pulls, effects.covariance, pulls)
    assert (expected > 0).all()
    assert rows.variance(turns) == pytest.approx(expected, rel=1e-9)
    assert float(rows.variance(turns[0])) == pytest.approx(expected[0], rel=1e-9)


def test_evidence_of_other_slices_is_refused():
    """What does not fit is not added."""
    with pytest.raises(StateError, match="different slices"):
        SliceEvidence.empty(2).merge(SliceEvidence.empty(3))
    with pytest.raises(StateError, match="different slices"):
        SliceEvidence.unpacked(SliceEvidence.empty(2).packed, 3)


def test_columns_are_chosen_by_what_they_add():
    """A copy of a chosen column and a column of noise are not chosen; the level is shared."""
    groups, chances, labels, _ = rows_of(4)
    columns = np.column_stack([groups[:, 1], groups[:, 0], groups[:, 0]])
    evidence = SliceEvidence.of(columns, chances, labels)
    assert choose(evidence.response, evidence.information, most=4).tolist() in ([1], [2])
