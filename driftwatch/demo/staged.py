"""What the demo stages in a true year: a canary with a lower threshold, and three days without a distance.

Nothing else is made up: scores, labels and times are those of the bundle.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHAMPION, CANARY = "1", "2"
CANARY_SHARE = 0.25
THRESHOLD, CANARY_THRESHOLD = 0.5, 0.2
"""The canary's scores are the champion's; it calls more flights late, to miss fewer of them."""


def _midnight_ms(month: int, day: int) -> int:
    return round(datetime(2013, month, day, tzinfo=UTC).timestamp() * 1000)


CANARY_MS = _midnight_ms(4, 8), _midnight_ms(5, 6)
"""[first, end) of the four weeks in which the canary answers for a share of the flights."""
FAULT_COLUMN, FAULT_MS = "distance", (_midnight_ms(8, 13), _midnight_ms(8, 16))
"""The column that is not sent in [first, end): 13 to 15 August."""

_SPREAD, _MODULUS = 2_654_435_761, 2**32


def staged(predictions: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Put the canary and the fault into a part's predictions; `score` and `time` decide, always in the same way."""
    times, score = predictions["time"], predictions["score"]
    rows = np.arange(len(times), dtype=np.uint64)
    # Knuth's multiplicative hash: neighbours in time do not all go to one version.
    drawn = rows * np.uint64(_SPREAD) % np.uint64(_MODULUS) < CANARY_SHARE * _MODULUS
    canary = _within(times, CANARY_MS) & drawn
    column = predictions[FAULT_COLUMN].astype(object)
    column[_within(times, FAULT_MS)] = None
    said = {
        "version": np.where(canary, CANARY, CHAMPION).astype(object),
        "prediction": (score >= np.where(canary, CANARY_THRESHOLD, THRESHOLD)).astype(np.int64),
        FAULT_COLUMN: column,
    }
    return {name: said.get(name, values) for name, values in predictions.items()}


def _within(times: NDArray[np.int64], span_ms: tuple[int, int]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (times >= span_ms[0]) & (times < span_ms[1])
    return found
