"""Is the model still as good as it was: what the monitors of the loss say of each cell.

A level is a stretch of rows with one mean loss. The first one, of the labelled reference or of the first rows of a
version, is the accepted one. An alarm means that the mean has left the present level; the next level is then learnt
from the rows behind the alarm alone, which owe nothing to the row at which it came, so the promise of Terms holds anew.
A rise is bad news and a fall is information; the status stays WORSE until a level is back within the accepted bounds.
A new version of a model is a new cell.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from driftwatch.kernels.evidence import BETS, Floats
from driftwatch.summaries.evidence_state import FIRST_ROWS, LossLevels

ERROR_QUANTILE = 0.9
"""Quantile of the reference's absolute errors that counts as a loss of 1."""


class Direction(StrEnum):
    """Where the mean loss has gone."""

    RISE = "rise"
    FALL = "fall"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is promised of every cell.

    run_length_rows: mean number of rows from the beginning of a level to a false alarm, at least; not less than
    FIRST_ROWS. It holds while the mean loss given the past stays at the level; rows that depend on each other, as
    hours of a day do, are not covered where that mean swings. risk: probability,
    at most, that a level's bounds miss its mean, in (0, 1); the promise includes it. fall_tolerance: a mean loss
    below the level's lower bound by no more than this is no news.
    """

    run_length_rows: float = 50_000.0
    risk: float = 0.05
    fall_tolerance: float = 0.01

    def __post_init__(self) -> None:
        if self.run_length_rows < FIRST_ROWS or not 0 < self.risk < 1:
            raise ValueError(f"run_length_rows must be at least {FIRST_ROWS} and risk between 0 and 1: {self}")

    @property
    def threshold(self) -> float:
        """Evidence from which on a rise or a fall is an alarm: two detectors, which count only while bounds hold."""
        return 2 * self.run_length_rows / (1 - self.risk)


@dataclass(frozen=True, slots=True)
class Alarm:
    """The mean loss of one cell has left its level.

    row, ms: the row, counted from the cell's first, and the time at which it was noticed. changed_row: estimate of the
    first row of the new level; changed_ms: time of the row before it. before: mean loss from the level's beginning to
    the change, or as of its last bounds where that would be fewer than FIRST_ROWS rows. after: from there to `row`,
    which is biased away from `before`.
    """

    cell: int
    direction: Direction
    row: int
    ms: int
    changed_row: int
    changed_ms: int
    before: float
    after: float


class ConceptStatus(StrEnum):
    """How the present level compares with the accepted one."""

    LEARNING = "learning"
    STABLE = "stable"
    WORSE = "worse"
    BETTER = "better"


@dataclass(frozen=True, slots=True)
class ConceptReading:
    """What the monitor of one cell says now.

    rows: ever seen. level: mean loss of the present level as of its last bounds, NaN while learning the first;
    low, high: where its true mean lies. rise, fall: logarithms of the evidence for a change since the level began,
    an alarm at `threshold`. changes, last_*: number of alarms, and of the last one its direction, the first row and
    the time (ms) of the change, the mean loss before and after it; None and NaN where there was none.
    """

    status: ConceptStatus
    rows: int
    level: float
    low: float
    high: float
    rise: float
    fall: float
    threshold: float
    changes: int
    last_direction: Direction | None
    last_changed_row: int | None
    last_changed_ms: int | None
    last_before: float
    last_after: float


def concept_readings(levels: LossLevels, terms: Terms) -> tuple[ConceptReading, ...]:
    """Say of every cell how its loss stands."""
    cells = levels.cells
    evidence = (cells["products"] * cells["starts"]).sum(axis=-1) / BETS
    with np.errstate(divide="ignore"):
        logs = np.log(evidence)
    return tuple(
        ConceptReading(
            status=_status(cell),
            rows=int(cell["rows"]),
            level=float(cell["level_mean"]),
            low=float(cell["low"]),
            high=float(cell["high"]),
            rise=float(log[0]),
            fall=float(log[1]),
            threshold=float(np.log(terms.threshold)),
            changes=int(cell["changes"]),
            last_direction=direction_of(int(cell["direction"])) if cell["changes"] else None,
            last_changed_row=int(cell["changed_row"]) if cell["changes"] else None,
            last_changed_ms=int(cell["changed_ms"]) if cell["changes"] else None,
            last_before=float(cell["before"]),
            last_after=float(cell["after"]),
        )
        for cell, log in zip(cells, logs, strict=True)
    )


def direction_of(sign: int) -> Direction:
    """Name a change: 1 is a rise, -1 a fall."""
    return Direction.RISE if sign > 0 else Direction.FALL


def bounded_errors(errors: Floats, *, scale: float) -> Floats:
    """(rows,) losses in [0, 1] of a regression: |error| / scale, at most 1; NaN stays NaN.

    scale: see `error_scale`. What counts is how often and how far errors come near the reference's largest ones; how
    far they go beyond is not seen, which is what makes the promise hold for any tail.
    """
    return np.minimum(np.abs(errors) / scale, 1.0)


def error_scale(errors: Floats) -> float:
    """Scale of `bounded_errors`: a quantile of the reference's |error|, NaN ignored; 1 where that is 0 or unknown."""
    finite = np.abs(errors[np.isfinite(errors)])
    scale = float(np.quantile(finite, ERROR_QUANTILE)) if finite.size else 0.0
    return scale if scale > 0 else 1.0


def _status(cell: np.void) -> ConceptStatus:
    if not cell["changes"]:
        return ConceptStatus.STABLE if cell["bounds"] else ConceptStatus.LEARNING
    if cell["level_mean"] > cell["accepted_high"]:
        return ConceptStatus.WORSE
    return ConceptStatus.BETTER if cell["level_mean"] < cell["accepted_low"] else ConceptStatus.STABLE
