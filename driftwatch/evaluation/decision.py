"""Whether a column has changed: evidence beyond its share of the budget, and an effect that matters (design D8).

| evidence                     | effect                       | says    |
|------------------------------|------------------------------|---------|
| a window's, beyond its share | surely beyond `min_effect`   | breach  |
| all windows', beyond theirs  | not surely below it          | breach  |
| no breach                    | surely below `min_effect`    | clear   |
| none, and the window could not have seen `min_effect` | seemingly below it | clear |
| else                         |                              | unknown |
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, count, repeat
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from driftwatch.evaluation.budget import EFFECT, Share
from driftwatch.evaluation.rules import Judgement, RuleSpec, Verdict
from driftwatch.statistics.drift import FAMILY
from driftwatch.statistics.evidence import ABRUPT, SLOW, Evidence
from driftwatch.statistics.reading import Reading, Status, readings_of

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_QUIET = 0.05
"""A p-value above this one says nothing."""
_LEAST_P = 1e-300
_STATISTIC = attrgetter("statistic")
_BOUNDS = attrgetter("lower"), attrgetter("upper"), attrgetter("adjusted")
_NOTHING = Reading("", FAMILY, "", math.nan, math.nan, math.nan, math.nan, math.nan, Status.NO_REFERENCE)


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of all columns in one window, and how small they may be.

    names: of the statistics. at: where they, and EFFECT, stand among the window's readings. readings: of each of them,
    by column. lower, upper,
    adjusted: (statistics, columns), NaN where not known. least: (statistics, columns) the smallest effect that matters.
    """

    names: tuple[str, ...]
    at: Sequence[int]
    readings: Sequence[Mapping[str, Reading]]
    lower: Floats
    upper: Floats
    adjusted: Floats
    least: Floats

    @classmethod
    def of(cls, readings: Sequence[Reading], columns: Sequence[str], least: Mapping[str, Floats]) -> "Effects":
        """Pick them out of a window's readings; least: statistic → (columns,) in the same order as `columns`."""
        by_statistic: dict[str, dict[str, Reading]] = {name: {} for name in (*least, EFFECT)}
        # Of tens of thousands of readings few are effects: only those are looked at one by one.
        wanted = map(by_statistic.__contains__, map(_STATISTIC, readings))
        at = [place for place in compress(count(), wanted) if readings[place].family == FAMILY]
        for reading in map(readings.__getitem__, at):
            by_statistic[reading.statistic][reading.column] = reading
        found = [by_statistic[name] for name in least]
        shape = len(least), len(columns)
        known = [each.get(column, _NOTHING) for each in found for column in columns]
        lower, upper, adjusted = (np.array(list(map(of, known))).reshape(shape) for of in _BOUNDS)
        limits = np.array(list(least.values())).reshape(shape)
        return cls(tuple(least), at, found, lower, upper, adjusted, limits)

    @property
    def surely(self) -> Flags:
        """(columns,) whether one of them is beyond what matters, with 97.5 % confidence."""
        return np.asarray((self.lower > self.least).any(axis=0))

    @property
    def surely_not(self) -> Flags:
        """(columns,) whether all of them are below what matters, with 97.5 % confidence each."""
        return _all_known(self.upper, self.upper < self.least)

    @property
    def seemingly_not(self) -> Flags:
        """(columns,) whether all of them are below what matters, as far as can be seen."""
        return _all_known(self.adjusted, self.adjusted <= self.least)

    def greatest(self, column: str, place: int) -> Reading | None:
        """A column's effect that is the farthest beyond what matters, with that as its limit."""
        beyond = self.lower[:, place] / np.maximum(self.least[:, place], 1e-9)
        order: list[int] = np.argsort(-np.nan_to_num(beyond, nan=-1.0), kind="stable").tolist()
        for number in order:
            reading = self.readings[number].get(column)
            if reading is not None:
                return reading._replace(limit=float(self.least[number, place]))
        return None


def _all_known(values: Floats, below: Flags) -> Flags:
    known = np.isfinite(values)
    return np.asarray((below | ~known).all(axis=0) & known.any(axis=0))


@dataclass(frozen=True, slots=True)
class Decision:
    """What one window says of every column; arrays (columns,) in layout order.

    blind: nothing was found, and the window could not have seen an effect of `min_effect`. lasting: a breach by the
    evidence of all windows.
    """

    columns: Sequence[str]
    evidence: Evidence
    share: Share
    effects: Effects
    breach: Flags
    clear: Flags
    blind: Flags
    lasting: Flags

    @classmethod
    @np.errstate(invalid="ignore")
    def of(cls, columns: Sequence[str], evidence: Evidence, share: Share, effects: Effects) -> "Decision":
        """Put evidence and effects together."""
        lasting = (evidence.slow >= 1 / share.slow) & ~effects.surely_not
        breach = ((evidence.p_value <= share.abrupt) & effects.surely) | lasting
        blind = ~breach & (evidence.detectable > _least_share(effects, len(columns)))
        unseen = blind & (evidence.p_value > _QUIET) & effects.seemingly_not
        clear = ~breach & (effects.surely_not | unseen)
        return cls(columns, evidence, share, effects, breach, clear, blind, lasting)

    def judgements(self, rule: RuleSpec, *, standing: Collection[str]) -> list[Judgement]:
        """What the rule says of those that it watches: of breaches, and of the alerts that stand."""
        told = []
        speaks = self.breach | np.isin(np.array(self.columns, dtype=object), list(standing))
        for place in np.flatnonzero(speaks).tolist():
            column = self.columns[place]
            reading = self.effects.greatest(column, place)
            if reading is None or (rule.columns is not None and column not in rule.columns):
                continue
            verdict = Verdict.BREACH if self.breach[place] else Verdict.CLEAR if self.clear[place] else Verdict.UNKNOWN
            told.append(Judgement(rule, reading, verdict))
        return told

    def readings(self) -> list[Reading]:
        """The evidence, in powers of ten: of this window alone, and of all so far; beside each, its share's."""
        p_value = np.where(np.isnan(self.evidence.p_value), np.nan, np.maximum(self.evidence.p_value, _LEAST_P))
        slow = np.maximum(self.evidence.slow, _LEAST_P)
        return [
            *_of(ABRUPT, self.columns, -np.log10(p_value), -np.log10(self.share.abrupt), p_value, blind=self.blind),
            *_of(SLOW, self.columns, np.log10(slow), -np.log10(self.share.slow), np.full_like(slow, np.nan)),
        ]


def _least_share(effects: Effects, columns: int) -> Floats:
    """(columns,) the smallest effect that matters as a share of rows; infinite where it is measured otherwise."""
    if EFFECT not in effects.names:
        return np.full(columns, np.inf)
    least: Floats = effects.least[effects.names.index(EFFECT)]
    return least


def _of(
    name: str, columns: Sequence[str], value: Floats, limit: Floats, p_value: Floats, blind: Flags | None = None
) -> list[Reading]:
    known = np.isfinite(value) if blind is None else np.isfinite(value) & ~blind
    shown = np.where(known, value, np.nan)
    ok, too_few = Status.OK, Status.TOO_FEW
    statuses = [ok if each else too_few for each in known.tolist()]
    nan, none = repeat(math.nan), repeat(None)
    return readings_of((
        columns, repeat(FAMILY), repeat(name), shown.tolist(), nan, nan, nan, p_value.tolist(), statuses, none,
        limit.tolist(), (shown > limit).tolist(), nan, none, none, nan,
    ))  # fmt: skip
