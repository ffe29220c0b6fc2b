"""How well a model is expected to do where no label has come: confidence-based performance estimation.

CBPE (as NannyML documents it): every row counts as positive with its calibrated chance and as negative with the rest,
and each metric is that of the expected counts. A row's chance is a matter of its score, so rows are gathered by score
first; with bins instead of scores the same functions give the streaming values.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from driftwatch.kernels.influence import influences

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Predictions gathered by score bin × predicted class; all (…, bins + 1, 2), floats that add.

    rows: predictions. positives: expected positives among them, Σ p. spread: Σ p (1 - p). The last bin holds the
    rows without a score.
    """

    rows: Floats
    positives: Floats
    spread: Floats

    @property
    def joint(self) -> Floats:
        """(…, bins + 1, 2, 2) expected counts by bin × predicted class × label."""
        return np.stack([self.rows - self.positives, self.positives], axis=-1)


def gather(bins: Ints, predicted: Ints, chances: Floats, *, slots: int) -> Cells:
    """Gather rows: bins in [0, slots), predicted class in {0, 1}, chance of the positive class; all (rows,)."""
    cells = bins * 2 + predicted

    def added(weights: Floats) -> Floats:
        return np.bincount(cells, weights, minlength=2 * slots).reshape(slots, 2).astype(np.float64)

    return Cells(added(np.ones_like(chances)), added(chances), added(chances * (1 - chances)))


def gather_bins(predicted: Floats, chances: Floats) -> Cells:
    """Cells of binned predictions (…, bins + 1, 2) with one chance each (bins + 1, 2).

    Where no chance is known, half is as good as any and has the greatest error.
    """
    rows, p = predicted.astype(np.float64), np.where(np.isnan(chances), 0.5, chances)
    return Cells(rows, rows * p, rows * p * (1 - p))


def expected_binary(
    scores: Floats, predicted: Ints, chances: Floats, *, values: Floats | None = None
) -> dict[str, Floats]:
    """Expected metrics of rows, exact: scores, predicted class in {0, 1}, chance of the positive class; all (rows,).

    values: (2, 2) business value of a row by predicted class × label. Beside the metrics by name: tp, fp, fn, tn and
    `average_precision_by_row`, in which equal scores are taken one after the other, as NannyML does; the other one is
    what the usual average precision of the labels will be.
    """
    distinct, bins = np.unique(scores, return_inverse=True)
    cells = gather(bins, predicted, chances, slots=distinct.size + 1)
    metrics = {name: found.value for name, found in influences(cells.joint, values).items()}
    table = cells.joint.sum(axis=-3)
    metrics |= {"tn": table[0, 0], "fn": table[0, 1], "fp": table[1, 0], "tp": table[1, 1]}
    return metrics | {"average_precision_by_row": average_precision_by_row(cells)}


def average_precision_by_row(cells: Cells) -> Floats:
    """Average precision (…) of the expected counts if equal scores are taken one after the other.

    In a bin of m rows with chance p after n rows with h positives, Σ p (h + i p) / (n + i) over i = 1 … m.
    """
    rows = cells.rows[..., :-1, :].sum(axis=-1)[..., ::-1]
    positives = cells.positives[..., :-1, :].sum(axis=-1)[..., ::-1]
    chance = np.divide(positives, rows, out=np.zeros_like(rows), where=rows > 0)
    before, hits = rows.cumsum(axis=-1) - rows, positives.cumsum(axis=-1) - positives
    harmonic = digamma(before + rows + 1) - digamma(before + 1)
    gained = chance * (positives + (hits - before * chance) * harmonic)
    total: Floats = gained.sum(axis=-1) / positives.sum(axis=-1)
    return total
