"""How good the model is by the labels that have come so far, corrected for which of them come first."""

from dataclasses import dataclass

import numpy as np

from driftwatch.kernels.extremes import extremes
from driftwatch.kernels.influence import BOUNDED_BELOW, Influence, influences
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
    squares = joint * strata.weights
    found = influences(joint, values)
    total, square = float(joint.sum()), float(squares.sum())
    return Interim(
        metrics={
            name: _interval(name, influence, strata, (labelled, joint), arrived) for name, influence in found.items()
        },
        bounds=extremes(predicted, labelled),
        strata=strata,
        effective_rows=total**2 / square if square else 0.0,
        coverage=float(labelled.sum() / max(float(predicted.sum()), 1.0)),
    )


def _interval(
    name: str, influence: Influence, strata: Strata, counts: tuple[Floats, Floats], arrived: Arrived | None
) -> Interval:
    """Variance of a stratified sample, linearised: luck of the labels in a stratum, and of the rows between strata.

    And that of the shares which have come: with a share, the weights of its labels change against the others of their
    strata.
    """
    labelled, joint = counts
    codes = np.broadcast_to(strata.codes[..., None], joint.shape).ravel()
    size = int(codes.max()) + 1

    def gathered(values: Floats) -> Floats:
        return np.bincount(codes, values.ravel(), minlength=size).astype(np.float64)

    rows, labels = gathered(joint), gathered(labelled)
    slope = np.where(joint > 0, influence.slope, 0.0)
    mean = np.divide(gathered(joint * slope), rows, out=np.zeros(size), where=rows > 0)
    off = slope - mean[codes].reshape(slope.shape)
    inside = gathered(joint * strata.weights * off**2) * labels / np.maximum(labels - 1, 1.0)
    variance = inside.sum() + (rows * mean**2).sum()
    if arrived is not None:
        pull = np.zeros(arrived.shares.shape)
        np.add.at(pull, arrived.groups, (joint * off).sum(axis=1))
        variance += float((pull**2 * arrived.errors).sum())
    reach = Z * np.sqrt(variance)
    low = BOUNDED_BELOW.get(name, 0.0)
    high = 1.0 if np.isfinite(low) else np.inf
    lower, upper = np.maximum(influence.value - reach, low), np.minimum(influence.value + reach, high)
    return Interval(influence.value, lower, upper)
