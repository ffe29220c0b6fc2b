"""Has the mean of scores in [0, 1] moved over the last few windows: chances under "nothing has changed".

Sums fade: a row of k windows ago weighs memory^k (Roberts 1959, geometric moving averages). The weighted mean is
compared with the reference's, both with their errors, so that each window's chance is right on average over
references, as a two-sample test's is. What fades does not accumulate: the reference's error, which is shared by all
windows, cannot add up. Steep ramps over a few windows are found sooner than by bets, which pay for their proof.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

MEMORIES = np.array([0.4, 0.75])
"""What a row's weight is multiplied by with each window."""


@dataclass(frozen=True, slots=True)
class Centre:
    """What a reference says of the scores, (columns, scores) each.

    mean, variance: of a row of the reference. error: of its mean, a standard error. bend: how far a row's law is from
    the normal, see `bend_of`.
    """

    mean: Floats
    variance: Floats
    error: Floats
    bend: Floats


@dataclass(frozen=True, slots=True)
class Moving:
    """Fading sums over rows of weight w, (columns, scores, memories) each.

    sums: Σ w (h - mean), each window's own reference's. rows: Σ w. squares: Σ w² factor, the rows' variance in units of
    that of one. errors: Σ w error; errors of different references are taken as if they were one.
    """

    sums: Floats
    rows: Floats
    squares: Floats
    errors: Floats

    @classmethod
    def empty(cls, columns: int, scores: int) -> Self:
        """Before the first window."""
        return cls(*(np.zeros((columns, scores, MEMORIES.size)) for _ in range(4)))

    def add(self, sums: Floats, rows: int, *, centre: Centre, factor: Floats) -> Self:
        """After a window of so many rows; sums, factor: (columns, scores) of h, and of over-dispersion."""
        return type(self)(
            sums=self.sums * MEMORIES + (sums - rows * centre.mean)[:, :, None],
            rows=self.rows * MEMORIES + rows,
            squares=self.squares * MEMORIES**2 + (rows * factor)[:, :, None],
            errors=self.errors * MEMORIES + (rows * centre.error)[:, :, None],
        )

    def holding(self, other: Self, columns: NDArray[np.bool_]) -> Self:
        """The same with the columns that are True in (columns,) from another."""
        there = columns[:, None, None]
        names = ("sums", "rows", "squares", "errors")
        return type(self)(*(np.where(there, getattr(other, name), getattr(self, name)) for name in names))


def bend_of(second: Floats, third: Floats, fourth: Floats) -> Floats:
    """How much longer than the normal law's is the tail of a score in [0, 1], from its central moments; in [0, 1].

    Its third moment over its variance; where both tails are long, as those of rare values at either end are, what that
    would be if they were one. It is 1 in Bernstein's inequality.
    """
    spread = np.maximum(second, 1e-12)
    excess = np.maximum(fourth / spread**2 - 3, 0.0)
    longest: Floats = np.maximum(np.abs(third) / spread, np.sqrt(excess * spread))
    return np.minimum(longest, 1.0)


def chances(moving: Moving, learnt: Centre, tolerance: Floats, freedom: Floats) -> Floats:
    """(columns, scores, memories) how likely is a mean so far, on either side, if nothing moved beyond the tolerance.

    learnt: mean, from the references', where the truth is believed to be, with a row's variance, and the error of that,
    infinite where nothing was learnt. tolerance: (columns, 1). freedom: (columns,) of the over-dispersion's estimate,
    inf where it is known. The deviate z solves distance = z σ + bend z² / (6 rows), which corrects the normal law for
    skewed scores to the first order (Cornish and Fisher 1938); its tail is the normal's, or Student's with the degrees
    of freedom of the estimate. Asymptotic.
    """
    rows = np.maximum(moving.rows, 1e-9)
    distance = np.abs(moving.sums / rows - learnt.mean[:, :, None]) - tolerance[:, :, None]
    error = np.minimum(moving.errors / rows, learnt.error[:, :, None])
    sigma = np.sqrt(learnt.variance[:, :, None] * moving.squares / rows**2 + error**2)
    bend = learnt.bend[:, :, None] / (6 * rows)
    root = np.sqrt(sigma**2 + 4 * bend * np.maximum(distance, 0.0))
    z = 2 * np.maximum(distance, 0.0) / np.maximum(root + sigma, 1e-30)
    known = np.isinf(freedom)[:, None, None]
    # Beyond some 1e9 degrees Student's law is the normal one, and infinitely many are not accepted.
    student = special.stdtr(np.where(known, 1e9, freedom[:, None, None]), -z) if not known.all() else z
    both: Floats = np.where(moving.rows > 0, 2 * np.where(known, special.ndtr(-z), student), 1.0)
    return both
