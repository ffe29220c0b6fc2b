"""How long incidents take, in words: what a person reads of the means that the overview has as numbers."""

from collections.abc import Mapping
from typing import Final

from driftwatch.evaluation.incidents import Stretch

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNITS: Final = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s"))
_TOLD: Final = {Stretch.RECOVER: "mean time to recovery", Stretch.DEPLOY: "time to deploy"}


def duration_words(seconds: float) -> str:
    """Write a duration of at least 0 s with its two greatest units: "2 h 10 min", "45 s", "3 d"."""
    rest = round(seconds)
    if rest >= _HOUR:
        rest = round(rest / _MINUTE) * _MINUTE
    if rest >= _DAY:
        rest = round(rest / _HOUR) * _HOUR
    parts = []
    for size, unit in _UNITS:
        whole, rest = divmod(rest, size)
        if whole:
            parts.append(f"{whole} {unit}")
    return " ".join(parts) or "0 s"


def times_words(times: Mapping[Stretch, tuple[int, float]]) -> list[str]:
    """Tell the mean times to recovery and to a new version, of as many incidents as got so far; none before the first.

    times: how many incidents have ended a stretch, and the sum of its seconds.
    """
    return [
        f"{words} {duration_words(total / count)} ({count} {'incident' if count == 1 else 'incidents'})"
        for stretch, words in _TOLD.items()
        for count, total in [times.get(stretch, (0, 0.0))]
        if count
    ]
