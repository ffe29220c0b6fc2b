"""Which part of a season a moment is in: the hour of the day or the week, the month of the year; in UTC."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Ints

Floats = NDArray[np.float64]

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
YEAR_MS = 31_556_952_000
"""The mean year of the calendar. A season of this length is cut into the calendar's months."""
MONTHS = 12

_FIRST_MONDAY_MS = 4 * DAY_MS
"""1970 began on a Thursday."""


@dataclass(frozen=True, slots=True)
class Season:
    """A period that comes again and again, cut into slots of equal length, or the calendar year and its months.

    period_ms: a multiple of `slots`. Weeks begin on Monday; other periods are counted from 1970 on, at midnight.
    """

    period_ms: int
    slots: int

    @property
    def of_months(self) -> bool:
        """Whether the slots are the months of the calendar."""
        return self.period_ms == YEAR_MS

    @property
    def width_ms(self) -> int:
        """Length of a slot; of months, their mean."""
        return self.period_ms // self.slots

    def slot_of(self, times: Ints) -> Ints:
        """(rows,) the slot that each moment is in; times: (rows,) in ms since the epoch."""
        if self.of_months:
            return _months(times) % MONTHS
        return (times - self._phase) % self.period_ms // self.width_ms

    def spans(self, start_ms: int, end_ms: int) -> Ints:
        """(slots,) how many ms of [start, end) are in each slot."""
        if end_ms <= start_ms:
            return np.zeros(self.slots, dtype=np.int64)
        if not self.of_months:
            return self._before(end_ms) - self._before(start_ms)
        first, last = _months(np.array([start_ms, end_ms - 1], dtype=np.int64)).tolist()
        months = np.arange(first, last + 2)
        edges = np.clip(months.astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64), start_ms, end_ms)
        spans = np.zeros(self.slots, dtype=np.int64)
        np.add.at(spans, months[:-1] % MONTHS, np.diff(edges))
        return spans

    def neighbours(self) -> Ints:
        """(slots, neighbours) the slots that are most like each: those beside it, and at the same time a day away."""
        steps = {1, self.slots - 1}
        days, rest = divmod(self.period_ms, DAY_MS)
        if not rest and days > 1 and not self.of_months and self.slots % days == 0 and self.slots > days:
            steps |= {self.slots // days, self.slots - self.slots // days}
        own = np.arange(self.slots)[:, None]
        return (own + np.array(sorted(steps - {0, self.slots}), dtype=np.int64)) % self.slots

    @property
    def _phase(self) -> int:
        return _FIRST_MONDAY_MS if self.period_ms % WEEK_MS == 0 else 0

    def _before(self, moment_ms: int) -> Ints:
        """(slots,) how many ms of each slot lie between the first period's begin and a moment, negative before it."""
        periods, into = divmod(moment_ms - self._phase, self.period_ms)
        width = self.width_ms
        return periods * width + np.clip(into - np.arange(self.slots) * width, 0, width)


def _months(times: Ints) -> Ints:
    """Months since 1970."""
    months: Ints = times.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    return months
