"""What moved together: the steps of one rule in one look at one window, ranked, the most important first (design D9).

Law: which steps belong together depends on the steps and the reports that moved them alone, never on how the stream
was cut into batches. A column that joins in a later window begins a group of its own, so nothing is held back.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from driftwatch.evaluation.alerts import State, Transition, identity
from driftwatch.evaluation.report import Report

OUTPUTS = frozenset({"score", "prediction"})
"""The columns that are the model's own outputs."""
Importance = Mapping[str, float]
"""column → its importance, in [0, 1]"""
NONE_KNOWN: Mapping[str, Importance] = MappingProxyType({})
"""Of no model."""

_DIGITS = 6
"""Significant digits of an effect: the last bits of a sum depend on the batches that it was made of."""


@dataclass(frozen=True, slots=True)
class Move:
    """A step of an alert, and the report that moved it."""

    step: Transition
    report: Report


@dataclass(frozen=True, slots=True)
class Group:
    """At least one step, by rank; they share model, version, rule, state and window."""

    moves: tuple[Move, ...]

    @property
    def lead(self) -> Move:
        """The one that stands for all: the first by rank."""
        return self.moves[0]

    @property
    def started_ms(self) -> int:
        """Start of the window in which the first of the episodes began."""
        return min(move.step.started_ms for move in self.moves)

    @property
    def columns(self) -> list[str]:
        """The columns that moved, by rank, each once; without what has no column."""
        return list(dict.fromkeys(move.step.column for move in self.moves if move.step.column))


def grouped(
    steps: Iterable[Transition], reports: Iterable[Report], *, importance: Mapping[str, Importance] = NONE_KNOWN
) -> list[Group]:
    """Put the steps together that moved together, in the order in which they did.

    reports: of the same outcome, with what moved the alerts of golden sets. importance: by model, of its columns; 1
    where it is unknown.
    A step that stands in no window stands alone. Raises KeyError for a step that none of the reports tells of.
    """
    listed = list(steps)
    movers = _movers(listed, reports) if listed else {}
    groups: dict[tuple[object, ...], list[Move]] = {}
    for step in listed:
        move = Move(step, movers[_place(step), step.alert_id, step.state])
        groups.setdefault(_group(move), []).append(move)
    return [
        Group(tuple(sorted(moves, key=lambda move: _rank(move.step, importance.get(move.step.model, {})))))
        for moves in groups.values()
    ]


def lane(model: str, version: str, *, rule: str) -> str:
    """Name the order that letters keep among each other: one for a rule of a model's version.

    It holds for every group that an alert can ever be in, so that no end overtakes its beginning.
    """
    return identity("lane", model, version, rule)


_Place = tuple[str, str, str, int, int | None]


def _place(step: Transition) -> _Place:
    return step.model, step.version, step.segment, step.window_start_ms, step.window_ordinal


def _movers(steps: Iterable[Transition], reports: Iterable[Report]) -> dict[tuple[_Place, str, str], Report]:
    """Of each step's window the first revision that notes where its alert then stood."""
    wanted = {(step.alert_id, step.state) for step in steps}
    found: dict[tuple[_Place, str, str], Report] = {}
    for report in reports:
        place = report.model, report.version, report.segment, report.window.start_ms, report.window.ordinal
        for note in report.alerts:
            if (note.id, note.state) in wanted:
                found.setdefault((place, note.id, note.state), report)
    return found


def _group(move: Move) -> tuple[object, ...]:
    """What steps must share; the revision, for a look at a window is not the next look at it."""
    step = move.step
    if step.window_ordinal is None and step.window_start_ms == step.window_end_ms:  # of a golden set: in no window
        return (step.identity,)
    return (
        step.model, step.version, step.rule, step.state, step.window_start_ms, step.window_end_ms,
        step.window_ordinal, move.report.revision,
    )  # fmt: skip


def _rank(step: Transition, importance: Importance) -> tuple[bool, bool, float, float, str, str]:
    """Outputs first, then whole rows, then effect times importance, then by name."""
    weight = importance.get(step.column, 1.0)
    return (
        step.column not in OUTPUTS,
        bool(step.segment),
        -_effect(step) * weight,
        -weight,
        step.column,
        step.segment,
    )


def _effect(step: Transition) -> float:
    """How far an alert is surely beyond its threshold, in thresholds; 0 for one that is not, or has ended.

    Above a threshold the lower bound counts, where there is one. Of what is below its threshold a step knows the value.
    """
    if step.state not in {State.PENDING, State.FIRING} or math.isnan(step.value):
        return 0.0
    above = step.value >= step.threshold
    bound = step.lower if above and not math.isnan(step.lower) else step.value
    beyond = (bound - step.threshold if above else step.threshold - bound) / max(abs(step.threshold), 1e-9)
    return float(f"{min(max(beyond, 0.0), 1e300):.{_DIGITS}g}")
