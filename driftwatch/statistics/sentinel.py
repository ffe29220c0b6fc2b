"""Values that stand for something else: -1, -200, 999 and their like among numbers that are measured.

A spike is suspected at either end of what window and reference hold together, so that a reference that has been
polluted from the beginning hides nothing. It must stand far from all else, or be a customary code and stand apart; a
code within the range must be a spike that the reference does not have. What has been found in two columns is suspected
of every column that has it at an end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from driftwatch.kernels.binning import Z_LIMIT
from driftwatch.kernels.spikes import End, Others
from driftwatch.statistics.checks import Checked, Flags
from driftwatch.statistics.shares import MINIMUM_EFFECT, bounds
from driftwatch.summaries.layout import FINITE, Floats, Ints, Layout
from driftwatch.summaries.profile import Profile

_NINES = [10.0**digits - 1 for digits in range(2, 16)]
_CODES = np.sort([
    *_NINES, 99.9, 999.9, 9999.9, 99.99, 999.99, 9999.99, 888.0, 8888.0, 88888.0, 32767.0, 65535.0, 2147483647.0,
    4294967295.0, float(2**63), float(np.finfo(np.float32).max), 9.969209968386869e36, 1e20, 1e30,
])  # fmt: skip
"""Numbers that people and programs write for "no value", whatever their sign; 9.97e36 is NetCDF's."""
_INNER_CODES = np.sort([-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0])
_FEWEST_ROWS = 3.0
_SOME, _MANY = 5, 20
"""Slots that the other values must fill: with few, any value stands far from the rest."""
_APART = 0.1
"""As a share of the others' range: nearer than this a code is one value among others."""
_STANDS_OUT = 3.0
_LEAST_LARGE, _ROUND = 99.0, 100.0
_ROUNDING = 1e-6
"""Of codes that were kept in 32 bits."""
_NEAREST = 0.05
"""As a share of the whole range."""
_FAR, _HALF = 3.0, 0.5
_PURE, _PURE_OF_ANY = 0.6, 1 - 1e-9
"""Of an end's slot the least share at its extreme, where that is a code and where it is any number.

With less than either only a code is found, half as far from the others as these reach."""
_NEAR = 0.02
"""How near to a code the mean of what is new in its slot must be, as a share of the slot's width."""


class _Values(NamedTuple):
    """Values of a profile, low end first: a high end is a low end in a mirror. Arrays (columns, slots), (columns,)."""

    counts: Ints
    sums: Floats
    least: Floats
    greatest: Floats

    def mirrored(self) -> "_Values":
        return _Values(self.counts[:, ::-1], -self.sums[:, ::-1], -self.greatest, -self.least)

    def end(self, right: Floats) -> End:
        return End.of(self.counts, self.sums, right, least=self.least, greatest=self.greatest)


class _Spike(NamedTuple):
    """Rows at one end: their value, the next one, how far that is in z, their share; whether the reference has none."""

    value: Floats
    following: Floats
    gap: Floats
    share: Floats
    pure: Floats
    new: Flags

    def where(self, asked: Flags) -> "_Spike":
        return _Spike(
            self.value[asked], self.following[asked], self.gap[asked], self.share[asked], self.pure[asked],
            self.new[asked],
        )  # fmt: skip


class _Suspects(NamedTuple):
    """One value of each column, (columns,): rows of window and reference at it; whether it is one, or may be."""

    value: Floats
    current: Floats
    reference: Floats
    sure: Flags
    possible: Flags


@dataclass(frozen=True)
class Sentinels:
    """A reference made ready for the search, once.

    edges: (numeric columns, FINITE + 1) of the slots, in units of z. codes: which slot each of _INNER_CODES falls
    into, (codes, numeric columns).
    """

    layout: Layout
    reference: Profile
    usual: _Values
    edges: Floats
    codes: Ints

    @classmethod
    @np.errstate(all="ignore")
    def of(cls, layout: Layout, reference: Profile) -> Self:
        """Lay out the edges."""
        edges = (layout.edges - layout.centre[:, None]) / layout.scale[:, None]
        outside = np.full((len(layout.numeric), 1), np.inf)
        codes = (layout.edges[None] < _INNER_CODES[:, None, None]).sum(axis=2)
        return cls(layout, reference, _values(reference, layout), np.hstack([-outside, edges, outside]), codes)

    def against(self, reference: Profile) -> Self:
        """The same with another reference over the same layout."""
        return replace(self, reference=reference, usual=_values(reference, self.layout))

    @np.errstate(all="ignore")
    def check(self, current: Profile) -> Checked:
        """The share of rows at a suspected value, which is `at`; 0 where nothing is suspected.

        The limit is fixed: one row in a hundred. `adjusted` is what is above the reference's share.
        """
        now = _values(current, self.layout)
        found = [*self._ends(current, now), self._inside(current)]
        value, here, before, sure, possible = (np.stack(parts) for parts in zip(*found, strict=True))
        values, columns = np.unique(value[sure & (here > 0)], return_counts=True)
        sure |= possible & np.isin(value, values[columns > 1])
        here, before = np.where(sure, here, 0.0), np.where(sure, before, 0.0)
        each = np.arange(here.shape[1])
        best = here.argmax(axis=0)
        rows = here[best, each]
        share = bounds(rows, current.rows)
        limit = np.full(rows.size, MINIMUM_EFFECT)
        at = np.where(rows > 0, value[best, each], np.nan).tolist()
        adjusted = share.value - before[best, each] / max(1, self.reference.rows)
        return Checked(share.value, adjusted, share.lower, share.upper, limit, share.lower > limit, at)

    def _ends(self, current: Profile, now: _Values) -> Iterator[_Suspects]:
        """The values at both ends of all that window and reference hold."""
        then, edges = self.usual, self.edges
        least, greatest = np.minimum(now.least, then.least), np.maximum(now.greatest, then.greatest)
        both = _Values(now.counts + then.counts, now.sums + then.sums, least, greatest)
        extremes = np.minimum(current.numeric.minima, self.reference.numeric.minima)
        yield self._end(now, then, both, right=edges[:, 1:], value=extremes, sign=1.0)
        extremes = np.maximum(current.numeric.maxima, self.reference.numeric.maxima)
        mirrored = (now.mirrored(), then.mirrored(), both.mirrored())
        yield self._end(*mirrored, right=-edges[:, -2::-1], value=extremes, sign=-1.0)

    def _end(
        self, now: _Values, then: _Values, both: _Values, *, right: Floats, value: Floats, sign: float
    ) -> _Suspects:  # fmt: skip
        least, greatest = both.least, both.greatest
        end = both.end(right)
        here, before = (np.where(side.least == least, side.end(right).at, 0.0) for side in (now, then))
        possible = end.at >= _FEWEST_ROWS
        # Most columns end here: of a spike that is no code, and nearer to its next than this, nothing else is asked.
        asked = possible & (_is_code(value) | (end.following - least >= _NEAREST * (greatest - least)))
        sure = np.zeros_like(possible)
        if asked.any():
            following = self.layout.centre + self.layout.scale * sign * end.following
            share = np.maximum(here / now.counts.sum(axis=1), before / np.maximum(then.counts.sum(axis=1), 1))
            spike = _Spike(value, following, end.following - least, share, end.pure, before == 0)
            shown = End(end.at[asked], end.pure[asked], end.following[asked])
            others = Others.of(both.counts[asked], both.sums[asked], shown)
            sure[asked] = _is_sentinel(spike.where(asked), others)
        return _Suspects(value, here, before, sure, possible & (end.pure >= _PURE))

    def _inside(self, current: Profile) -> _Suspects:
        """A code within the range that has become a spike."""
        numeric, reference = current.numeric, self.reference.numeric
        columns = np.arange(len(self.layout.numeric))
        slot = np.clip(self.codes, 1, FINITE - 2)
        rows, before = max(1, current.rows), max(1, self.reference.rows)
        share, usual = numeric.counts[columns, slot] / rows, reference.counts[columns, slot] / before
        more = share - usual
        beside = np.maximum(numeric.counts[columns, slot - 1], numeric.counts[columns, slot + 1]) / rows
        high = share > _STANDS_OUT * np.maximum(beside, usual)
        sums = numeric.sums[columns, slot] / rows - reference.sums[columns, slot] / before
        code = (_INNER_CODES[:, None] - self.layout.centre) / self.layout.scale
        width = self.edges[columns, slot + 1] - self.edges[columns, slot]
        # A wide bin holds much that is no code, and its mean says little.
        narrow = width * self.layout.scale <= np.abs(_INNER_CODES[:, None]) / 2
        there = narrow & (np.abs(sums / more - code) <= _NEAR * width + 1e-9 * np.abs(code))
        sure = (self.codes == slot) & high & there & (more * current.rows >= _FEWEST_ROWS)
        best = np.where(sure, more, -1.0).argmax(axis=0)
        none = np.zeros(columns.size)
        found = sure[best, columns]
        return _Suspects(_INNER_CODES[best], more[best, columns] * current.rows, none, found, np.zeros_like(found))


@np.errstate(all="ignore")
def _values(profile: Profile, layout: Layout) -> _Values:
    """Extremes are cut where the sums of values were."""
    numeric = profile.numeric
    least, greatest = (
        np.clip((extreme - layout.centre) / layout.scale, -Z_LIMIT, Z_LIMIT)
        for extreme in (numeric.minima, numeric.maxima)
    )
    return _Values(numeric.counts[:, :FINITE], numeric.sums, least, greatest)


def _is_sentinel(spike: _Spike, others: Others) -> Flags:
    far = (spike.pure >= _PURE_OF_ANY) & _is_far(spike, others)
    apart = (spike.pure >= _PURE) & _is_code_apart(spike, others)
    half_way = _is_code(spike.value) & (others.slots >= _SOME) & (spike.gap >= _HALF * others.reach)
    found: Flags = far | apart | half_way
    return found


def _is_far(spike: _Spike, others: Others) -> Flags:
    """As far from the others as these reach; a zero that has always been there is a number like any other."""
    many = (others.slots >= _MANY) & (spike.gap >= others.reach)
    some = (others.slots >= _SOME) & (spike.gap >= _FAR * others.reach) & _is_code(spike.value)
    far: Flags = (many | some) & ((spike.value != 0) | spike.new)
    return far


def _is_code_apart(spike: _Spike, others: Others) -> Flags:
    """A customary code: the only negative number, or a large one, that stands apart from the others."""
    apart = spike.gap >= _APART * others.reach
    negative = (spike.value < 0) & (spike.following >= 0) & (others.slots >= 2 * _SOME)
    stands_out = spike.share >= _STANDS_OUT * others.beside
    large = (np.abs(spike.value) >= _LEAST_LARGE) & (others.slots >= _SOME)
    return _is_code(spike.value) & ((negative & (apart | stands_out)) | (large & apart))


def _is_code(value: Floats) -> Flags:
    """-1, -9, nines and the limits of types, and round negative numbers from -100 on."""
    size = np.abs(value)
    digits = size / 10.0 ** np.floor(np.log10(np.where(size > 0, size, 1.0)))
    round_one = (value <= -_ROUND) & (np.abs(digits - np.rint(digits)) < 1e-9)
    near = _CODES[np.clip(np.searchsorted(_CODES, size * (1 - _ROUNDING)), 0, _CODES.size - 1)]
    code: Flags = round_one | (value == -1) | (value == -9) | (np.abs(size - near) <= _ROUNDING * near)
    return code
