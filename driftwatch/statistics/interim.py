"""How good the model is by the labels that have come so far, corrected for which of them come first."""

from dataclasses import dataclass

import numpy as np

from driftwatch.kernels.extremes import extremes
from driftwatch.kernels.influence import BOUNDED_BELOW, all_influences
from driftwatch.kernels.interval import Floats, Interval, Z
from driftwatch.kernels.strata import Ints, Strata, stratify


@dataclass(frozen=True, slots=True)
class Interim:
    """A window's metrics before all labels have come.

    metrics: corrected values by name, with 95 % intervals of the true values. bounds: least and greatest value that
    the labels of this window can still give, whatever the missing ones are. strata: what stands for what.
    effective_rows: as many equally weighted labels would tell as much. coverage: share of predictions with a label.
    """

    metrics: dict[str, Interval]
    bounds: dict[str, tuple[Floats, Floats]]
    strata: Strata
    effective_rows: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Arrived:
    """What share of each label's rows has come by now, and how well that is known.

    groups: (bins + 1,) score group of each bin. shares, errors: (groups, 2) by score group and label; see
    `kernels.arrival.arrived_by_label` and `arrival_errors`.
    """

    groups: Ints
    shares: Floats
    errors: Floats


def interim_binary(
    predicted: Floats, labelled: Floats, arrived: Arrived | None = None, *, values: Floats | None = None
) -> Interim:
    """Correct labelled counts (bins + 1, 2, 2) for all predictions (bins + 1, 2): score bin × predicted class.

    arrived: None when what has come does not depend on the label.
    values: (2, 2) business value of a row by predicted class × label.
    """
    strata = stratify(predicted, labelled, None if arrived is None else arrived.shares[arrived.groups])
    joint = labelled * strata.weights
    found = all_influences(joint, values)
    reach = Z * np.sqrt(_variances(found.slopes, strata, (labelled, joint), arrived))
    lows = np.array([BOUNDED_BELOW.get(name, 0.0) for name in found.names])
    highs = np.where(np.isfinite(lows), 1.0, np.inf)
    lower, upper = np.maximum(found.values - reach, lows), np.minimum(found.values + reach, highs)
    total, square = float(joint.sum()), float((joint * strata.weights).sum())
    return Interim(
        metrics={name: Interval(*each) for name, *each in zip(found.names, found.values, lower, upper, strict=True)},
        bounds=extremes(predicted, labelled),
        strata=strata,
        effective_rows=total**2 / square if square else 0.0,
        coverage=float(labelled.sum() / max(float(predicted.sum()), 1.0)),
    )


def _variances(slopes: Floats, strata: Strata, counts: tuple[Floats, Floats], arrived: Arrived | None) -> Floats:
    """(metrics,) variance of a stratified sample, linearised: luck of the labels in a stratum, and between strata.

    And that of the shares which have come: with a share, the weights of its labels change against the others of their
    strata. slopes: (metrics, bins + 1, 2, 2).
    """
    labelled, joint = counts
    # Strata are consecutive bins of one predicted class.
    codes = strata.codes.T.ravel()
    firsts = np.flatnonzero(np.diff(codes, prepend=-1))

    def gathered(values: Floats) -> Floats:
        """(…, strata) sums of (…, bins + 1, 2, 2)."""
        by_class = np.swapaxes(values.sum(axis=-1), -1, -2)
        sums: Floats = np.add.reduceat(by_class.reshape(*by_class.shape[:-2], -1), firsts, axis=-1)
        return sums

    rows, labels = gathered(joint), gathered(labelled)
    slope = np.where(joint > 0, slopes, 0.0)
    mean = gathered(joint * slope) / np.where(rows > 0, rows, 1.0)
    spread = np.repeat(mean, np.diff(firsts, append=codes.size), axis=-1)
    off = slope - np.swapaxes(spread.reshape(len(slopes), 2, -1), -1, -2)[..., None]
    pull = joint * off
    inside = gathered(pull * off * strata.weights) * labels / np.maximum(labels - 1, 1.0)
    variance: Floats = inside.sum(axis=-1) + (rows * mean**2).sum(axis=-1)
    if arrived is not None:
        by_group = pull.sum(axis=-2).swapaxes(-1, -2) @ (arrived.groups[:, None] == np.arange(len(arrived.shares)))
        variance += (by_group**2 * arrived.errors.T).sum(axis=(-2, -1))
    return variance
