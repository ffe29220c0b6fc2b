"""A small stream with everything in it: two versions, rows out of order, late and malformed, a drift that ends.

Times are in the past, so that what is from the future is the same for every source and every clock.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MINUTE, HOUR = 60_000, 3_600_000
START = 1_767_571_200_000  # 2026-01-05T00:00:00Z
SIZE, SLIDE, LATENESS, KEEP = HOUR, HOUR // 2, 2 * MINUTE, HOUR // 2
HOURS = 6
DRIFT_HOURS = (2, 3)
MODEL = "fraud"

MALFORMED: tuple[tuple[bytes, str], ...] = (
    (b'{"model": "fraud", "id": "m1", "time": "yesterday", "features": {"amount": 1}}', "bad_time"),
    (b'{"model": "fraud", "id": "m2", "time": "2900-01-01T00:00:00Z", "features": {"amount": 1}}', "future"),
    (b'{"model": "fraud", "features": {"amount": 1', "not_json"),
    (b'{"model": "nobody", "time": 1767571200000, "features": {"amount": 1}}', "unknown_model"),
    (b'{"time": 1767571200000, "features": {"amount": 1}}', "missing_model"),
    (b'{"model": "fraud", "time": 1767571200000, "features": {"amount": 1}}', "missing_id"),
    (b'"an event"', "not_object"),
)


@dataclass(frozen=True)
class Flow:
    """Events as lines, and what must become of them: rows too late, sent again, and refused ones by reason."""

    lines: tuple[bytes, ...]
    late: int
    duplicate: int
    rejected: Counter[str]

    @property
    def accepted(self) -> int:
        """How many must be counted in windows."""
        return len(self.lines) - self.late - self.duplicate - self.rejected.total()

    def results(self) -> dict[str, int]:
        """The counts that `driftwatch_events_total` must show, by result."""
        return {
            "accepted": self.accepted, "late": self.late, "duplicate": self.duplicate,
            "rejected": self.rejected.total(),
        }  # fmt: skip


def values(rng: np.random.Generator, *, drifted: bool) -> dict[str, object]:
    """The features of one event."""
    amount = rng.lognormal(1.0 if drifted else 0.0, 0.5)
    countries = ["FR", "FR", "US"] if drifted else ["DE", "FR", "US"]
    return {
        "amount": None if rng.random() < 0.02 else round(float(amount), 6),
        "age": int(rng.integers(18, 80)),
        "delay": round(float(rng.normal()), 6),
        "country": countries[rng.integers(3)],
        "channel": "shop" if rng.random() < 0.6 else "web",
    }


def event(rng: np.random.Generator, time_ms: int, *, version: str, drifted: bool = False) -> bytes:
    """One prediction as JSON."""
    document = {
        "model": MODEL, "version": version, "id": f"e{rng.integers(2**48):x}", "time": time_ms,
        "score": round(float(rng.beta(2, 5)), 6), "features": values(rng, drifted=drifted),
    }  # fmt: skip
    return json.dumps(document).encode()


def flow(*, seed: int = 7, rows_an_hour: int = 500) -> Flow:
    """Six hours of events in the order in which they arrive; hours 2 and 3 have drifted."""
    rng = np.random.default_rng(seed)
    step = HOUR // rows_an_hour
    lines: list[bytes] = []
    times: list[int] = []
    again: list[bytes] = []
    rejected: Counter[str] = Counter()
    for row in range(HOURS * rows_an_hour):
        now = START + row * step
        # Most rows are somewhat out of order, some so late that their window is reported again, few too late at all.
        delay = rng.choice([0, 90_000, 20 * MINUTE, 3 * HOUR], p=[0.6, 0.385, 0.01, 0.005])
        time_ms = max(START, now - int(rng.integers(delay + 1)) if delay < HOUR else now - int(delay))
        version = "2" if row > rows_an_hour and row % 3 == 0 else "1"
        drifted = DRIFT_HOURS[0] <= (time_ms - START) // HOUR <= DRIFT_HOURS[1]
        lines.append(event(rng, time_ms, version=version, drifted=drifted))
        times.append(time_ms)
        if row % 40 == 20:
            again.append(lines[-1])
        if row % 40 == 30:  # a producer that did not hear the answer
            lines.append(again[-1])
        if row % 50 == 49:
            body, reason = MALFORMED[row // 50 % len(MALFORMED)]
            lines.append(body)
            rejected[reason] += 1
    return Flow(tuple(lines), too_late(times), len(again), rejected)


def calm_then_drifted(*, hours: int, drifted: range, seed: int = 5, rows_an_hour: int = 300) -> list[bytes]:
    """Events of one version, in order and all good; whole hours have drifted."""
    rng = np.random.default_rng(seed)
    return [
        event(rng, START + row * HOUR // rows_an_hour, version="1", drifted=row // rows_an_hour in drifted)
        for row in range(hours * rows_an_hour)
    ]


def too_late(times: Sequence[int]) -> int:
    """How many rows of one partition come after their pane was given up: one by one, as the rule is written."""
    reached, count = 0, 0
    for time_ms in times:
        reached = max(reached, time_ms)
        pane_end = time_ms // SLIDE * SLIDE + SLIDE
        count += pane_end + KEEP <= reached - LATENESS
    return count


def portions(lines: Sequence[bytes], *, seed: int = 3, most: int = 200) -> list[bytes]:
    """Newline-delimited bodies of changing sizes that hold the lines in order."""
    rng = np.random.default_rng(seed)
    bodies, start = [], 0
    while start < len(lines):
        stop = start + int(rng.integers(1, most))
        bodies.append(b"\n".join(lines[start:stop]))
        start = stop
    return bodies
