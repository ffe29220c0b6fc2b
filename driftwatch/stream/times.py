"""When an event happened: RFC 3339 or epoch milliseconds, in ms since the epoch."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from driftwatch.stream.batch import Floats, Ints

# Year 1 is what several languages write for "no time"; windows also need room for a whole size before the first row.
EARLIEST_MS = round(datetime(1800, 1, 1, tzinfo=UTC).timestamp() * 1000)
LATEST_MS = round(datetime(9999, 12, 30, tzinfo=UTC).timestamp() * 1000)
BAD_TIME = LATEST_MS + 1
"""Stands for a time that cannot be read; later than any that can."""

TIMELESS = EARLIEST_MS - 1
"""Stands for the time of a label that has none of its own: its prediction's. Earlier than any that can be read."""

# A float of seconds errs by less than 0.5 µs until 2106; half a microsecond keeps 0.999 s from becoming 0.998 s, and is
# too little to lift the last microsecond of a millisecond into the next.
_NUDGE_MS = 5e-4


def times_ms(values: Sequence[Any], fallback: Ints) -> Ints:
    """Event times in ms, (rows,): datetimes and numbers as they come, `fallback` where there is none.

    Fractions of a millisecond are cut off. What is neither, or outside the years 1800 to 9999, becomes BAD_TIME.
    """
    kinds = set(map(type, values))
    if kinds == {datetime}:
        seconds = np.fromiter(map(datetime.timestamp, values), np.float64, len(values))
        times = np.floor(seconds * 1000 + _NUDGE_MS).astype(np.int64)
        return np.where((times < EARLIEST_MS) | (times > LATEST_MS), BAD_TIME, times)
    if kinds == {type(None)}:
        return fallback
    if kinds <= {int, float} and (given := _floats(values)) is not None:
        inside = (given >= EARLIEST_MS) & (given <= LATEST_MS)
        return np.where(inside, np.floor(np.where(inside, given, 0.0)), BAD_TIME).astype(np.int64)
    return np.fromiter(map(_time_ms, values, fallback.tolist()), np.int64, len(values))


def _floats(values: Sequence[float]) -> Floats | None:
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:  # an integer beyond all floats, which spoils no time but its own
        return None


def _time_ms(value: Any, fallback: int) -> int:
    if value is None:
        return fallback
    if isinstance(value, datetime):
        value = value.timestamp() * 1000 + _NUDGE_MS
    if isinstance(value, int | float) and not isinstance(value, bool) and EARLIEST_MS <= value <= LATEST_MS:
        return math.floor(value)
    return BAD_TIME


def parse_time(value: Any) -> Any:
    """A JSON value as a time that `times_ms` reads: text becomes a datetime, or BAD_TIME when it is no RFC 3339."""
    if not isinstance(value, str):
        return value if value is None or (isinstance(value, int | float) and not isinstance(value, bool)) else BAD_TIME
    try:
        moment = msgspec.convert(value, datetime)
    except (msgspec.ValidationError, UnicodeEncodeError):  # the second: a lone surrogate
        return BAD_TIME
    return moment if moment.tzinfo is not None else BAD_TIME
