"""What the groups a row belongs to say of its label beyond its score: log-odds to be added to its calibrated chance.

A logistic regression with the calibrated log-odds as offset and one indicator per (slice, group, band of the score),
penalised so that a group's effects in different bands are alike. Each batch of labelled rows leaves the two sums of
one Newton step at the effects known so far: the information I = Σ p (1 - p) x xᵀ and the working response
U = Σ x (y - p) + I θ. Both add, and θ = (I + Λ)⁻¹ ΣU.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GROUPS, BANDS = 16, 6
"""Groups of a slice that are told apart, and bands of the calibrated chance in which a group may act differently."""
CUTS = np.array([0.05, 0.2, 0.5, 0.8, 0.95])
"""Between the bands."""
USUAL, BY_BAND = 1.0, 0.1
"""Prior variances, in squared log-odds: of a group's effect, and of what it is in one band beside the others."""
LEVEL = 1e-3
"""Probability, over all candidates together, of using a slice that says nothing."""

_ROUNDS, _SHARES = 2, (1.0, 0.5, 0.2)
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Effects:
    """Fitted effects. log_odds: (features,), 0 where a slice is not used. covariance: (features, features).

    used: (slices,) which slices say something.
    """

    log_odds: Floats
    covariance: Floats
    used: NDArray[np.bool_]


def features_of(groups: NDArray[np.uint8], chances: Floats) -> Ints:
    """Codes (rows, slices) in [0, slices · GROUPS · BANDS) of groups (rows, slices) at chances (rows,).

    Groups from GROUPS - 1 on are one.
    """
    band = np.searchsorted(CUTS, chances)[:, None]
    slices = np.arange(groups.shape[1])
    codes: Ints = (slices * GROUPS + np.minimum(groups, GROUPS - 1)) * BANDS + band
    return codes


def shifted(chances: Floats, features: Ints, log_odds: Floats) -> Floats:
    """Chances (rows,) moved by the sum of their features' effects; 0 and 1 stay."""
    odds = np.exp(np.clip(log_odds[features].sum(axis=1), -30.0, 30.0))
    moved: Floats = chances * odds / (1 - chances + chances * odds)
    return moved


def newton_sums(features: Ints, chances: Floats, labels: Floats, log_odds: Floats) -> tuple[Floats, Floats]:
    """Working response (features,) and information (features, features) of labelled rows.

    features: (rows, slices). chances: (rows,) calibrated, not shifted. labels: (rows,) in {0, 1}.
    log_odds: (features,) the effects known so far.
    """
    size = log_odds.size
    p = shifted(chances, features, log_odds)
    weight = p * (1 - p)
    information = np.zeros((size, size))
    response = np.zeros(size)
    slices = features.shape[1]
    for s in range(slices):
        response += np.bincount(features[:, s], labels - p, minlength=size)
        for t in range(slices):
            pairs = features[:, s] * size + features[:, t]
            information += np.bincount(pairs, weight, minlength=size * size).reshape(size, size)
    return response + information @ log_odds, information


def agreed(features: Ints, chances: Floats, labels: Floats, starts: Sequence[Floats]) -> Floats:
    """Effects (features,) that some labelled rows agree with, nearly; rows as in `newton_sums`.

    Newton's method from the best of some starting points, (features,) each, with steps that are halved while they
    make matters worse: one whole step from far away would go much too far.
    """
    every = np.arange(starts[0].size)
    point = min(starts, key=lambda one: _loss(features, chances, labels, one))
    least = _loss(features, chances, labels, point)
    for _ in range(_ROUNDS):
        response, information = newton_sums(features, chances, labels, point)
        step = np.linalg.solve(_penalised(information, every), response) - point
        losses = [_loss(features, chances, labels, point + share * step) for share in _SHARES]
        best = int(np.argmin(losses))
        if losses[best] >= least:
            break
        point, least = point + _SHARES[best] * step, losses[best]
    return point


def _loss(features: Ints, chances: Floats, labels: Floats, log_odds: Floats) -> float:
    """Sum of the log losses of shifted chances."""
    p = shifted(chances, features, log_odds)
    return -float(np.log(np.maximum(np.where(labels > 0, p, 1 - p), _LEAST)).sum())


def fit(response: Floats, information: Floats) -> Effects:
    """Estimate the effects of the slices that say something; without any, all effects are exactly 0."""
    used = np.zeros(response.size // (GROUPS * BANDS), np.bool_)
    used[choose(response, information, most=used.size)] = True
    return _solved(response, information, used)


def doubt(response: Floats, information: Floats) -> float:
    """Probability that slices which say nothing of the label would seem to say as much as these do, all together."""
    every = np.ones(response.size // (GROUPS * BANDS), np.bool_)
    gain, rank = _tested(response, information, every)
    return float(special.chdtrc(max(rank, 1), max(gain, 0.0)))


def choose(response: Floats, information: Floats, *, most: int) -> Ints:
    """Slices (up to `most`,) that say something of the label beyond the score, the best first; maybe none.

    Forward selection: each candidate is tested given those chosen so far, the level shared by all candidates.
    """
    slices = response.size // (GROUPS * BANDS)
    chosen: list[int] = []
    explained, freedom = 0.0, 0
    while len(chosen) < min(most, slices):
        left = [s for s in range(slices) if s not in chosen]
        found = [_tested(response, information, _marked(slices, [*chosen, s])) for s in left]
        tails = [special.chdtrc(max(rank - freedom, 1), max(gain - explained, 0.0)) for gain, rank in found]
        best = int(np.argmin(tails))
        if tails[best] > LEVEL / slices:
            break
        chosen.append(left[best])
        explained, freedom = found[best]
    return np.array(chosen, np.int64)


def saving(response: Floats, information: Floats, chosen: Ints) -> float:
    """How much log-likelihood, in nats, some slices add to what the scores say of all rows; unbiased, so maybe below 0.

    Half of Rao's statistic, less what as many degrees of freedom gain by chance.
    """
    slices = response.size // (GROUPS * BANDS)
    gain, rank = _tested(response, information, _marked(slices, chosen.tolist()))
    return (gain - rank) / 2


def _marked(slices: int, chosen: list[int]) -> NDArray[np.bool_]:
    marks = np.zeros(slices, np.bool_)
    marks[chosen] = True
    return marks


def _places(information: Floats, used: NDArray[np.bool_]) -> Ints:
    """Features of the used slices that have been seen."""
    return np.flatnonzero(np.repeat(used, GROUPS * BANDS) & (np.diagonal(information) > 0))


def _tested(response: Floats, information: Floats, used: NDArray[np.bool_]) -> tuple[float, int]:
    """Rao's score statistic of "these slices say nothing", and its degrees of freedom."""
    places = _places(information, used)
    values, vectors = np.linalg.eigh(information[np.ix_(places, places)])
    real = values > 1e-9 * values.max(initial=0.0)
    along = vectors.T[real] @ response[places]
    return float((along**2 / values[real]).sum()), int(real.sum())


def _solved(response: Floats, information: Floats, used: NDArray[np.bool_]) -> Effects:
    """The penalised estimate over the used slices."""
    log_odds, covariance = np.zeros(response.size), np.zeros(information.shape)
    places = np.flatnonzero(np.repeat(used, GROUPS * BANDS))
    if places.size:
        penalised = _penalised(information, places)
        log_odds[places] = np.linalg.solve(penalised, response[places])
        covariance[np.ix_(places, places)] = np.linalg.inv(penalised)
    return Effects(log_odds, covariance, used)


def _penalised(information: Floats, places: Ints) -> Floats:
    """The information of whole slices and the prior's: a band without labels leans on the others of its group."""
    groups = places.size // BANDS
    found = information[np.ix_(places, places)].reshape(groups, BANDS, groups, BANDS)
    each = np.arange(groups)
    found[each, :, each] += np.linalg.inv(np.full((BANDS, BANDS), USUAL) + BY_BAND * np.eye(BANDS))
    return found.reshape(places.size, places.size)
