"""Whether a stream comes as it used to at this time of the week: how many rows, how fresh, how many of them twice."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import special

from driftwatch.statistics.checks import CHANCE, FAMILY
from driftwatch.statistics.reading import Reading, Status
from driftwatch.statistics.shares import bounds
from driftwatch.summaries.layout import Floats, Ints
from driftwatch.summaries.rhythm import HOUR_MS, HOURS, Rhythm, hour_of_week

FEWEST, MOST = 0.5, 2.0
"""Between so many times the usual rows nobody is told, however sure it is."""
DUPLICATES = 0.05
"""Share of events that may come twice: at-least-once delivery does that, a producer that loops does more."""
FEWEST_EVENTS = 100
"""Of fewer nobody is told how many came twice."""

_PRIOR = 4
"""The spread of one hour of the week is known from few weeks: that of all hours counts like so many more of them."""
_DAY = 24


@dataclass(frozen=True, slots=True)
class Traffic:
    """What came of a model's stream in one window of time, [start_ms, end_ms), of all versions together.

    rows: those that had not come before. last_ms: time of the latest row before the window's end. whole: the stream had
    begun when the window did and not ended before it, so that its rows can be compared with what is usual.
    """

    start_ms: int
    end_ms: int
    rows: int
    last_ms: int | None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Expected:
    """Rows to expect, and by which share of them, in standard deviations, they vary beyond chance."""

    rows: float
    variation: float

    @property
    def known(self) -> bool:
        """Whether the reference says anything of this time."""
        return math.isfinite(self.rows) and math.isfinite(self.variation) and self.rows > 0

    def chance_of_fewer(self, rows: int, *, share: float = 1.0) -> float:
        """Probability of so many rows or fewer, where `share` of the usual is to be expected.

        Rows are Poisson about a rate that is Gamma distributed, hence negative binomial.
        """
        mean = self.rows * share
        if self.variation == 0:
            return float(special.pdtr(rows, mean))
        shape = self.variation**-2
        return float(special.betainc(shape, rows + 1, shape / (shape + mean)))


@dataclass(frozen=True, slots=True)
class Usual:
    """A reference's rhythm made ready. rate, spread: (HOURS,) mean rows an hour and how they vary beyond chance."""

    rate: Floats
    spread: Floats

    @classmethod
    def of(cls, rhythm: Rhythm) -> Self:
        """Learn from whole hours. An hour of the week that was seen once is taken with its hour of the other days."""
        known_of = _filled(rhythm)
        rate, covered = known_of.mean, known_of.covered
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.maximum(known_of.variance - rate, 0) / rate**2
            told = np.isfinite(relative)
            weights = rate[told] ** 2
            pooled = float(np.average(relative[told], weights=weights)) if weights.sum() > 0 else math.nan
            known = covered - 1
            relative = (np.where(told, relative * known, 0) + pooled * _PRIOR) / (known + _PRIOR)
            # The mean itself is known from so few weeks.
            spread = rate * np.sqrt(relative * (1 + 1 / covered))
        return cls(np.where(covered > 1, rate, np.nan), np.where(covered > 1, spread, np.nan))

    def expected(self, start_ms: int, end_ms: int) -> Expected:
        """Rows of a stretch of time; its hours are taken to be high or low together. Not known where an hour is not."""
        if end_ms - start_ms > HOURS * HOUR_MS:
            # Whole weeks repeat themselves.
            weeks, rest = divmod(end_ms - start_ms, HOURS * HOUR_MS)
            inner = self.expected(end_ms - rest, end_ms) if rest else Expected(0.0, 0.0)
            rows, deviation = self.rate.sum() * weeks, self.spread.sum() * weeks
            return _expected(float(rows + inner.rows), float(deviation + inner.variation * inner.rows))
        hours: Ints = np.arange(start_ms // HOUR_MS, -(-end_ms // HOUR_MS), dtype=np.int64)
        begins = np.maximum(hours * HOUR_MS, start_ms)
        shares = (np.minimum((hours + 1) * HOUR_MS, end_ms) - begins) / HOUR_MS
        places = hour_of_week(hours)
        return _expected(float(shares @ self.rate[places]), float(shares @ self.spread[places]))

    def readings(self, traffic: Traffic) -> tuple[Reading, ...]:
        """`volume` in multiples of the usual, and `freshness` in seconds."""
        return (self._volume(traffic), self._freshness(traffic))

    def missed(self, start_ms: int, end_ms: int) -> bool:
        """Whether it would be told of if no row came in a stretch of time."""
        expected = self.expected(start_ms, end_ms)
        return expected.known and expected.chance_of_fewer(0, share=FEWEST) < CHANCE

    def _volume(self, traffic: Traffic) -> Reading:
        expected = self.expected(traffic.start_ms, traffic.end_ms)
        if not traffic.whole:
            return _silent("volume", Status.TOO_FEW)
        if not expected.known:
            # At an hour that never had a row there is nothing to be a multiple of.
            return _silent("volume", Status.DEGENERATE if expected.rows == 0 else Status.NO_REFERENCE)
        ratio = traffic.rows / expected.rows
        fewer, more = expected.chance_of_fewer(traffic.rows), 1 - expected.chance_of_fewer(traffic.rows - 1)
        p_value = min(1.0, 2 * min(fewer, more))
        beyond = (ratio < FEWEST and fewer < CHANCE) or (ratio > MOST and more < CHANCE)
        # Garwood's bounds of the rows alone; how much the usual varies is in the p-value.
        lower = float(special.gammaincinv(traffic.rows, 0.025)) if traffic.rows else 0.0
        upper = float(special.gammaincinv(traffic.rows + 1, 0.975))
        return Reading(
            "", FAMILY, "volume", ratio, ratio, lower / expected.rows, upper / expected.rows, p_value, Status.OK,
            limit=FEWEST if ratio < 1 else MOST, beyond=beyond,
        )  # fmt: skip

    def _freshness(self, traffic: Traffic) -> Reading:
        if traffic.last_ms is None:
            return _silent("freshness")
        seconds = max(0, traffic.end_ms - traffic.last_ms) / 1000
        expected = self.expected(traffic.last_ms, traffic.end_ms)
        beyond = expected.known and expected.chance_of_fewer(0, share=FEWEST) < CHANCE
        chance = expected.chance_of_fewer(0) if expected.known else math.nan
        return Reading(
            "", FAMILY, "freshness", seconds, seconds, math.nan, math.nan, chance, Status.OK,
            limit=self._patience(traffic.end_ms), beyond=beyond,
        )  # fmt: skip

    def _patience(self, end_ms: int) -> float:
        """Seconds before `end_ms` from which on nobody would be told of silence, to the minute; NaN beyond a week."""
        longest = HOURS * HOUR_MS // 60_000
        if not self.missed(end_ms - longest * 60_000, end_ms):
            return math.nan
        below, above = 0, longest
        while above - below > 1:
            middle = (below + above) // 2
            below, above = (below, middle) if self.missed(end_ms - middle * 60_000, end_ms) else (middle, above)
        return above * 60.0


def duplicates(rows: int, again: int) -> Reading:
    """Share of a window's events that had come before, with Wilson's interval; it needs no reference.

    rows: the new ones. again: those that had come before.
    """
    events = rows + again
    if not events:
        return _silent("duplicates", Status.TOO_FEW)
    share = bounds(np.array([again]), events)
    value, lower, upper = (float(part[0]) for part in (share.value, share.lower, share.upper))
    return Reading(
        "", FAMILY, "duplicates", value, value, lower, upper, math.nan, Status.OK,
        limit=DUPLICATES, beyond=events >= FEWEST_EVENTS and lower > DUPLICATES,
    )  # fmt: skip


def repeated(column: str, rows: int, again: int, level: int) -> Reading:
    """Share of a window's rows with a value whose value had come before: of a unique column one is too many.

    level: one in 2 ** level values was looked at, as `at` says; rows, again: those that hold one of them.
    """
    if not rows:
        return _silent("duplicates", Status.TOO_FEW)._replace(column=column)
    share = bounds(np.array([again]), rows)
    value, lower, upper = (float(part[0]) for part in (share.value, share.lower, share.upper))
    return Reading(
        column, FAMILY, "duplicates", value, value, lower, upper, math.nan, Status.OK, limit=0.0, beyond=again > 0,
        at=f"1/{1 << level} of the values" if level else math.nan,
    )  # fmt: skip


def _expected(rows: float, deviation: float) -> Expected:
    return Expected(rows, deviation / rows if rows > 0 else math.nan)


def _filled(rhythm: Rhythm) -> Rhythm:
    """The same; an hour of the week that was covered less than twice holds what all days' same hour does."""
    parts = (rhythm.rows, rhythm.covered, rhythm.squares)
    by_day = (np.tile(part.reshape(-1, _DAY).sum(axis=0), HOURS // _DAY) for part in parts)
    return Rhythm(*(np.where(rhythm.covered > 1, part, day) for part, day in zip(parts, by_day, strict=True)))


def _silent(check: str, status: Status = Status.NO_REFERENCE) -> Reading:
    nan = math.nan
    return Reading("", FAMILY, check, nan, nan, nan, nan, nan, status)
