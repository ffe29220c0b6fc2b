"""Deviates of exchangeable rows: right in the middle and far out, whatever the counts."""

import numpy as np
import pytest
from scipy import special, stats

from driftwatch.kernels.permutation import score_evidence, share_deviate


@pytest.mark.parametrize(
    ("total", "drawn", "cell"), [(1_100, 100, 20), (1_100, 100, 3), (11_000, 1_000, 100), (6_000, 5_000, 30)]
)
def test_share_has_the_hypergeometric_tail(total: int, drawn: int, cell: int) -> None:
    """The normal tail beyond the deviate is the exact one, from a quarter to one in a trillion."""
    seen = np.arange(max(0, cell - (total - drawn)), min(drawn, cell) + 1)
    law = stats.hypergeom(total, cell, drawn)
    deviate = share_deviate(seen.astype(float), float(cell), drawn=float(drawn), total=float(total))
    many = seen > drawn * cell / total
    exact = np.where(many, law.sf(seen - 1), law.cdf(seen))
    told = np.where(many, special.ndtr(-deviate), special.ndtr(deviate))
    far = (exact < 0.25) & (exact > 1e-12)

    assert far.sum() >= 2
    assert np.abs(told[far] / exact[far] - 1).max() < 0.07
    assert np.median(np.abs(told[far] / exact[far] - 1)) < 0.05


def test_share_is_antisymmetric() -> None:
    """What is surprisingly many of the window's rows is surprisingly few of the reference's."""
    part, cell, drawn, total = 9.0, 20.0, 100.0, 1_100.0
    mine = share_deviate(part, cell, drawn=drawn, total=total)
    theirs = share_deviate(cell - part, cell, drawn=total - drawn, total=total)
    assert mine == pytest.approx(-theirs)


def test_nothing_to_draw_is_no_surprise() -> None:
    """A cell without rows, and one with all rows, cannot deviate."""
    zeros = share_deviate(np.array([0.0, 50.0]), np.array([0.0, 100.0]), drawn=50.0, total=100.0)
    assert zeros.tolist() == [0.0, 0.0]


def orthonormal(pooled: np.ndarray, scores: list[np.ndarray]) -> np.ndarray:
    made = [np.full(pooled.size, 1 / np.sqrt(pooled.sum()))]
    for score in scores:
        for other in made:
            score = score - other * (pooled * score * other).sum()  # noqa: PLW2901
        made.append(score / np.sqrt((pooled * score**2).sum()))
    return np.stack(made[1:])


@pytest.mark.parametrize(("count", "first_order_fails"), [(1, True), (2, True)])
def test_scores_of_a_skewed_column_keep_their_law_where_the_normal_one_fails(
    count: int, *, first_order_fails: bool
) -> None:
    """Of 200 000 draws from a column with most rows at one value, no more than told lie beyond 1 in 1 000."""
    pooled = np.array([1_045, 20, 15, 10, 6, 4])
    total, drawn = int(pooled.sum()), 100
    ranks = special.ndtri((pooled.cumsum() - pooled / 2) / total)
    scores = orthonormal(pooled, [ranks, ranks**2][:count])
    draws = np.random.default_rng(4).multivariate_hypergeometric(pooled, drawn, size=200_000, method="marginals")
    moved = draws @ scores.T
    mean = drawn / total
    first = special.chdtrc(count, (moved**2).sum(axis=1) / (mean * (1 - mean)))
    far = first < 0.02
    shown = np.broadcast_to(scores[:, None, :], (count, int(far.sum()), pooled.size))
    evidence = score_evidence(
        shown, np.broadcast_to(pooled, (int(far.sum()), pooled.size)), moved[far], mean=np.full(int(far.sum()), mean)
    )
    told = special.chdtrc(count, evidence)

    assert ((first <= 0.001).mean() > 0.0015) == first_order_fails
    assert (told <= 0.001).sum() <= stats.binom.ppf(0.99, draws.shape[0], 0.001)


def test_scores_see_what_is_beyond_every_tilt() -> None:
    """A window that lies in one cell altogether is overwhelming and finite evidence."""
    pooled = np.full((1, 10), 110.0)
    scores = orthonormal(pooled[0], [np.arange(10.0), np.arange(10.0) ** 2])[:, None, :]
    (evidence,) = score_evidence(scores, pooled, 100 * scores[:, :, 9].T, mean=np.array([100 / 1_100]))
    assert 200 < evidence < np.inf


def test_a_score_that_is_none_changes_nothing() -> None:
    """Zeros count as no score."""
    pooled = np.full((1, 10), 110.0)
    scores = orthonormal(pooled[0], [np.arange(10.0)])[:, None, :]
    moved, mean = np.array([[0.9]]), np.array([1 / 11])
    alone = score_evidence(scores, pooled, moved, mean=mean)
    beside = score_evidence(
        np.concatenate([scores, np.zeros_like(scores)]), pooled, np.append(moved, [[0.0]], axis=1), mean=mean
    )
    assert alone == pytest.approx(beside)
