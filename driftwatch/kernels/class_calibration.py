"""How probable each of several classes really is at its score, learned from labelled rows.

Each class against the rest by isotonic curves (Zadrozny and Elkan, 2002): one for the rows that are predicted as it,
one for the others. With one for both, as CBPE usually has it, rows are expected right that are not: a class that beats
all others is more, or less, probable than its score alone says, unless the scores are right as they stand.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.calibration import calibrate_bins

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassCalibration:
    """What is known of the label at each score of each of K classes.

    chances: (K, 2, bins) of the class at its score, where it is not and where it is predicted, each by itself. blocks:
    (K, 2, bins) which block a bin belongs to, from 0 on over all; the bins of one have one chance in common, and so its
    error. variances: (blocks,) squared standard error of it: see `calibrate_classes`.
    """

    chances: Floats
    blocks: Ints
    variances: Floats


def calibrate_classes(counts: Ints, middles: Floats) -> ClassCalibration:
    """Learn the chances from labelled counts (K, 2, bins, 2): class × predicted × bin of its score × is the label.

    middles: (bins,) a score inside each bin, ascending. A class that was always or never predicted has one curve. The
    variance of a block of n rows with share p is p (1 - p) / n of the predicted class, and p / n of the others, as of a
    Poisson count: they are made to fit the rest of the row, and what the rows' having one class each takes from the
    variance of their sum is what the counts of one class alone have less.
    """
    chances, blocks = np.empty(counts.shape[:-1]), np.empty(counts.shape[:-1], dtype=np.int64)
    variances: list[Floats] = []
    for place in np.ndindex(counts.shape[:2]):
        seen = (counts[place] if counts[place].any() else counts[place[0]].sum(axis=0)).astype(np.float64)
        both = np.zeros((middles.size + 1, 2, 2))
        both[:-1, 0] = seen
        found = calibrate_bins(both, middles)
        held = found.blocks[:-1, 0]
        # Bins without rows lie in the block that is nearest, and add nothing to it.
        rows, hits = (np.bincount(held, part) for part in (seen.sum(axis=1), seen[:, 1]))
        share = (hits + 0.5) / (rows + 1)
        chances[place] = found.chances[:-1, 0]
        blocks[place] = sum(part.size for part in variances) + held
        variances.append((share * (1 - share) if place[1] else share) / np.maximum(rows, 1.0))
    return ClassCalibration(chances, blocks, np.concatenate(variances))


@dataclass(frozen=True, slots=True)
class Shares:
    """Chances of some rows' labels that sum to one; all (rows, K).

    chances: of each class. rest: of each class that is not predicted, among those. scale: how much the chances of those
    move with the calibrated one of a class, all of them together staying what they were; 1 for the predicted one.
    """

    chances: Floats
    rest: Floats
    scale: Floats


def shares_of(raw: Floats, predicted: NDArray[np.bool_]) -> Shares:
    """Let the predicted class keep its chance, and the others share what is left in proportion to theirs.

    raw: (rows, K) calibrated chances. predicted: (rows, K) whether it is the predicted class, of at most one a row.
    """
    kept = raw * predicted
    others = raw - kept
    left, total = 1 - np.einsum("ij->i", kept)[:, None], np.einsum("ij->i", others)[:, None]
    nothing = np.flatnonzero(total <= 0)
    total[nothing] = 1.0
    rest = others / total
    rest[nothing] = ~predicted[nothing] / np.maximum((~predicted[nothing]).sum(axis=1, keepdims=True), 1)
    scale = predicted + ~predicted * (left / total)
    return Shares(kept + left * rest, rest, scale)
