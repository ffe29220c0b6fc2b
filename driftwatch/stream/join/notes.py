"""Predictions and labels as a checkpoint writes them, and what none of them can say."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.stream.batch import Ints
from driftwatch.stream.join.cells import VERSIONS
from driftwatch.stream.join.verdicts import Verdicts
from driftwatch.stream.outputs import CANCELLED, LABELLED, OutputForm, Records

FURTHEST = 1 << 48
"""Panes and times, in ms, are nearer to 0: that is the year 10889."""


def note_form(form: OutputForm) -> "np.dtype[Any]":
    """A label: number of the row it belongs to, then what it says."""
    return np.dtype([("row", "<i8"), ("id", "<u8"), ("time", "<i8"), ("state", "u1"), ("outcome", form.outcomes)])


def row_form(form: OutputForm) -> "np.dtype[Any]":
    """A prediction."""
    return np.dtype([("id", "<u8"), ("time", "<i8"), ("pane", "<i8"), ("version", "<i4"), ("output", form.outputs)])


def notes_of(form: OutputForm, rows: Ints, verdicts: Verdicts) -> Records:
    """Labels as they are written; rows: (labels,) numbers of the rows that they belong to."""
    notes = np.empty(rows.size, dtype=note_form(form))
    notes["row"], notes["id"] = rows, verdicts.ids
    notes["time"], notes["state"], notes["outcome"] = verdicts.times, verdicts.states, verdicts.outcomes
    return notes


def _far(numbers: Ints) -> NDArray[np.bool_]:
    # The absolute value of the least number of all is negative.
    return (numbers < -FURTHEST) | (numbers > FURTHEST)


def check_rows(rows: Records) -> None:
    """StateError when one of these is no prediction."""
    far = _far(rows["pane"]) | _far(rows["time"])
    strange = (rows["id"] == 0) | (rows["version"] < 0) | (rows["version"] >= VERSIONS)
    if (far | strange).any():
        raise StateError(f"remembered predictions: {np.count_nonzero(far | strange)} of {rows.size} are none")


def check_notes(notes: Records) -> None:
    """StateError when one of these is no label."""
    strange = (notes["id"] == 0) | _far(notes["time"])
    strange |= (notes["state"] < LABELLED) | (notes["state"] > CANCELLED)
    if strange.any():
        raise StateError(f"remembered labels: {np.count_nonzero(strange)} of {notes.size} are none")
