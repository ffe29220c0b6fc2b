"""Have the means of scores in [0, 1] left what is tolerated, over many windows: evidence with a run length.

A window of m rows is bet on, for each score h, by E = Π (1 + g h) / (1 + g high), g > 0: where the mean of h given the
past is at most `high`, the expectation of E is at most 1 for independent rows of any distribution, whatever m. It
depends on the rows through their counts only, not on their order. A fall is a rise of 1 - h. Some bets suppose a small
step, others a great one, in standard errors of the window. Over windows each bet is R ← E (R + 1) (Shiryaev 1963,
Roberts 1966); the expectation of R at any stopping time is at most that of the number of windows, and so it is for
weighted means of bets: e-detectors (Shin, Ramdas and Rinaldo 2022, https://arxiv.org/abs/2203.03532). So the mean
number of windows to the first mean R ≥ A is at least A.

The null: the true mean of h in every window is within `tolerance` of a centre c, by a course that was fixed beforehand,
and the reference's mean is an estimate of c. `high` is the lesser of two bounds, plus the tolerance:
* a hard one, beyond which c is with a small probability alone (`reference_error`). With it everything is proved, given
  that c is not beyond and that rows are independent;
* a learnt one, from the reference and the windows before, whose mean is off by at most the tolerance and by an error
  that is about normal. E ≤ exp(m λ (c - high)) with λ = g / (1 + g high), hence the expectation over that error is at
  most 1 for `high` = mean + tolerance + log-moment(m λ) / (m λ): valid on average over references, as a two-sample
  test is, and asymptotically. The log-moment is a sub-gamma variable's, which also covers rare categories.

Where rows vary together, E is tempered: E^(1 / factor). This is exact in the Gaussian limit, where log E is
λ S - λ² Var / 2 and the variance is `factor` times that of independent rows; asymptotic elsewhere.
A window cut into several is bet on by several smaller windows: each is valid, but the figures differ.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = np.array([0.5, 2.0])
"""By how many standard errors of a window a score has moved, as each bet supposes."""
BETS = STEPS.size
GREATEST = 1e12
"""R is cut here, so that it comes down again when a change is gone."""
PAUSE = 1e3
"""A window after which there is more evidence than this teaches nothing: what has changed is not learnt."""
POWERS = 4
"""Smooth scores are known by the sums of the powers 1 to 4 of h - 1/2."""

_MOST_SLOPE = 1.0
"""Of smooth scores: |λ (h - 1/2)| ≤ 1/2, where the series of the logarithm falls fast."""
_MOST_STAKE = 0.75
"""Of indicators: λ · high, the share of what a bet holds that a row without h = 1 may cost."""
_LEAST_EXPONENT, _MOST_EXPONENT = -700.0, 60.0


@dataclass(frozen=True, slots=True)
class Null:
    """What a reference says of the means of scores, (columns, scores) each; smooth scores first, then indicators.

    smooth: how many of the scores are smooth. mean, variance: of a reference's row. rows: effective rows, n / factor.
    low, high: hard bounds of the true mean, without the tolerance. tolerance: (columns, 1), in [0, 1]. weights: of the
    scores in the evidence, each row summing to one. learns: windows teach where the mean is; not so where each of them
    has a reference of its own, for then they share no centre, and the hard bounds are all that holds.
    """

    smooth: int
    mean: Floats
    variance: Floats
    rows: Floats
    low: Floats
    high: Floats
    tolerance: Floats
    weights: Floats
    learns: bool = True


@dataclass(frozen=True, slots=True)
class Scored:
    """A window's sums over so many `rows`.

    powers: (POWERS, columns, smooth) of (h - 1/2)^k, k = 1…. hits: (columns, indicators) of h.
    """

    rows: int
    powers: Floats
    hits: Floats

    @property
    def sums(self) -> Floats:
        """(columns, scores) sums of h."""
        return np.concatenate([self.powers[0] + self.rows / 2, self.hits], axis=1)


@dataclass(frozen=True, slots=True)
class Watch:
    """What is kept between windows: R of (2 directions, BETS, columns, scores); effective sums and rows learnt since.

    learnt: (2, columns, scores) Σ m x̄ / factor and Σ m / factor over the windows before.
    """

    ratios: Floats
    learnt: Floats

    @classmethod
    def empty(cls, columns: int, scores: int) -> Self:
        """Before the first window."""
        return cls(np.zeros((2, BETS, columns, scores)), np.zeros((2, columns, scores)))


def evidence(watch: Watch, null: Null) -> Floats:
    """(columns,) the e-detector: the mean of R over bets and directions, scores weighted."""
    mean: Floats = np.einsum("dbcs,cs->c", watch.ratios, null.weights) / (2 * BETS)
    return mean


def watch_on(watch: Watch, scored: Scored, null: Null, *, factor: Floats) -> Watch:
    """Bet on one window; a window without rows changes nothing.

    factor: (columns, scores) of over-dispersion, at least 1.
    """
    if scored.rows == 0 or not factor.size:
        return watch
    wins = log_bets(scored, null, watch.learnt, factor=factor) / factor
    ratios = np.exp(np.clip(wins, _LEAST_EXPONENT, _MOST_EXPONENT))
    ratios *= watch.ratios + 1
    np.minimum(ratios, GREATEST, out=ratios)
    after = replace(watch, ratios=ratios)
    if not null.learns:
        return after
    taught = np.stack([scored.sums, np.full_like(factor, scored.rows)]) / factor
    taught[:, evidence(after, null) >= PAUSE] = 0.0
    return replace(after, learnt=watch.learnt + taught)


def centre(null: Null, learnt: Floats) -> tuple[Floats, Floats]:
    """(columns, scores) the mean that reference and learnt windows say together, and on how many effective rows."""
    rows = null.rows + learnt[1]
    mean = (null.rows * null.mean + learnt[0]) / np.maximum(rows, 1e-9)
    return np.clip(mean, null.low, null.high), rows


def log_bets(scored: Scored, null: Null, learnt: Floats, *, factor: Floats) -> Floats:
    """Log E of each bet before tempering, (2 directions, BETS, columns, scores): a rise, then a fall."""
    mean, rows = centre(null, learnt)
    both = np.stack([mean, 1 - mean])[:, None]
    hard = np.stack([null.high, 1 - null.low])[:, None]
    window = scored.rows / factor
    variance = _variance(both[0, 0], rows, null)
    slope = STEPS[:, None, None] / np.sqrt(window * variance * (1 + window / np.maximum(rows, 1e-9)))
    most = np.broadcast_to(hard, (2, BETS, *mean.shape))
    if null.learns:
        most = np.minimum(both + _learnt_error(slope * window, variance, rows, null) + null.tolerance, hard)
    most = np.minimum(most + null.tolerance, 1.0)
    cut, wins = null.smooth, np.empty(most.shape)
    if cut:
        wins[..., :cut] = _smooth(scored, np.broadcast_to(slope, most.shape)[..., :cut], most[..., :cut])
    hits = np.stack([scored.hits, scored.rows - scored.hits])[:, None]
    wins[..., cut:] = _indicators(hits, slope[..., cut:], most[..., cut:], rows=scored.rows)
    return wins


def _variance(mean: Floats, rows: Floats, null: Null) -> Floats:
    """Of one row's score; that of a share is never 0, as one more row might have had it."""
    shares = mean * (1 - mean) + 1 / np.maximum(rows, 4.0)
    return np.concatenate([null.variance[:, : null.smooth], shares[:, null.smooth :]], axis=1)


def _learnt_error(power: Floats, variance: Floats, rows: Floats, null: Null) -> Floats:
    """By how much `high` exceeds what was learnt: the log-moment of its error at `power` over `power`."""
    step = power / np.maximum(rows, 1e-9)
    error = np.where(step < 1, variance * step / (2 * np.maximum(1 - step, 1e-9)), np.inf)
    error[..., null.smooth :] += 1 / np.maximum(rows[:, null.smooth :], 1e-9)
    return error


def _smooth(scored: Scored, slope: Floats, most: Floats) -> Floats:
    """A lower bound of Σ log(1 + b (h - 1/2)) - m log(1 + b (high - 1/2)), |b| ≤ 1, from sums of powers.

    With |y| ≤ ½ |b| the logarithm is at least y - y²/2 + y³/3 - y⁴/4 / (1 - ½ |b|), for the rest of the series is at
    most a geometric one.
    """
    above = most - 0.5
    b = np.minimum(slope, _MOST_SLOPE)
    b = b / np.maximum(1 - b * above, 0.5)
    np.minimum(b, _MOST_SLOPE, out=b)
    first, second, third, fourth = scored.powers
    odd = np.array([1.0, -1.0])[:, None, None, None]
    series = odd * (b * first + b**3 / 3 * third) - b**2 / 2 * second - b**4 / (4 - 2 * b) * fourth
    wins: Floats = series - scored.rows * np.log1p(b * above)
    return wins


def _indicators(hits: Floats, slope: Floats, most: Floats, *, rows: int) -> Floats:
    """Sum of log(1 + g h), less m · log(1 + g high), g the greater the steeper the slope at `high`."""
    slope = np.minimum(slope, _MOST_STAKE / most)
    g = slope / (1 - slope * most)
    wins: Floats = hits * np.log1p(g) - rows * np.log1p(g * most)
    return wins
