"""The watermark against a model that takes one row at a time, over generated histories of rows, silence and ticks."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from driftwatch.stream.windows import NEVER, Windows, WindowSpec
from tests.timeline import spec

NAMES = st.sampled_from("abc")


class Model:
    """What the watermark is, by its definition, one row at a time."""

    def __init__(self, form: WindowSpec) -> None:
        self.form = form
        self.greatest: dict[str, int] = {}
        self.heard: dict[str, int] = {}
        self.idle: set[str] = set()
        self.expected: dict[str, int] = {}
        self.closed = NEVER

    def row(self, name: str, time: int, now: int) -> bool:
        """Take one row; whether it is too late."""
        before = self.closed
        self.heard[name] = now
        self.idle.discard(name)
        self.greatest[name] = max(time, self.greatest.get(name, NEVER))
        end = time // self.form.pane_ms * self.form.pane_ms + self.form.pane_ms
        late = end + self.form.keep <= max(self.greatest[name] - self.form.lateness, before)
        self.follow(min(greatest for other, greatest in self.greatest.items() if other not in self.idle))
        return late

    def tick(self, now: int) -> None:
        """Who has been silent for longer than idle_after idles; when all do, the clock goes on for them."""
        expected = {name: since for name, since in self.expected.items() if now - since <= self.form.idle_after}
        self.expected = expected
        self.idle = {name for name, heard in self.heard.items() if now - heard > self.form.idle_after}
        awake = [greatest for name, greatest in self.greatest.items() if name not in self.idle]
        spoken = [greatest for greatest in self.greatest.values() if greatest > NEVER]
        if awake:
            self.follow(min(awake))
        elif spoken:
            self.follow(max(spoken) + now - max(self.heard.values()) - self.form.idle_after)

    def follow(self, frontier: int) -> None:
        if frontier > NEVER and not self.expected:
            pane = self.form.pane_ms
            self.closed = max(self.closed, (frontier - self.form.lateness) // pane * pane)


class Watermark(RuleBasedStateMachine):
    """Windows and the model live through the same history."""

    @initialize(form=st.sampled_from([
        spec(size=10, lateness=3, idle_after=20, keep=7),
        spec(size=20, slide=5, lateness=0, idle_after=1, keep=0),
        spec(size=7, lateness=30, idle_after=20, keep=100),
    ]))  # fmt: skip
    def begin(self, form: WindowSpec) -> None:
        self.windows, self.model = Windows(form), Model(form)
        self.now, self.time = 0, 0

    @rule(name=NAMES, jumps=st.lists(st.integers(-40, 15), min_size=1, max_size=8))
    def rows(self, name: str, jumps: list[int]) -> None:
        """A batch of one partition: its late rows, and what it closes, are the model's."""
        times = [self.time + jump for jump in jumps]
        self.time = max(self.time, *times)
        expected_late, expected_closes = [], []
        for place, time in enumerate(times):
            before = self.model.closed
            expected_late.append(self.model.row(name, time, self.now))
            if self.model.closed > before:
                expected_closes.append((place + 1, self.model.closed))
        steps = list(self.windows.place(np.array(times), name, received_ms=self.now))
        assert [bool(late) for step in steps for late in step.late] == expected_late
        assert [(step.stop, step.close) for step in steps if step.close is not None] == expected_closes

    @rule(names=st.sets(NAMES))
    def announce(self, names: set[str]) -> None:
        """Partitions are said to exist, known ones again."""
        self.windows.announce(names, now_ms=self.now)
        for name in names:
            self.model.expected.pop(name, None)
        for name in names - set(self.model.greatest):
            self.model.greatest[name] = NEVER
            self.model.heard[name] = self.now

    @rule(names=st.sets(NAMES, min_size=1))
    def expect(self, names: set[str]) -> None:
        """Partitions are to come, be they known or not."""
        self.windows.expect(names, now_ms=self.now)
        self.model.expected |= dict.fromkeys(names, self.now)

    @rule(milliseconds=st.integers(0, 45))
    def tick(self, milliseconds: int) -> None:
        """Time passes: what idles and what becomes due is the model's, in the first tick after the time-out."""
        self.now += milliseconds
        before = self.model.closed
        self.model.tick(self.now)
        due = self.windows.tick(now_ms=self.now)
        assert due == (self.model.closed if self.model.closed > before else None)

    @rule()
    def restart(self) -> None:
        """Progress is all that is kept; silence is measured from the next tick on."""
        self.windows = Windows(self.windows.spec, self.windows.progress)
        self.windows.tick(now_ms=self.now)
        self.model.heard = dict.fromkeys(self.model.heard, self.now)
        self.model.idle = set()
        self.model.expected = {}
        self.model.tick(self.now)

    @invariant()
    def agrees(self) -> None:
        """Greatest times, idle partitions and the closing point are the model's; nothing ever runs away."""
        if not hasattr(self, "model"):
            return
        progress = self.windows.progress
        assert dict(progress.greatest) == self.model.greatest
        assert progress.idle == self.model.idle
        assert self.windows.expected == set(self.model.expected)
        assert max(progress.closed_ms, NEVER) == self.model.closed
        latest = max((greatest for greatest in self.model.greatest.values()), default=NEVER)
        assert progress.closed_ms <= max(NEVER, latest + self.now)


TestWatermark = Watermark.TestCase
TestWatermark.settings = settings(deadline=None, max_examples=60, stateful_step_count=25)
