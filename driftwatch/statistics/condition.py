"""Is the data itself well? The quality checks of contract §6, of every column, against a reference and constraints.

Without a reference those checks speak whose constraints are declared, and the others say that they have none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Self

import numpy as np

from driftwatch.statistics.checks import CHANCE, CHECKS, FAMILY, STREAM_CHECKS, Check, Checked
from driftwatch.statistics.constant import Steady
from driftwatch.statistics.declared import Declared, shares
from driftwatch.statistics.reading import Reading, Status
from driftwatch.statistics.schema_change import schema_change
from driftwatch.statistics.sentinel import Sentinels
from driftwatch.statistics.shares import share
from driftwatch.statistics.units import Extent, unit_change
from driftwatch.summaries.blocks import Blocks
from driftwatch.summaries.layout import EDGES, INVALID_SLOT, MISSING_SLOT, Ints, Layout
from driftwatch.summaries.profile import Profile

__all__ = ["CHECKS", "FAMILY", "Condition", "checks_for"]

_FEWEST_ROWS = 2
_DECLARED_ROWS = 10**15
"""A kind that is declared is as sure as a reference of so many rows without a value of another."""


def checks_for(kind: str) -> tuple[str, ...]:
    """Which checks a column of this kind (numeric, categorical or boolean) has, in the order of its readings."""
    return tuple(name for name, check in CHECKS.items() if _has(check, numeric=kind == "numeric"))


@dataclass(frozen=True, slots=True)
class Condition:
    """A reference made ready to tell sick windows from well ones, once per model.

    bare: the model has no reference at all; a segment's may hold no rows where the model's does. unique: columns whose
    values may not come twice, which the stream's `duplicates` tells.
    """

    layout: Layout
    reference: Profile
    steady: Steady
    sentinels: Sentinels
    extent: Extent
    declared: Declared
    bare: bool
    unique: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, layout: Layout, reference: Profile, *, blocks: Blocks | None = None, unique: tuple[str, ...] = ()
    ) -> Self:  # fmt: skip
        """Learn what is usual. The columns of the layout carry the declared constraints.

        blocks: of consecutive rows of the same reference, which tell how long a healthy column stays constant.
        """
        steady, sentinels = Steady.of(layout, reference, blocks), Sentinels.of(layout, reference)
        extent, declared = Extent.of(reference, layout), Declared.of(layout)
        return cls(layout, reference, steady, sentinels, extent, declared, not reference.rows, unique)

    def against(self, reference: Profile) -> Self:
        """The same with another reference over the same layout, such as a segment's; far cheaper than `of`."""
        steady = replace(Steady.of(self.layout, reference, None), run_rows=self.steady.run_rows)
        sentinels = self.sentinels.against(reference)
        return replace(
            self, reference=reference, steady=steady, sentinels=sentinels, extent=Extent.of(reference, self.layout)
        )

    @property
    def checks(self) -> dict[str, tuple[str, ...]]:
        """Every column with the names of its checks, and those of the stream under ""; those that can say something."""
        of_stream = ("duplicates",) if self.bare else STREAM_CHECKS
        found: dict[str, tuple[str, ...]] = {"": of_stream} | {
            column.name: tuple(name for name in checks_for(column.kind) if self._speaks(name, place))
            for place, column in enumerate((*self.layout.numeric, *self.layout.categorical))
        }
        return found | {name: (*found.get(name, ()), "duplicates") for name in self.unique}

    def _speaks(self, check: str, place: int) -> bool:
        """Whether the column at this place can ever be told of by a check."""
        split = len(self.layout.numeric)
        if check == "constraint":
            return bool(self.layout.categorical[place - split].shares)
        alone = self.declared.suffices(check, kinds=self.bare)
        first = 0 if CHECKS[check].numeric else split
        return not self.bare or (alone is not None and bool(alone[place - first]))

    def readings(self, current: Profile, *, chance: float = CHANCE) -> tuple[Reading, ...]:
        """What there is to say of every column: in layout order, checks in the order of CHECKS. Nothing is raised.

        chance: of windows in which nothing has changed, how many may fail each of the checks that count.
        """
        status = Status.OK
        if not self.reference.rows:
            status = Status.NO_REFERENCE
        elif current.rows < _FEWEST_ROWS:
            status = Status.TOO_FEW
        split, names = len(self.layout.numeric), self.layout.names
        found: list[tuple[int, Reading]] = []
        for name, checked in self._checked(current, chance=min(chance, CHANCE)):
            check = CHECKS[name]
            first, stop = 0 if check.numeric else split, len(names) if check.categorical else split
            made = checked.readings(name, names[first:stop], status=status)
            if status is Status.NO_REFERENCE and current.rows >= _FEWEST_ROWS:
                made = self._alone(name, checked, made, names[first:stop])
            found += made if not first else [(place + first, reading) for place, reading in made]
        if self.declared.shares and current.rows >= _FEWEST_ROWS:
            places, checked = shares(self.layout, current)
            made = checked.readings("constraint", [names[place] for place in places], status=Status.OK)
            found += [(places[number], reading) for number, reading in made]
        found.sort(key=itemgetter(0))
        return tuple([reading for _, reading in found])

    def _alone(
        self, name: str, checked: Checked, silent: list[tuple[int, Reading]], names: Sequence[str]
    ) -> list[tuple[int, Reading]]:  # fmt: skip
        """The readings of a check without a reference: those of columns whose declarations suffice say something."""
        alone = self.declared.suffices(name, kinds=self.bare)
        if alone is None:
            return silent
        told = checked.readings(name, names, status=Status.OK)
        return [spoken if alone[spoken[0]] else mute for spoken, mute in zip(told, silent, strict=True)]

    @np.errstate(all="ignore")
    def _checked(self, current: Profile, *, chance: float) -> Iterator[tuple[str, Checked]]:
        before, layout, declared = self.reference, self.layout, self.declared
        missing, invalid = _missing(layout, current), _invalid(layout, current)
        usual_missing, usual_invalid = _missing(layout, before), _invalid(layout, before)
        schema = schema_change(
            missing, invalid, current.rows,
            usual_missing=usual_missing / max(1, before.rows), usual_invalid=usual_invalid / max(1, before.rows),
            chance=chance,
        )  # fmt: skip
        yield "schema", schema
        counted = (
            ("missing", missing, usual_missing, declared.never_null),
            ("invalid", invalid, usual_invalid, declared.named),
            ("out_of_range", self._outside(current), self._outside(before), declared.bounds.where),
            ("unseen", _other(layout, current), _other(layout, before), np.zeros(len(layout.categorical), np.bool_)),
        )
        for name, found, usual, strict in counted:
            known = before.rows or _DECLARED_ROWS
            shares_found = share(found, current.rows, before=usual, reference_rows=known, strict=strict, chance=chance)
            if name in {"missing", "invalid"} and before.rows:
                # One fault, one alarm: a column that is gone is told of as that.
                shares_found = replace(shares_found, beyond=shares_found.beyond & ~schema.beyond)
            yield name, shares_found
        yield "constant", self.steady.check(current)
        sentinel = self.sentinels.check(current)
        yield "sentinel", sentinel
        # Mean and deviation of a column say nothing of its unit while many of its rows are no measurements.
        extent = Extent.of(current, self.layout)
        yield "unit_change", unit_change(self.extent, extent, where=~sentinel.beyond)

    def _outside(self, profile: Profile) -> Ints:
        """(numeric columns,) values beyond their declared bounds or, without any, beyond the reference's extremes."""
        bounds, numeric = self.declared.bounds, self.reference.numeric
        counts, held = profile.numeric.counts, numeric.minima <= numeric.maxima
        outside = np.where(held, counts[:, 0] + counts[:, EDGES], 0)
        return np.where(bounds.where, bounds.outside(profile), outside)


def _has(check: Check, *, numeric: bool) -> bool:
    return check.numeric if numeric else check.categorical


def _missing(layout: Layout, profile: Profile) -> Ints:
    return np.concatenate([profile.numeric.counts[:, MISSING_SLOT], profile.categories[layout.offsets[1:] - 2]])


def _invalid(layout: Layout, profile: Profile) -> Ints:
    return np.concatenate([profile.numeric.counts[:, INVALID_SLOT], profile.categories[layout.offsets[1:] - 1]])


def _other(layout: Layout, profile: Profile) -> Ints:
    others: Ints = profile.categories[layout.offsets[1:] - 3]
    return others
