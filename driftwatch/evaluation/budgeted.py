"""The rule that nobody has to write: every column of every cell, judged by its share of the budget."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.evaluation.budget import EFFECT, Budget, BudgetRule, Share
from driftwatch.evaluation.decision import Decision, Effects
from driftwatch.kernels.discovery import by_e_values, by_p_values, e_values_of
from driftwatch.statistics.reading import Reading, Status, readings_of
from driftwatch.statistics.slow import SlowState
from driftwatch.statistics.witness import Witness
from driftwatch.summaries.profile import Profile

Floats = NDArray[np.float64]

RATE = 0.05
"""Of the columns that a report lists as drifting, so many may be false ones."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked at: the rows of a cell in a window, and how the cell's detector stood before.

    versions: that have rows in the window. advances: it is the window's first look, and no row of it has been in
    another window that the detector has seen. explained: columns of which something else says what ails them.
    """

    profile: Profile
    before: SlowState | None
    segment: str = ""
    versions: int = 1
    advances: bool = True
    explained: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Drifting:
    """Columns that drift in a window, by rules that keep the share of false ones among them: for reports alone."""

    by_p_values: tuple[str, ...] = ()
    by_e_values: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """As a report writes it."""
        return {"false_discovery_rate": RATE, "bh": list(self.by_p_values), "e_bh": list(self.by_e_values)}


@dataclass(frozen=True, slots=True)
class Budgeted:
    """The budgeted rule of a model and what it goes by.

    columns: all columns in layout order. least: statistic → (columns,) the smallest effect that matters. witness:
    against the reference of all rows; of_window: against one that is a window's own, of_segment: or a segment's.
    segments: how many share the segments' part of the budget.
    """

    rule: BudgetRule
    budget: Budget
    columns: tuple[str, ...]
    least: Mapping[str, Floats]
    witness: Witness
    of_window: Callable[[Profile], Witness]
    of_segment: Callable[[Profile], Witness]
    segments: int = 0

    def decide(
        self, looked: Looked, readings: Sequence[Reading], witness: Witness
    ) -> tuple[Decision, SlowState | None]:
        """Judge every column; readings: of the same rows, with the effects. Also how the detector stands now.

        None as long as it has seen nothing.
        """
        state = looked.before or SlowState.empty(witness.slow.layout)
        held = np.isin(np.array(self.columns, dtype=object), list(looked.explained))
        if looked.advances:
            state = witness.advance(state, looked.profile, held=held)
        share = self.share(looked.segment, looked.versions)
        evidence = witness.evidence(looked.profile, state, risk=share.abrupt)
        effects = Effects.of(readings, self.columns, self.least)
        decision = Decision.of(self.columns, evidence, share, effects)
        alarms = decision.lasting & ~held
        if looked.advances and self.rule.for_ == 1 and alarms.any():
            # An alarm has been given: the next one needs evidence of its own, and the end of this one can be seen.
            # Where a breach has to last for some windows, the evidence has to.
            state = witness.slow.reset(state, alarms)
        return decision, state if looked.advances else looked.before

    def share(self, segment: str, versions: int) -> Share:
        """What a cell may use of the budget while so many versions have rows."""
        return self.budget.share(segments=self.segments, versions=versions, of_segment=bool(segment))

    def shown(self, decision: Decision, readings: Sequence[Reading]) -> list[Reading]:
        """The readings that a decision was made by, with what matters beside the effects; the evidence after them."""
        told, at = list(readings), decision.effects.at
        effects = [readings[place] for place in at]
        for place, reading in zip(at, self._with_limits(effects, decision.evidence.detectable), strict=True):
            told[place] = reading
        told += decision.readings()
        return told

    def _with_limits(self, effects: Sequence[Reading], detectable: Floats) -> list[Reading]:
        """The effects with the smallest ones that matter; of the share of rows, also the least that would be seen."""
        if not effects:
            return []
        places = {column: place for place, column in enumerate(self.columns)}
        fields: dict[str, Iterable[Any]] = dict(zip(Reading._fields, zip(*effects, strict=True), strict=True))
        at, names = [places[column] for column in fields["column"]], fields["statistic"]
        unknown, ok = [math.nan] * len(places), Status.OK
        limits, seen = {name: least.tolist() for name, least in self.least.items()}, detectable.tolist()
        fields["limit"] = [limits.get(name, unknown)[place] for name, place in zip(names, at, strict=True)]
        fields["mde"] = [
            seen[place] if status is ok and name == EFFECT else math.nan
            for name, place, status in zip(names, at, fields["status"], strict=True)
        ]
        return readings_of(fields.values())

    def drifting(self, decision: Decision) -> Drifting:
        """Which columns drift, all columns of the window taken together."""
        p_values = decision.evidence.p_value
        found = by_p_values(p_values, rate=RATE), by_e_values(e_values_of(p_values), rate=RATE)
        return Drifting(*(tuple(self.columns[place] for place in np.flatnonzero(each)) for each in found))
