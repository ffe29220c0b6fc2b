"""Counts that many threads add to and a scrape reads: every key exists, as 0, from the start."""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

Key = tuple[str, ...]


class Tally:
    """Counts by label values. The keys are closed: adding to another one is a bug and raises KeyError."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(keys, 0)

    def add(self, key: Key, count: int = 1) -> None:
        """Count something once or `count` times; count ≥ 0."""
        with self._lock:
            self._counts[key] += count

    def counts(self) -> dict[Key, float]:
        """Copy the counts as of now."""
        with self._lock:
            return dict(self._counts)

    def restore(self, counts: Mapping[Key, int]) -> None:
        """Go on from saved counts; keys that the configuration no longer has are left out."""
        with self._lock:
            self._counts |= {key: count for key, count in counts.items() if key in self._counts}


class Histogram:
    """How often a value was at most each bound, and the sum of all values. bounds: increasing, without +Inf."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._lock = threading.Lock()
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        with self._lock:
            self._counts[bisect_left(self._bounds, value)] += 1
            self._sum += value

    def held(self) -> tuple[list[int], float]:
        """Give the counts of each bucket alone, and the sum."""
        with self._lock:
            return list(self._counts), self._sum

    def restore(self, counts: Sequence[int], total: float) -> None:
        """Go on from what was held; other bounds than now leave everything as it is."""
        with self._lock:
            if len(counts) == len(self._counts):
                self._counts, self._sum = list(counts), total

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """Give the cumulative counts by upper bound, "+Inf" last, and the sum."""
        with self._lock:
            counts, total = list(self._counts), self._sum
        names = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        return [(name, sum(counts[: place + 1])) for place, name in enumerate(names)], total
