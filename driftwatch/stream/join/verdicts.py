"""What labels say of events, and which of two that contradict each other holds."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Hashes, Ints
from driftwatch.stream.outputs import CANCELLED, WAITING, Records

Flags = NDArray[np.bool_]
States = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Labels in the order they came.

    ids: (rows,) hash of the event's id. times: (rows,) of the label, ms. states: (rows,) LABELLED, or CANCELLED where
    no outcome will ever come. outcomes: (rows,) records, meaningless where CANCELLED.
    """

    ids: Hashes
    times: Ints
    states: States
    outcomes: Records

    @property
    def rows(self) -> int:
        """Number of labels."""
        return int(self.ids.size)

    def at(self, which: "Ints | Flags | slice") -> Self:
        """Some of them."""
        return type(self)(self.ids[which], self.times[which], self.states[which], self.outcomes[which])


@dataclass(frozen=True, slots=True)
class Weighed:
    """What each label, (rows,), is to what is held of its event; exactly one of the four holds.

    first: nothing was held. duplicate: the same again. corrected: another outcome, which replaces the one held.
    outdated: another outcome, older than the one held. written: what is held changes, if only in its time.
    """

    first: Flags
    duplicate: Flags
    corrected: Flags
    outdated: Flags
    written: Flags


def weigh(new: Verdicts, *, states: States, times: Ints, same: Flags) -> Weighed:
    """Compare labels with the states and label times that are held, (rows,); same: the outcomes are the same.

    The label with the latest time holds, and of equal times the one that came last: so what is held after any number
    of labels is a matter of their times and their order, not of batches. A duplicate hands on its time if it is later.
    """
    first = states == WAITING
    later = first | (new.times >= times)
    repeated = ~first & (new.states == states) & (same | (states == CANCELLED))
    return Weighed(
        first=first,
        duplicate=repeated,
        corrected=~first & ~repeated & later,
        outdated=~repeated & ~later,
        written=later & ~(repeated & (new.times == times)),
    )
