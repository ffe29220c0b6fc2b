"""What has become of one model's labels and predictions since the beginning, for whoever shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.joined import Joined, Settled, Totals

DELAY_BOUNDS_SECONDS = (
    1, 10, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000, 7_776_000,
)  # fmt: skip
"""From a prediction to its label: a click comes within seconds, a default within months."""

RESULTS = tuple(each.name for each in fields(Joined) if each.name not in {"settled", "remembered"})
UNMATCHED, EXPIRED_UNLABELLED = "unmatched", "expired_unlabelled"
"""Labels that waited in vain for a prediction; predictions that waited in vain for a label."""
ALL_RESULTS = (*RESULTS, UNMATCHED, EXPIRED_UNLABELLED)


@dataclass(frozen=True, slots=True)
class Delays:
    """Labels by their delay: counts of each bucket of DELAY_BOUNDS_SECONDS and beyond, and the sum, seconds."""

    counts: tuple[int, ...] = (0,) * (len(DELAY_BOUNDS_SECONDS) + 1)
    total_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it. results: see ALL_RESULTS. delays, coverage: by version. rate: share of predictions remembered.

    held: version → the predictions that are remembered now. waiting_labels: labels that wait for a prediction now.
    """

    results: Mapping[str, int]
    delays: Mapping[str, Delays]
    coverage: Mapping[str, float]
    rate: float
    held: Mapping[str, Totals] = field(default_factory=dict)
    waiting_labels: int = 0


@dataclass(slots=True)
class Counting:
    """The part that is counted as it happens, and must survive."""

    results: dict[str, int] = field(default_factory=dict)
    delays: dict[str, Delays] = field(default_factory=dict)

    def add(self, joined: Joined, names: Mapping[int, str]) -> None:
        """Count what a batch came to; names: version codes → versions."""
        for name in RESULTS:
            self.count(name, getattr(joined, name))
        if joined.settled.rows:
            self._observe(joined.settled, names)

    def count(self, result: str, rows: int) -> None:
        """Count rows of one result."""
        if rows:
            self.results[result] = self.results.get(result, 0) + rows

    def _observe(self, settled: Settled, names: Mapping[int, str]) -> None:
        seconds: NDArray[np.float64] = settled.delays_ms / 1000
        places = np.searchsorted(DELAY_BOUNDS_SECONDS, seconds)
        for code in np.unique(settled.versions).tolist():
            own = settled.versions == code
            before = self.delays.get(names[code], Delays())
            counts = np.bincount(places[own], minlength=len(before.counts)) + before.counts
            self.delays[names[code]] = Delays(tuple(counts.tolist()), before.total_seconds + float(seconds[own].sum()))
