"""What one seed decides beforehand, the virtual clock, and the tally of what went wrong on purpose."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tests.simulation.models import FORMS, FRAUD, NEVER_MS, SPAM, START_MS

DAY_MS = 86_400_000
PATIENT_MS = 3_600_000
"""Longer than the events of ordered runs reach."""


class Mode(StrEnum):
    """How events come, and with it what can be promised.

    LOG: partitions, always read in one order; POST: one HTTP client. No partition idles, so that an uninterrupted run
    of the same input must say the same. FREE: everything at once in any order, and idle partitions.
    """

    LOG = "log"
    POST = "post"
    FREE = "free"


@dataclass(frozen=True)
class Plan:
    """One seed's world. keyed: HTTP clients name their bodies. wildness: how often something goes wrong.

    wait_ms: how long labels are waited for; in PATIENT worlds they all come in time.
    """

    mode: Mode
    forms: dict[str, str]
    idle_after_ms: int
    keep_ms: int
    wait_ms: int
    partitions: int
    events: int
    queue_records: int
    inbox_bytes: int
    cooldown_ms: int
    keyed: bool
    wildness: float


def make_plan(dice: Random) -> Plan:
    """Draw a plan."""
    mode = dice.choice([Mode.LOG, Mode.POST, Mode.FREE, Mode.FREE])
    return Plan(
        mode=mode,
        forms={FRAUD: dice.choice(FORMS[:2]), SPAM: dice.choice(FORMS)},
        idle_after_ms=20_000 if mode is Mode.FREE else NEVER_MS,
        keep_ms=dice.choice([20_000, 60_000, 300_000]),
        wait_ms=PATIENT_MS if mode is Mode.POST else dice.choice([15_000, PATIENT_MS]),
        partitions=dice.choice([1, 2, 3]),
        events=dice.randint(30, 70),
        queue_records=dice.choice([12, 30, 60]),
        inbox_bytes=dice.choice([1_500, 1 << 20]),
        cooldown_ms=dice.choice([0, 60_000, DAY_MS]),
        keyed=dice.random() < 0.5,
        wildness=dice.choice([0.3, 1.0, 1.0, 2.0]),
    )


class Clock:
    """The wall clock of the simulated machine."""

    def __init__(self) -> None:
        # Events of ordered runs are dated from START_MS on; the day after, none of them is from the future.
        self.now_ms = START_MS + DAY_MS

    def __call__(self) -> int:
        return self.now_ms


class Trace:
    """What happened, in order, and how often which fault was injected."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lines: list[str] = []
        self.faults: Counter[str] = Counter()

    def note(self, line: str) -> None:
        self.lines.append(f"{(self._clock.now_ms - START_MS - DAY_MS) / 1000:10.1f}s  {line}")

    def fault(self, kind: str, detail: str = "") -> None:
        self.faults[kind] += 1
        self.note(f"! {kind} {detail}")
