"""What a batch of predictions or of labels came to when it was joined."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Ints
from driftwatch.stream.outputs import Records


@dataclass(frozen=True, slots=True)
class Settled:
    """Predictions whose label has just come, in the order in which it did; corrections are not repeated here.

    panes, versions, delays_ms: (rows,), delays at least 0. times_ms: (rows,) of the labels. outputs, outcomes: (rows,)
    records.
    """

    panes: Ints
    versions: Ints
    outputs: Records
    outcomes: Records
    delays_ms: Ints
    times_ms: Ints

    @property
    def rows(self) -> int:
        """Number of predictions."""
        return int(self.panes.size)

    def at(self, which: "Ints | NDArray[np.bool_]") -> Self:
        """Some of them."""
        return type(self)(
            self.panes[which], self.versions[which], self.outputs[which], self.outcomes[which],
            self.delays_ms[which], self.times_ms[which],
        )  # fmt: skip

    @classmethod
    def all(cls, parts: Sequence[Self]) -> Self:
        """All of several."""
        return cls(
            np.concatenate([part.panes for part in parts]),
            np.concatenate([part.versions for part in parts]),
            np.concatenate([part.outputs for part in parts]),
            np.concatenate([part.outcomes for part in parts]),
            np.concatenate([part.delays_ms for part in parts]),
            np.concatenate([part.times_ms for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Joined:
    """What one batch of predictions or of labels came to.

    Of labels each counts once:
    received = matched + cancelled + duplicate + corrected + outdated + waiting + sampled_out + without_id.
    matched, cancelled: the first label of an event that is remembered; with `predict`, predictions whose label had
    waited for them or is known from another version's. duplicate: the same outcome again. corrected: another one,
    which replaces it. outdated: another one that is older than the one held, ignored. waiting: of no event that is
    remembered, and kept for it. sampled_out: of an event that is not among the sample.
    crowded_out, thinned_labels: labels that had waited and go unmatched, for want of room or as the sample shrank.
    Of predictions: remembered; without_id and expired (their pane is forgotten already), which are not; thinned: not
    remembered for want of room, some of them predictions of before.
    """

    settled: Settled
    matched: int = 0
    cancelled: int = 0
    duplicate: int = 0
    corrected: int = 0
    outdated: int = 0
    waiting: int = 0
    sampled_out: int = 0
    crowded_out: int = 0
    remembered: int = 0
    without_id: int = 0
    expired: int = 0
    thinned: int = 0
    thinned_labels: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Predictions that are remembered now, by what has become of them."""

    labelled: int
    cancelled: int
    waiting: int

    @property
    def predictions(self) -> int:
        """All of them."""
        return self.labelled + self.cancelled + self.waiting


class Tally:
    """Counts and settled predictions on their way into a Joined."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._settled: list[tuple[Ints, Settled]] = []

    def add(self, **counts: "int | np.integer") -> None:
        """Count rows, by the names that Joined gives them."""
        for name, count in counts.items():
            self._counts[name] = self._counts.get(name, 0) + int(count)

    def settle(self, order: Ints, settled: Settled) -> None:
        """Note predictions whose label has come; order: (rows,) by which all of the batch are put in order."""
        self._settled.append((order, settled))

    def joined(self, nothing: Settled) -> Joined:
        """All of it; nothing: what to say when nothing was settled."""
        if not self._settled:
            return Joined(nothing, **self._counts)
        if len(self._settled) == 1:
            return Joined(self._settled[0][1], **self._counts)
        order = np.argsort(np.concatenate([order for order, _ in self._settled]), kind="stable")
        return Joined(Settled.all([settled for _, settled in self._settled]).at(order), **self._counts)
