"""The reference of a window by the season: the rows of the slots that it is in, each as its time and traffic weigh."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from driftwatch.summaries.against import Against, Span
from driftwatch.summaries.layout import FINITE, SLOTS, Floats, Ints
from driftwatch.summaries.numeric import Numeric
from driftwatch.summaries.pooling import Fill
from driftwatch.summaries.profile import NEVER_FIRST, NEVER_LAST, Profile
from driftwatch.summaries.rounding import column_starts, moments, rounded
from driftwatch.summaries.season_profiles import SeasonProfiles
from driftwatch.summaries.segment_panes import PaneKey

Flags = NDArray[np.bool_]

_KEPT = 8
"""References made last that are kept: windows of several versions, and looks at late rows, ask for the same."""
_PART = 10
"""The part of a window that may lie before its first row, or after its last, by chance."""
_PARTS = (1.0, *(2.0**-power for power in range(1, 9)), 1e-6)
_SLIGHT = 1e-6
_ROUNDING = 1e-6
"""What stored means may leave of a spread that is none, as a share of the squares."""


class Seasonal(Against):
    """Makes the reference of any span of time out of the slots of a reference.

    whole: all rows of the reference, which came between first_ms and last_ms.
    """

    def __init__(self, parts: SeasonProfiles, whole: Profile, *, first_ms: int, last_ms: int) -> None:
        self.layout, self._parts, self._whole = parts.layout, parts, whole
        self._starts = parts.starts()
        self._fill = Fill.of(parts, self._starts)
        covered = parts.season.spans(first_ms, last_ms + 1)
        usual = parts.rows.sum() / max(1, int(covered.sum()))
        self._rate = np.divide(parts.rows, covered, out=np.full(covered.size, usual), where=covered > 0)
        self._columns = column_starts(self.layout)
        self._widths = np.diff(np.append(self._columns, len(self.layout.numeric) * SLOTS + self.layout.offsets[-1]))
        self._made: dict[bytes, Profile] = {}

    def reference(self, span: Span, rows: Profile | None, panes: Mapping[PaneKey, Profile]) -> Profile | None:
        """What the rows of a window are to be compared with.

        Where a stream, or a version, begins or ends inside the window, only the time of its rows counts.
        """
        del panes
        if rows is None:
            return None
        start_ms, end_ms = span
        if rows.rows:
            least = (end_ms - start_ms) // _PART
            start_ms = rows.first_ms if rows.first_ms - start_ms > least else start_ms
            end_ms = rows.last_ms + 1 if end_ms - 1 - rows.last_ms > least else end_ms
        return self.of(start_ms, end_ms)

    def of(self, start_ms: int, end_ms: int) -> Profile:
        """The reference of the time [start, end); the same object for the same parts of the season."""
        weights = self.weights(start_ms, end_ms)
        key = weights.tobytes()
        found = self._made.pop(key, None)
        if found is None:
            found = self._pooled(weights)
        self._made[key] = found
        if len(self._made) > _KEPT:
            del self._made[next(iter(self._made))]
        return found

    def weights(self, start_ms: int, end_ms: int) -> Floats:
        """(slots,) the part that each slot is of the rows to expect in [start, end): they sum to 1.

        Of its time there, and of how many rows usually come in that time: a day's window holds more rows of noon than
        of the night, and so does its reference.
        """
        spans = self._parts.season.spans(start_ms, max(end_ms, start_ms + 1))
        rows = spans * self._rate
        if not rows.any():
            rows = spans.astype(np.float64)
        weights: Floats = rows / rows.sum()
        return weights

    def _pooled(self, weights: Floats) -> Profile:
        parts, layout = self._parts, self.layout
        numbers, columns = len(layout.numeric) * SLOTS, len(layout.numeric)
        share_of, share_of_all, rows = self._shares(weights)
        shares = np.zeros(int(self._widths.sum()))
        sums, squares = np.zeros((columns, FINITE)), np.zeros(columns)
        for slot in np.flatnonzero(share_of.any(axis=1)).tolist():
            flat, held = parts.slot(slot, self._starts)
            part = share_of[slot] / parts.rows[slot]
            shares += flat * np.repeat(part, self._widths)
            sums += held * part[:columns, None]
            squares += parts.squares[slot] * part[:columns]
        whole, part = self._whole, share_of_all / max(1, self._whole.rows)
        shares += np.concatenate([whole.numeric.counts.ravel(), whole.categories]) * np.repeat(part, self._widths)
        sums += whole.numeric.sums * part[:columns, None]
        squares += whole.numeric.squares * part[:columns]
        counts = rounded(shares, rows, starts=self._columns)
        numeric = self._numeric(counts[:numbers].reshape(columns, SLOTS), shares[:numbers], sums, squares=squares)
        first, last = (whole.first_ms, whole.last_ms) if rows else (NEVER_FIRST, NEVER_LAST)
        return Profile(layout.fingerprint, rows, first, last, numeric, counts[numbers:])

    def _shares(self, weights: Floats) -> tuple[Floats, Floats, int]:
        """(slots, columns) and (columns,) what each slot and all rows are of the reference; what it counts for.

        As many rows as the column has that the slots say least of: no test may take them for more.
        """
        held, fill = self._parts.rows.astype(np.float64), self._fill
        slots = np.flatnonzero(weights)
        weight, rows = weights[slots][:, None], held[slots][:, None]
        # Of a slot without rows at least as much is known as one row of the whole tells.
        worth = np.where(rows > 0, fill.rows[slots], np.maximum(fill.rows[slots], 1.0))
        chance = ~(fill.certain & (rows > 0))
        taken, variance = _taken(weight, rows, worth, chance=chance)
        known = rows + taken * worth
        share_of, filled = np.zeros(fill.rows.shape), weight * taken * worth / known
        share_of[slots] = weight * rows / known
        near = filled * fill.near[slots]
        beside = self._parts.season.neighbours()[slots]
        around = np.maximum(held[beside].sum(axis=1), 1.0)
        for line in beside.T:
            np.add.at(share_of, line, near * (held[line] / around)[:, None])
        most, greatest = float(self._whole.rows), float(variance.max(initial=0.0))
        counted = int(min(most, 1 / greatest + _SLIGHT) if greatest else most)
        return share_of, (filled - near).sum(axis=0), counted

    def _numeric(self, counts: Ints, shares: Floats, sums: Floats, *, squares: Floats) -> Numeric:
        """Whole rows of the means and the spread that the shares have."""
        finite = shares.reshape(counts.shape)[:, :FINITE]
        means = np.divide(sums, finite, out=np.zeros_like(sums), where=finite > 0)
        apart = squares - (sums * means).sum(axis=1)
        apart = np.where(apart > _ROUNDING * squares, apart, 0.0)
        mass = finite.sum(axis=1)
        excess = np.divide(apart, mass, out=np.zeros_like(mass), where=mass > 0)
        made, scattered = moments(counts, means, excess)
        low, high = self._extremes(means * (counts[:, :FINITE] > 0), counts, excess)
        return Numeric(counts, made, scattered, low, high)

    def _extremes(self, means: Floats, counts: Ints, excess: Floats) -> tuple[Floats, Floats]:
        """Those of all rows; of a column that is constant here its value, of one without numbers none."""
        numeric, layout = self._whole.numeric, self.layout
        bins = np.count_nonzero(counts[:, :FINITE], axis=1)
        value = layout.centre + layout.scale * means.sum(axis=1)
        constant = (bins == 1) & (excess == 0)
        low = np.where(constant, value, np.where(bins > 0, numeric.minima, np.inf))
        return low, np.where(constant, value, np.where(bins > 0, numeric.maxima, -np.inf))


def _taken(weight: Floats, rows: Floats, worth: Floats, *, chance: Flags) -> tuple[Floats, Floats]:
    """(columns,) the part of the fill that is taken, and the variance of a share that it leaves: the least there is.

    weight, rows: (slots, 1). worth: (slots, columns) rows that the fill is worth. What is wrong with the fill is wrong
    alike in slots that stand together, and does not cancel as their own rows' chance does; so slots that have rows
    enough together take little or none. A slot by itself takes all of it.
    """
    taken, least = np.ones(worth.shape[1]), np.full(worth.shape[1], np.inf)
    for part in _PARTS:
        known = rows + part * worth
        own = (weight**2 * rows / known**2 * chance).sum(axis=0)
        filled = (weight * part * np.sqrt(worth) / known * chance).sum(axis=0) ** 2
        better = own + filled < least * (1 - _SLIGHT)
        taken, least = np.where(better, part, taken), np.where(better, own + filled, least)
    return taken, least
