"""What has become of one model's labels and predictions since the beginning, for whoever shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.join.joined import Joined, Settled, Totals

DELAY_BOUNDS_SECONDS = (
    1, 10, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000, 7_776_000,
)  # fmt: skip
"""From a prediction to its label: a click comes within seconds, a default within months."""

RECEIVED = ("matched", "cancelled", "duplicate", "corrected", "outdated", "waiting", "sampled_out")
"""What a label is when it comes: labels received are their sum."""
FOUND, UNMATCHED = "found", "unmatched"
WAITED = (FOUND, UNMATCHED, "crowded_out", "thinned_labels")
"""What becomes of those that were waiting: with those that still wait, their sum is `waiting`."""
EXPIRED_UNLABELLED = "expired_unlabelled"
PREDICTIONS = ("without_id", "expired", "thinned", EXPIRED_UNLABELLED)
"""Predictions that no label can be joined with, and those that were forgotten without one."""
ALL_RESULTS = (*RECEIVED, *WAITED, *PREDICTIONS)


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

    def add_labels(self, joined: Joined) -> None:
        """Count what labels came to."""
        for name in (*RECEIVED, "crowded_out"):
            self.count(name, getattr(joined, name))

    def add_predictions(self, joined: Joined, *, found: int) -> None:
        """Count what predictions came to; found: labels that had waited for one of them."""
        self.count(FOUND, found)
        for name in ("without_id", "expired", "thinned", "thinned_labels"):
            self.count(name, getattr(joined, name))

    def count(self, result: str, rows: int) -> None:
        """Count rows of one result."""
        if rows:
            self.results[result] = self.results.get(result, 0) + rows

    def observe(self, settled: Settled, names: Mapping[int, str]) -> None:
        """Note how late labels were; names: version codes → versions."""
        seconds: NDArray[np.float64] = settled.delays_ms / 1000
        places = np.searchsorted(DELAY_BOUNDS_SECONDS, seconds)
        for code in np.unique(settled.versions).tolist():
            own = settled.versions == code
            before = self.delays.get(names[code], Delays())
            counts = np.bincount(places[own], minlength=len(before.counts)) + before.counts
            self.delays[names[code]] = Delays(tuple(counts.tolist()), before.total_seconds + float(seconds[own].sum()))
