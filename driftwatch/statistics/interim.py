"""How good the model is by the labels that have come so far, corrected for which of them come first."""

from dataclasses import dataclass

import numpy as np

from driftwatch.kernels.extremes import extremes
from driftwatch.kernels.influence import BOUNDED_BELOW, Influences, all_influences
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
    reach = Z * np.sqrt(_variances(found, strata, (labelled, joint), arrived))
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


def _variances(found: Influences, strata: Strata, counts: tuple[Floats, Floats], arrived: Arrived | None) -> Floats:
    """(metrics,) variance of a stratified sample, linearised: luck of the labels in a stratum, and between strata.

    And that of the shares which have come: with a share, the weights of its labels change against the others of their
    strata. Cells without labels have no part in any of it.
    """
    labelled, joint = (count.ravel() for count in counts)
    cells = np.flatnonzero(joint)
    codes = strata.codes.ravel()[cells >> 1]
    order = np.argsort(codes, kind="stable")
    cells, codes = cells[order], codes[order]
    firsts = np.flatnonzero(np.diff(codes, prepend=-1))
    sizes = np.diff(firsts, append=cells.size)
    if not cells.size:
        return np.zeros(len(found.names))
    weighed = joint[cells]
    rows, labels = np.add.reduceat(weighed, firsts), np.add.reduceat(labelled[cells], firsts)
    slope = found.at_cells(cells)
    mean = np.add.reduceat(weighed * slope, firsts, axis=1) / rows
    off = slope - np.repeat(mean, sizes, axis=1)
    pull = weighed * off
    inside = np.add.reduceat(pull * off * strata.weights.ravel()[cells], firsts, axis=1)
    variance: Floats = (inside * (labels / np.maximum(labels - 1, 1.0)) + rows * mean**2).sum(axis=1)
    if arrived is not None:
        places = arrived.groups[cells >> 2] * 2 + (cells & 1)
        by_share = pull @ (places[:, None] == np.arange(arrived.errors.size))
        variance += by_share**2 @ arrived.errors.ravel()
    return variance
