"""One model's whole pure pipeline: feed · label · compare · expect · announce · tick · finish. Order, no arithmetic.

batch ─▶ windows ─panes, cells─▶ profiles ─merge─▶ panes ─due─▶ evaluate ─▶ reports, transitions
           │                 └─▶ segments ──────────┘
           └──▶ quality ◀─ labels                performance ─────┘

Conservation: every row fed is in the outcome once: accepted, late or a duplicate.

A window is looked at when it closes, when late rows have come for it, now and then while its labels are waited for, and
when no more of them are (see `quality.pending`). Each look but the first raises the revision. Its segments follow it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from driftwatch.evaluation.alerts import Alerts, Cell
from driftwatch.evaluation.book import AlertBook
from driftwatch.evaluation.detectors import Detectors
from driftwatch.evaluation.evaluate import Evaluator, Look, Recalled
from driftwatch.evaluation.outcome import Outcome
from driftwatch.evaluation.report import Performance, Window
from driftwatch.evaluation.segments import Sight
from driftwatch.quality.attendance import Again, Attendance
from driftwatch.quality.control import ControlSets
from driftwatch.quality.control_alerts import moved
from driftwatch.quality.pending import Decided, WindowKey
from driftwatch.quality.quality import Quality
from driftwatch.quality.segments import WHOLE
from driftwatch.stream.batch import Batch, Labels
from driftwatch.stream.control import Controls
from driftwatch.stream.dimensions import UNDIVIDED, Dimensions, Members
from driftwatch.stream.join.joined import Joined
from driftwatch.stream.seen import Seen, event_hashes
from driftwatch.stream.versions import Versions
from driftwatch.stream.windows import Step, Windows
from driftwatch.summaries.against import Against
from driftwatch.summaries.profile import Profile, cells_of, profiles
from driftwatch.summaries.segment_panes import PaneKey, SegmentPanes
from driftwatch.summaries.segmented import segment_numbers

REMEMBERED = 1_000_000
"""Event ids that a model remembers, 10 bytes each, to know an event that is sent again."""


@dataclass(slots=True)
class Memory:
    """All that a monitor must not forget, beside `Windows.progress`.

    panes: profiles by pane and version. revisions: (window end, version) → revision last reported.
    touched: panes that took rows since windows last closed. issued: windows up to this end have been reported.
    seen: the ids of the last events, by version: a canary scores the same event again, and that is no duplicate.
    against: what windows are compared with, where it is not the reference that was built.
    """

    panes: dict[PaneKey, Profile] = field(default_factory=dict)
    revisions: dict[PaneKey, int] = field(default_factory=dict)
    touched: set[PaneKey] = field(default_factory=set)
    issued: int = np.iinfo(np.int64).min // 4
    alerts: Alerts = field(default_factory=Alerts)
    versions: Versions = field(default_factory=Versions)
    seen: Seen = field(default_factory=lambda: Seen(REMEMBERED))
    controls: ControlSets | None = None
    attendance: Attendance | None = None
    detectors: Detectors = field(default_factory=Detectors)
    against: Against = field(default_factory=Against)


class Monitor:
    """Watches one model. Told the time and the rows; returns what there is to say."""

    def __init__(
        self,
        model: str,
        *,
        windows: Windows,
        evaluator: Evaluator,
        quality: Quality | None = None,
        memory: Memory | None = None,
        dimensions: Dimensions = UNDIVIDED,
    ) -> None:
        self.model = model
        self.layout = evaluator.layout
        self.windows, self.quality = windows, quality
        self.memory = memory or Memory()
        self.changed, self.told = set[PaneKey](), set[str]()
        self.evaluator, self.dimensions = evaluator, dimensions
        self.attendance = self.memory.attendance or Attendance(windows.spec)
        self.segments = SegmentPanes(self.layout, len(dimensions.segment_names))

    def saved(self) -> None:
        """What had changed has been saved."""
        self.changed.clear()
        self.told.clear()
        memory, others = self.memory, (self.segments, self.quality, self.attendance.repeats)
        for part in (memory.seen, memory.controls, memory.against, memory.detectors, *others):
            if part is not None:
                part.saved()

    def feed(self, batch: Batch, *, received_ms: int) -> Outcome:
        """Count one batch and report the windows that it closes."""
        outcome = Outcome()
        new = self.memory.seen.new(event_hashes(batch))
        outcome.duplicate = batch.rows - int(np.count_nonzero(new))
        again = Again(batch, new)
        if outcome.duplicate:
            batch = batch.where(new)
        groups = self.dimensions.codes(batch.numeric, batch.categorical)
        for step in self.windows.place(batch.times, batch.partition, received_ms=received_ms):
            known = len(self.memory.versions.known)
            self._add(batch.between(step.start, step.stop), step, groups[:, step.start : step.stop])
            outcome.appear(self.model, self.memory.versions.known[known:])
            late = int(np.count_nonzero(step.late))
            outcome.late += late
            outcome.accepted += step.stop - step.start - late
            if step.close is not None:
                self.attendance.again(again.until(step.stop), self.memory.versions)
                self._close(step.close, outcome)
        self.attendance.again(again.until(batch.rows + 1), self.memory.versions)
        return outcome

    def label(self, labels: Labels, *, received_ms: int) -> Joined | None:
        """Join labels with their predictions: the next looks will show it. None when this model joins no labels."""
        return None if self.quality is None else self.quality.label(labels, received_ms=received_ms)

    def compare(self, controls: Controls) -> Outcome:
        """Take answers, or labels, of golden sets; each of them may move its set's alerts at once."""
        outcome, memory = Outcome(), self.memory
        if memory.controls is not None:
            memory.alerts = moved(memory.controls, controls, memory.alerts, model=self.model, outcome=outcome)
        return outcome

    def expect(self, families: Collection[str], *, now_ms: int) -> None:
        """Families of partitions that will be announced; until they are, or idle, they hold windows open."""
        self.windows.expect(families, now_ms=now_ms)

    def announce(self, partitions: Collection[str], *, now_ms: int) -> None:
        """Partitions that will speak; until they do, or idle, they hold windows open."""
        self.windows.announce(partitions, now_ms=now_ms)

    def announce_labels(self, partitions: Collection[str], *, now_ms: int) -> None:
        """Partitions of labels; until they have spoken, or idle, no window's performance is final."""
        if self.quality is not None:
            self.quality.frontier.announce(partitions, now_ms=now_ms)

    def tick(self, *, now_ms: int) -> Outcome:
        """Let time pass: what it closes is reported."""
        outcome = Outcome()
        if self.quality is not None:
            self.quality.frontier.tick(now_ms=now_ms)
        if (due := self.windows.tick(now_ms=now_ms)) is not None:
            self._close(due, outcome)
        return outcome

    def finish(self) -> Outcome:
        """The input has ended: report every window that has rows."""
        outcome = Outcome()
        self._close(self.windows.finish(), outcome, finished=True)
        return outcome

    def recall(self) -> list[Recalled]:
        """The latest report of each version whose rows are still held, for a board to show after a restart."""
        latest = {version: end for end, version in sorted(self.memory.revisions)}
        keys = sorted((end, version) for version, end in latest.items())
        seen = self._see(keys, whole=frozenset(keys), closed=self.memory.issued)
        book = AlertBook(self.evaluator, self.memory.alerts, self.memory.detectors)
        return [
            book.recall(replace(look, revision=look.revision - 1))
            for key, sight in seen.items()
            if sight.whole.window.rows
            for look in self._looks(key, sight)
        ]

    def _add(self, batch: Batch, step: Step, groups: Members) -> None:
        if step.late.all():
            return
        names = self.memory.versions.names(batch, ~step.late)
        if self.quality is not None:
            self.quality.remember(batch, step, names, groups if self.dimensions.all else None)
        # Late rows may be of any time at all; they must not make a cell each.
        panes = np.where(step.late, step.panes[np.argmin(step.late)], step.panes)
        places, cells = cells_of(panes, batch.versions, count=len(names))
        cells[step.late] = -1
        keys = [(pane, names[version]) for pane, version in places]
        if self.attendance.repeats is not None:
            self.attendance.repeats.add(batch.uniques, cells, keys, issued=self.memory.issued)
        numbers = segment_numbers(self.dimensions, groups)
        division = self.segments.divide(keys, cells, numbers=numbers, times=batch.times, whole=self.memory.panes)
        found = profiles(batch, cells, count=len(keys), layout=self.layout, division=division)
        for key, profile in zip(keys, found, strict=True):
            if profile.rows:
                known = self.memory.panes.get(key)
                self.memory.panes[key] = profile if known is None else known.merge(profile)
                self.memory.touched.add(key)
                self.changed.add(key)

    def _close(self, due: int, outcome: Outcome, *, finished: bool = False) -> None:
        memory, quality = self.memory, self.quality
        late = self.windows.ending(memory.touched, until=memory.issued)
        if late and self.attendance.spans_versions:
            ends = {end for end, _ in late}
            late |= {key for key in self.windows.ending(memory.panes, until=memory.issued) if key[0] in ends}
        fresh = self.windows.ending(memory.panes, after=memory.issued, until=due)
        missed = self.attendance.close(memory.issued, due, fresh, memory.panes, finished=finished)
        fresh |= missed
        again = quality.due(due, finished=finished) if quality is not None else set()
        seen = self._see(sorted(late | fresh | again), whole=late | fresh, closed=due, finished=finished, closing=True)
        book = AlertBook(self.evaluator, memory.alerts, memory.detectors)
        for key, sight in seen.items():
            decided = set(sight.decided)
            if key in late | fresh or (quality is not None and quality.has_news(key, sight.whole)):
                for finding in book.evaluate_all(self._looks(key, sight)):
                    outcome.add(finding, memory.versions.known)
                    decided |= {(rule, finding.report.segment) for rule in finding.decided}
                memory.revisions[key] = sight.whole.revision
            if quality is not None and key not in missed:
                quality.looked(key, sight.whole, decided=frozenset(decided), closed=due)
        memory.alerts, memory.touched, memory.issued = book.alerts, set(), max(memory.issued, due)
        if quality is not None:
            quality.forget(due, finished=finished)
        self._forget()
        self.segments.pack(due)

    def _see(
        self, keys: Sequence[WindowKey], *, whole: Collection[WindowKey], closed: int, finished: bool = False,
        closing: bool = False,
    ) -> dict[WindowKey, Sight]:  # fmt: skip
        """Look at windows, all at once; of those that are not `whole`, only at what their labels and scores say."""
        profiles = {key: self._window(*key) for key in keys if key in whole}
        bounds = {key: self._bounds(key, profiles.get(key)) for key in keys}
        performances: dict[WindowKey, dict[str, Performance]] = {key: {} for key in keys}
        decided: Mapping[WindowKey, frozenset[Decided]] = {}
        followed: Collection[WindowKey] = ()
        if self.quality is not None:
            for key, window in bounds.items():
                bounds[key] = replace(window, stage=self.quality.stage(window, closed, finished=finished))
            for (key, segment), said in self.quality.performances(bounds, whole=whole, closing=closing).items():
                performances[key][segment] = said
            decided, followed = self.quality.decided, self.quality.known.windows
        seen, panes, against = {}, self.memory.panes, self.memory.against
        for key, window in bounds.items():
            judged = decided.get(key, frozenset())
            look = Look(
                cell=Cell(self.model, key[1], WHOLE),
                window=window,
                revision=self.memory.revisions.get(key, 0) + 1,
                profile=profiles.get(key),
                performance=performances[key].get(WHOLE),
                decided=frozenset(rule for rule, segment in judged if segment == WHOLE),
                stream=self.attendance.readings(key, panes, rows=window.rows) if key in whole else (),
                reference=against.reference((window.start_ms, window.end_ms), profiles.get(key), panes),
                apart=self.windows.spec.rows is not None or not key[0] % (self.windows.spec.size or 1),
                versions=len(self.windows.within(key[0], panes) | {name for end, name in followed if end == key[0]}),
            )
            seen[key] = Sight(look, performances[key], judged)
        return seen

    def _looks(self, key: WindowKey, sight: Sight) -> Iterator[Look]:
        """The window as a whole and then its segments."""
        end, version = key
        state = None
        if self.segments.count and sight.whole.profile is not None:
            panes = ((pane, version) for pane in self.windows.panes_of(end))
            state = self.segments.window(pane for pane in panes if pane in self.memory.panes)
        return sight.looks(state, self.dimensions.segment_names)

    def _window(self, end: int, version: str) -> Profile:
        held = [self.memory.panes.get((pane, version)) for pane in self.windows.panes_of(end)]
        total = Profile.empty(self.layout)
        for profile in held:
            total = total if profile is None else total.merge(profile)
        return total

    def _bounds(self, key: WindowKey, profile: Profile | None) -> Window:
        end, _ = key
        if profile is None:
            assert self.quality is not None
            return self.quality.known.windows[key].window
        if self.windows.spec.rows is not None:  # a counted window is where its rows are
            return Window(profile.first_ms, profile.last_ms, profile.rows, ordinal=end - 1)
        return Window(end - (self.windows.spec.size or 0), end, profile.rows)

    def _forget(self) -> None:
        before = self.windows.forget_before()
        gone = {key: pane for key, pane in self.memory.panes.items() if key[0] < before}
        self.memory.against.let_go(gone, before=before)
        for key in gone:
            del self.memory.panes[key]
            self.changed.add(key)
            self.segments.forget(key)
        revisions = self.memory.revisions
        followed = self.quality.known.windows if self.quality is not None else {}
        for key in [key for key in revisions if self.windows.panes_of(key[0]).start < before and key not in followed]:
            del revisions[key]
        self.attendance.forget(before)
        live = {version for _, version in (*self.memory.panes, *followed)}
        self.memory.versions.keep(live)
        self.memory.detectors.keep(live)
