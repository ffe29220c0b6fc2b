"""One model's whole pure pipeline: feed · label · expect · announce · tick · finish. Order, no arithmetic.

batch ─▶ windows ─panes, cells─▶ profiles ─merge─▶ panes ─due─▶ evaluate ─▶ reports, transitions
           └──▶ quality ◀─ labels                performance ─────┘

Conservation: every row fed is in the outcome once: accepted, late or a duplicate.

A window is looked at when it closes, when late rows have come for it, now and then while its labels are waited for, and
when no more of them are (see `quality.pending`). Each look but the first raises the report's revision.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from driftwatch.evaluation.alerts import Alerts, Cell, Transition
from driftwatch.evaluation.evaluate import Evaluator, Look, Recalled
from driftwatch.evaluation.report import Performance, Report, Window
from driftwatch.quality.pending import WindowKey
from driftwatch.quality.quality import Quality
from driftwatch.quality.segments import WHOLE
from driftwatch.stream.batch import Batch, Codes, Ints, Labels
from driftwatch.stream.join.joined import Joined
from driftwatch.stream.seen import Seen, event_hashes
from driftwatch.stream.windows import Step, Windows
from driftwatch.summaries.profile import Profile, profiles

MAX_VERSIONS = 64
REMEMBERED = 1_000_000
"""Event ids that a model remembers, to know an event that is sent again: 10 bytes each."""
OTHER_VERSION = "_other"
"""Versions beyond the first MAX_VERSIONS are counted together: a version is a payload value and must be bounded."""


@dataclass(slots=True)
class Outcome:
    """What came of one call: rows counted, too late or known already; reports and alert transitions in order."""

    accepted: int = 0
    late: int = 0
    duplicate: int = 0
    reports: list[Report] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)


PaneKey = tuple[int, str]
"""A pane's start (or ordinal) and the version."""


@dataclass(slots=True)
class Memory:
    """All that a monitor must not forget, beside `Windows.progress`.

    panes: profiles by pane and version. revisions: (window end, version) → revision last reported.
    touched: panes that took rows since windows last closed. issued: windows up to this end have been reported.
    seen: the ids of the last events, by version: a canary scores the same event again, and that is no duplicate.
    """

    panes: dict[PaneKey, Profile] = field(default_factory=dict)
    revisions: dict[PaneKey, int] = field(default_factory=dict)
    touched: set[PaneKey] = field(default_factory=set)
    issued: int = np.iinfo(np.int64).min // 4
    alerts: Alerts = field(default_factory=Alerts)
    versions: list[str] = field(default_factory=list)
    seen: Seen = field(default_factory=lambda: Seen(REMEMBERED))


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
        max_versions: int = 0,
    ) -> None:
        self.model = model
        self.layout = evaluator.layout
        self.windows = windows
        self.quality = quality
        self.memory = memory or Memory()
        self._max_versions = max_versions or MAX_VERSIONS
        self.changed: set[PaneKey] = set()
        self.told: set[str] = set()
        self.evaluator = evaluator

    def saved(self) -> None:
        """What had changed has been saved."""
        self.changed.clear()
        self.told.clear()
        self.memory.seen.saved()
        if self.quality is not None:
            self.quality.saved()

    def feed(self, batch: Batch, *, received_ms: int) -> Outcome:
        """Count one batch and report the windows that it closes."""
        outcome = Outcome()
        new = self.memory.seen.new(event_hashes(batch))
        outcome.duplicate = batch.rows - int(np.count_nonzero(new))
        if outcome.duplicate:
            batch = batch.where(new)
        for step in self.windows.place(batch.times, batch.partition, received_ms=received_ms):
            self._add(batch.between(step.start, step.stop), step)
            late = int(np.count_nonzero(step.late))
            outcome.late += late
            outcome.accepted += step.stop - step.start - late
            if step.close is not None:
                self._close(step.close, outcome)
        return outcome

    def label(self, labels: Labels, *, received_ms: int) -> Joined | None:
        """Join labels with their predictions: the next looks will show it. None when this model joins no labels."""
        return None if self.quality is None else self.quality.label(labels, received_ms=received_ms)

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
        due = self.windows.tick(now_ms=now_ms)
        if due is not None:
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
        looks = self._looks(keys, whole=frozenset(keys), closed=self.memory.issued)
        return [
            self.evaluator.recall(replace(look, revision=look.revision - 1), self.memory.alerts)
            for look in looks.values()
            if look.window.rows
        ]

    def _add(self, batch: Batch, step: Step) -> None:
        if step.late.all():
            return
        names = self._names(batch, step)
        if self.quality is not None:
            self.quality.remember(batch, step, names)
        # Late rows may be of any time at all; they must not make a cell each.
        panes = np.where(step.late, step.panes[np.argmin(step.late)], step.panes)
        keys, cells = _cells(panes, batch.versions, count=len(names))
        cells[step.late] = -1
        for (pane, version), profile in zip(
            keys, profiles(batch, cells, count=len(keys), layout=self.layout), strict=True
        ):
            if profile.rows:
                key = (pane, names[version])
                known = self.memory.panes.get(key)
                self.memory.panes[key] = profile if known is None else known.merge(profile)
                self.memory.touched.add(key)
                self.changed.add(key)

    def _close(self, due: int, outcome: Outcome, *, finished: bool = False) -> None:
        memory, quality = self.memory, self.quality
        late = {
            (end, version)
            for pane, version in memory.touched
            for end in self.windows.ends_of(pane)
            if end <= memory.issued
        }
        fresh = {
            (end, version)
            for pane, version in memory.panes
            for end in self.windows.ends_of(pane)
            if memory.issued < end <= due
        }
        again = quality.due(due, finished=finished) if quality is not None else set()
        looks = self._looks(sorted(late | fresh | again), whole=late | fresh, closed=due, finished=finished)
        for key, look in looks.items():
            decided = look.decided
            if key in late | fresh or (quality is not None and quality.has_news(key, look)):
                finding = self.evaluator.evaluate(look, memory.alerts)
                memory.revisions[key], memory.alerts, decided = look.revision, finding.alerts, finding.decided
                outcome.reports.append(finding.report)
                outcome.transitions += finding.transitions
            if quality is not None:
                quality.looked(key, look, decided=frozenset((rule, WHOLE) for rule in decided), closed=due)
        memory.issued = max(memory.issued, due)
        memory.touched = set()
        if quality is not None:
            quality.forget(due, finished=finished)
        self._forget()

    def _looks(
        self, keys: Sequence[WindowKey], *, whole: Collection[WindowKey], closed: int, finished: bool = False
    ) -> dict[WindowKey, Look]:
        """Look at windows, all at once; of those that are not `whole`, only at what their labels and scores say."""
        profiles = {key: self._window(*key) for key in keys if key in whole}
        bounds = {key: self._bounds(key, profiles.get(key)) for key in keys}
        performances: dict[tuple[WindowKey, str], Performance] = {}
        decided: dict[WindowKey, frozenset[str]] = {}
        if self.quality is not None:
            bounds = {
                key: replace(window, stage=self.quality.stage(window, closed, finished=finished))
                for key, window in bounds.items()
            }
            performances = self.quality.performances(bounds, whole=whole)
            decided = {
                key: frozenset(rule for rule, segment in judged if segment == WHOLE)
                for key, judged in self.quality.decided.items()
            }
        return {
            key: Look(
                cell=Cell(self.model, key[1], ""),
                window=window,
                revision=self.memory.revisions.get(key, 0) + 1,
                profile=profiles.get(key),
                performance=performances.get((key, WHOLE)),
                decided=decided.get(key, frozenset()),
            )
            for key, window in bounds.items()
        }

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
        for key in [key for key in self.memory.panes if key[0] < before]:
            del self.memory.panes[key]
            self.changed.add(key)
        revisions = self.memory.revisions
        followed = self.quality.known.windows if self.quality is not None else {}
        for key in [key for key in revisions if self.windows.panes_of(key[0]).start < before and key not in followed]:
            del revisions[key]
        # A version that is long gone gives its place to one that comes: there are more than MAX_VERSIONS in the end.
        held = {version for _, version in (*self.memory.panes, *followed)}
        self.memory.versions = [version for version in self.memory.versions if version in held]

    def _names(self, batch: Batch, step: Step) -> list[str]:
        # In the order of the rows that are counted: where a batch is cut must not decide who comes first.
        codes, first = np.unique(batch.versions[~step.late], return_index=True)
        counted = {int(code): self._version(batch.version_names[code]) for code in codes[np.argsort(first)]}
        return [counted.get(code, OTHER_VERSION) for code in range(len(batch.version_names))]

    def _version(self, name: str) -> str:
        if name in self.memory.versions:
            return name
        if len(self.memory.versions) >= self._max_versions:
            return OTHER_VERSION
        self.memory.versions.append(name)
        return name


def _cells(panes: Ints, versions: Codes, *, count: int) -> tuple[list[tuple[int, int]], Ints]:
    """Name each pane and version of some rows, and give each row its cell, (rows,)."""
    if count == 1 and panes[0] == panes[-1] and (panes == panes[0]).all():
        return [(int(panes[0]), 0)], np.zeros(len(panes), dtype=np.int64)
    starts, place = np.unique(panes, return_inverse=True)
    cells, row_cells = np.unique(place * count + versions, return_inverse=True)
    return [(int(starts[cell // count]), int(cell % count)) for cell in cells], row_cells.astype(np.int64)
