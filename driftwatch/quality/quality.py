"""One model's predictions, their labels, and the performance of its windows as the labels come.

predictions ─▶ join ─answers of a window─▶ assess ─▶ performance
labels ──────▶  │
                └─newly settled rows─▶ assess: what was learnt, whether the loss has moved
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np

from driftwatch.evaluation.evaluate import Look
from driftwatch.evaluation.report import Performance, Window
from driftwatch.quality.assess import Assessor
from driftwatch.quality.fairness import Fairness
from driftwatch.quality.pending import Agenda, Decided, Pending, WindowKey, earliest
from driftwatch.quality.segments import WHOLE, segments_of, without_noise
from driftwatch.quality.standing import ALL_RESULTS, EXPIRED_UNLABELLED, UNMATCHED, Counting, Standing
from driftwatch.statistics.performance import ESTIMATION
from driftwatch.statistics.reading import Reading, Stage
from driftwatch.stream.batch import Batch, Labels
from driftwatch.stream.dimensions import Dimensions, Members
from driftwatch.stream.frontier import Frontier
from driftwatch.stream.join.joined import Joined
from driftwatch.stream.join.labels import LabelJoin
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import GROUPS, LABELLED, Answers
from driftwatch.stream.windows import NEVER, Step, Windows

END_MS = np.iinfo(np.int64).max // 4
"""Later than any label."""


@dataclass(slots=True)
class Known:
    """All of it that must survive, beside the join and what the assessor has learnt.

    windows: those that may be reported again. codes: version → its code in the join. latest_ms: the greatest time of a
    prediction that counted. counting: what became of labels.
    """

    windows: dict[WindowKey, Pending] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    latest_ms: int = NEVER
    counting: Counting = field(default_factory=Counting)


class Quality:
    """Follows predictions until their labels have come or are waited for no longer."""

    def __init__(
        self, join: LabelJoin, assessor: Assessor, *, windows: Windows, wait_ms: int, frontier: Frontier,
        dimensions: Dimensions,
    ) -> None:  # fmt: skip
        self.join, self.assessor, self.frontier = join, assessor, frontier
        self.dimensions = dimensions
        self._fairness = Fairness(join.form, dimensions)
        self.known = Known()
        self._windows = windows
        self.agenda = Agenda(windows.spec.pane_ms or 1, wait_ms, windows.spec.keep, self.known.windows)

    def remember(self, batch: Batch, step: Step, names: Collection[str], groups: Members | None = None) -> None:
        """Wait for the labels of the rows that count; names: of the batch's versions, by their codes.

        groups: (dimensions, rows) as `Dimensions.codes` has them, if somebody has asked it already.
        """
        kept = ~step.late
        outputs = batch.outputs[kept]
        if self.dimensions.all:
            codes_of_rows = self.dimensions.codes(batch.numeric, batch.categorical) if groups is None else groups
            outputs[GROUPS] = codes_of_rows[:, kept].T
        used = set(np.unique(batch.versions[kept]).tolist())
        codes = np.array([self._code(name) if code in used else 0 for code, name in enumerate(names)], dtype=np.int32)
        times = batch.times[kept]
        self.known.latest_ms = max(self.known.latest_ms, int(times.max()))
        waiting = self.join.waiting_labels
        joined = self.join.predict(
            panes=step.panes[kept],
            versions=codes[batch.versions[kept]],
            times=times,
            ids=batch.ids[kept],
            outputs=outputs,
        )
        self.known.counting.add_predictions(joined, found=waiting - self.join.waiting_labels - joined.thinned_labels)
        self._settle(joined)

    def label(self, labels: Labels, *, received_ms: int) -> Joined:
        """Join labels with the predictions that they are of."""
        self.frontier.hear(labels.times, labels.partition, received_ms=received_ms)
        joined = self.join.label(
            times=labels.times, ids=labels.ids, outcomes=labels.outcomes, cancelled=labels.cancelled
        )
        self.known.counting.add_labels(joined)
        self._settle(joined)
        return joined

    def saved(self) -> None:
        """What had changed has been saved."""
        self.join.saved()
        self.agenda.changed.clear()
        self.assessor.learnt.saved()

    def due(self, closed: int, *, finished: bool) -> set[WindowKey]:
        """The windows to look at again, now that windows have closed so far."""
        return self.agenda.due(closed, matured_ms=self._matured_ms(closed, finished=finished))

    def stage(self, window: Window, closed: int, *, finished: bool) -> Stage:
        """Whether labels of a window are still waited for; nobody waits who has never seen one, nor without rows."""
        if not window.rows:
            return Stage.FINAL
        matured = self.agenda.matured(window, self._matured_ms(closed, finished=finished))
        return Stage.FINAL if matured or not self._labels_come else Stage.INTERIM

    def performances(
        self, windows: Mapping[WindowKey, Window], *, whole: Collection[WindowKey], closing: bool = False
    ) -> dict[tuple[WindowKey, str], Performance]:
        """What the labels that have come, and the scores, say of some windows and of their segments, by name.

        All rows together are the segment "". Nothing is said of a window or segment of which nothing is remembered.
        Windows that are not `whole` are left out while nothing has come for them: measuring is what costs.
        Before a model's first label only what its scores promise is said: its windows wait for nothing.
        closing: windows whose last labels have come are added to the contests of their versions, once.
        """
        names = self._names
        ends = sorted({end for end, _ in windows})
        compared = self._compare(windows) if closing else {}
        found = {}
        for recalled in self.join.answers([self._windows.panes_of(end) for end in ends]):
            key = ends[recalled.window], names[recalled.version]
            if key in windows:
                stage = Stage(windows[key].stage) if self._labels_come else Stage.INTERIM
                mark = _mark(recalled.answers)
                if key not in whole and stage is Stage.INTERIM and mark == self.known.windows[key].mark:
                    continue
                for segment, said in self._measured(recalled, version=key[1], stage=stage):
                    beside = self._beside(key, segment, compared) if stage is Stage.FINAL else ()
                    if self._labels_come or said.readings:
                        found[key, segment] = replace(said, readings=(*said.readings, *beside), mark=mark)
        return found

    def _compare(self, windows: Mapping[WindowKey, Window]) -> dict[WindowKey, dict[str, tuple[Reading, ...]]]:
        """Add windows that are final to contests, the oldest first; how these stood after each, by segment."""
        contests = self.assessor.learnt.contests
        found: dict[WindowKey, dict[str, tuple[Reading, ...]]] = {}
        if contests is None or not self._labels_come:
            return found
        final = {key for key, window in windows.items() if window.stage == Stage.FINAL}
        done = {key for key, pending in self.known.windows.items() if pending.final}
        for end in sorted({end for end, _ in final - done}):
            versions = sorted({version for other, version in (*windows, *self.known.windows) if other == end})
            if len(versions) > 1 and all((end, version) in final | done for version in versions):
                contests.add(self._first_pane(end), end)
                found |= {(end, version): contests.standing(version) for version in versions}
        return found

    def _beside(
        self, key: WindowKey, segment: str, compared: Mapping[WindowKey, Mapping[str, tuple[Reading, ...]]]
    ) -> tuple[Reading, ...]:
        """How a version does beside the champion: as of its window, where that has just been added."""
        contests = self.assessor.learnt.contests
        if contests is None or key in compared:
            return compared.get(key, {}).get(segment, ())
        return contests.readings(key[1], segment)

    def _measured(self, recalled: Recalled, *, version: str, stage: Stage) -> Iterator[tuple[str, Performance]]:
        """A window and each of its segments."""
        for segment, rows in ((WHOLE, recalled), *segments_of(recalled, self.dimensions)):
            said = self.assessor.measure(rows, version=version, stage=stage, now_ms=self.known.latest_ms)
            if not self._labels_come:
                said = replace(said, readings=tuple(each for each in said.readings if each.family == ESTIMATION))
            if segment == WHOLE:
                fair = self._fairness.readings(rows.answers, stage=stage, coverage=said.arrivals.coverage)
                said = replace(said, readings=(*said.readings, *fair))
            yield segment, said if segment == WHOLE else self._of_segment(said, version, segment)

    def _of_segment(self, said: Performance, version: str, segment: str) -> Performance:
        """Beside a segment's own figures its own loss, in place of the version's."""
        own = without_noise(
            replace(said, readings=tuple(each for each in said.readings if each.statistic != "loss_change"))
        )
        return replace(own, readings=(*own.readings, *self.assessor.learnt.loss.readings(version, segment)))

    @property
    def decided(self) -> dict[WindowKey, frozenset[Decided]]:
        """Which rules have judged the metrics of each window and segment."""
        return {key: pending.decided for key, pending in self.known.windows.items()}

    def has_news(self, key: WindowKey, look: Look) -> bool:
        """Whether a window's labels say more than at its last look."""
        pending = self.known.windows[key]
        mark = pending.mark if look.performance is None else look.performance.mark
        return mark != pending.mark or (look.window.stage == Stage.FINAL and self._labels_come)

    def looked(self, key: WindowKey, look: Look, *, decided: frozenset[Decided], closed: int) -> None:
        """A window was looked at as a whole; with its last labels it is learnt from.

        decided: the rules that have judged it or one of its segments by now.
        """
        before = self.known.windows.get(key)
        final = look.window.stage == Stage.FINAL and self._labels_come
        if final and (before is None or not before.final):
            self._learn(key)
        unheard = 0 if before is None else before.mark
        mark = unheard if look.performance is None else look.performance.mark
        # Nothing realised was there to be judged before the first label.
        judged: frozenset[Decided] = decided if self._labels_come else frozenset()
        self.agenda.note(key, Pending(look.window, closed, mark, judged, final))

    def forget(self, closed: int, *, finished: bool = False) -> None:
        """Let go of what nothing can change any more."""
        matured_ms = self._matured_ms(closed, finished=finished)
        self.agenda.forget(matured_ms)
        oldest_ms = min(matured_ms, self.known.latest_ms) - self.agenda.wait_ms - self.agenda.keep_ms
        self.known.counting.count(UNMATCHED, self.join.forget_labels(oldest_ms))
        before, first = self._windows.forget_before(), earliest(self.known.windows)
        if first is not None:
            before = min(before, self._windows.panes_of(first).start)
        self.known.counting.count(EXPIRED_UNLABELLED, self.join.forget(before))
        held = {code for code, total in self.join.totals().items() if total.predictions}
        for name in [name for name, code in self.known.codes.items() if code not in held]:
            del self.known.codes[name]
            self.known.counting.delays.pop(name, None)
        if self.assessor.learnt.contests is not None:
            self.assessor.learnt.contests.keep(self.known.codes)

    @property
    def standing(self) -> Standing:
        """What has become of labels and predictions so far."""
        counting, names = self.known.counting, self._names
        held = {names[code]: total for code, total in self.join.totals().items()}
        return Standing(
            results=dict.fromkeys(ALL_RESULTS, 0) | counting.results,
            delays=dict(counting.delays),
            coverage={
                version: total.labelled / (total.labelled + total.waiting)
                for version, total in held.items()
                if total.labelled + total.waiting
            },
            rate=self.join.rate,
            held=held,
            waiting_labels=self.join.waiting_labels,
        )

    @property
    def _labels_come(self) -> bool:
        """Whether this model has ever had a label."""
        return bool(self.known.counting.results.keys() & {"matched", "cancelled", "waiting"})

    @property
    def _names(self) -> dict[int, str]:
        return {code: version for version, code in self.known.codes.items()}

    def _settle(self, joined: Joined) -> None:
        if joined.settled.rows:
            self.known.counting.observe(joined.settled, self._names)
            self.assessor.settle(joined.settled, self._names)

    def _matured_ms(self, closed: int, *, finished: bool) -> int:
        if finished:
            return END_MS
        reached = closed if self._windows.spec.rows is None else self.known.latest_ms
        held_at_ms = self.frontier.held_at_ms
        return reached if held_at_ms is None else min(reached, held_at_ms)

    def _learn(self, key: WindowKey) -> None:
        """Each pane is the first one of one window; with that window it is learnt from."""
        end, version = key
        recalled = self._first_pane(end).get(version)
        if recalled is not None:  # none of its predictions may be remembered
            self.assessor.learn(recalled.answers, version=version, end=end)

    def _first_pane(self, end: int) -> dict[str, Recalled]:
        """What is remembered of a window's first pane, by version, those first that were seen first."""
        first = self._windows.panes_of(end).start
        found = {recalled.version: recalled for recalled in self.join.answers([range(first, first + 1)])}
        return {version: found[code] for version, code in self.known.codes.items() if code in found}

    def _code(self, version: str) -> int:
        codes = self.known.codes
        if version not in codes:
            taken = set(codes.values())
            codes[version] = next(code for code in range(len(taken) + 1) if code not in taken)
        return codes[version]


def _mark(answers: Answers) -> int:
    """A number that changes with what has come of some predictions; 0 while nothing has."""
    if not answers.state.any():
        return 0
    labels = answers.outcomes[answers.state == LABELLED]
    return crc32(labels.tobytes(), crc32(answers.state.tobytes())) | 1 << 32
