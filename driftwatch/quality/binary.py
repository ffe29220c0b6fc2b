"""Measures a binary classifier: by its labels, by its scores alone, and by how far the two have parted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from driftwatch.evaluation.report import Performance
from driftwatch.kernels.arrival import Ints, PastDelays, arrival_errors, arrived_by_label, delay_counts
from driftwatch.kernels.calibration import Calibration, calibrate_bins, reliability
from driftwatch.kernels.interval import Floats, Interval
from driftwatch.kernels.slicing import Effects
from driftwatch.kernels.strata import score_groups
from driftwatch.quality.learnt import Learnt
from driftwatch.quality.lessons import LEAST_LABELS
from driftwatch.quality.loss import LossWatch
from driftwatch.quality.losses import wrong_classes
from driftwatch.quality.readings import GAPS, arrivals, measured, parted, worth
from driftwatch.quality.slicing import GroupedRows, Slicing
from driftwatch.statistics.binary import Costs, baseline_accuracy, binary_metrics, reweighted_metrics
from driftwatch.statistics.estimation import Estimated, estimate_binary, estimated_intervals
from driftwatch.statistics.gap import estimates_and_gaps, gaps
from driftwatch.statistics.interim import Arrived, interim_binary
from driftwatch.statistics.reading import Reading, Stage, Status, Support
from driftwatch.stream.join.joined import Settled
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import LABELLED, Answers, OutputForm
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.scores import ScoreGrid

CALIBRATION_ROWS = 50_000.0
"""Labels that a calibration is made from, the newest ones, and as many as the reference has where it has more."""
GROUPS = 10
"""Score groups whose labels' delays are told apart."""


@dataclass(frozen=True, slots=True)
class _Knowledge:
    """What past labels say: chances of the positive class, delays by score group and label, and what slices add.

    rows: of a window whose slices matter.
    """

    calibration: Calibration | None
    delays: PastDelays | None
    effects: Effects | None
    rows: GroupedRows | None = None

    def of(self, state: BinaryState) -> Self:
        """What they say of the bins of one window."""
        calibration = None if self.calibration is None else self.calibration.some(state.grid.slots)
        return replace(self, calibration=calibration)


class BinaryAssessor:
    """The Assessor of binary classifiers.

    reference: (parts, bins + 1, 2, 2) labels of consecutive parts of the reference, when it has any. They are older
    than any window's: they fill what has not come yet, and drop out, the oldest first, as labels come. slicing: of a
    model whose reference has found slices that say more than the score.
    """

    def __init__(
        self,
        form: OutputForm,
        grid: ScoreGrid,
        *,
        loss: LossWatch,
        costs: Costs | None = None,
        reference: Ints | None = None,
        slicing: Slicing | None = None,
    ) -> None:
        self.learnt = Learnt(loss)
        self._slicing = slicing
        self._form, self._grid, self._costs = form, grid, costs
        self._reference = np.zeros((0, grid.bins + 1, 2, 2), dtype=np.int64) if reference is None else reference
        self._known: dict[str, _Knowledge] = {}
        self._middles = grid.middles
        self._groups = _groups(self._reference.sum(axis=(0, 2)))

    def measure(self, recalled: Recalled, *, version: str, stage: Stage, now_ms: int) -> Performance:
        """What some window's labels and scores say; see `Assessor`."""
        answers = recalled.answers
        slots = self._grid.bins_of(answers.outputs["score"])
        state = BinaryState.filled(answers, self._form, grid=self._grid, slots=slots)
        known = self._knowledge(version).of(state)
        if self._slicing is not None and known.effects is not None:
            places, base = np.searchsorted(state.grid.slots, slots), self._slicing.base.some(state.grid.slots)
            known = replace(known, rows=self._slicing.rows(answers, places), calibration=base)
        ages_ms = np.maximum(now_ms - recalled.times, 0)
        said = arrivals(answers, final=stage is Stage.FINAL, ages_ms=ages_ms, rate=recalled.rate)
        said = replace(said, reliability=_reliability(state))
        # A final value is of all labels that ever come: how early the first ones were does not matter to it.
        arrived = self._arrived(state, known.delays, (slots, ages_ms)) if stage is Stage.INTERIM else None
        readings = (
            *self._realised(state, stage=stage, coverage=said.coverage, arrived=arrived),
            *(measured(worth(answers), Support(stage, said.coverage)) if self._costs is None else ()),
            *self._promised(state, known, final=stage is Stage.FINAL),
            *self.learnt.loss.readings(version),
        )
        return Performance(readings, said)

    def settle(self, settled: Settled, names: Mapping[int, str]) -> None:
        """Show the watch over the loss which predictions were wrong."""
        self.learnt.loss.see(settled, names, wrong_classes(settled.outputs, settled.outcomes))

    def learn(self, answers: Answers, *, version: str, end: int) -> None:
        """Calibrate by a pane's labels, and remember how late they were."""
        state = BinaryState.of(answers, self._form, grid=self._grid)
        known = (answers.state == LABELLED) & (answers.outcomes["label"] >= 0)
        if known.any():
            slots = self._grid.bins_of(answers.outputs["score"][known])
            labels = answers.outcomes["label"][known].astype(np.int64)
            delays = delay_counts(self._groups[slots], labels, answers.delays_ms[known], count=GROUPS)
            lesson = {"labelled": state.labelled, "delays": delays}
            if self._slicing is not None:
                lesson |= self._slicing.lesson(
                    self._slicing.rows(answers, self._grid.bins_of(answers.outputs["score"]))
                )
            self.learnt.lessons.learn(version, end, lesson)
            self._known.clear()  # another version may have had to make room

    def _knowledge(self, version: str) -> _Knowledge:
        if version not in self._known:
            lessons, reference = self.learnt.lessons, self._reference
            most_rows = max(CALIBRATION_ROWS, float(reference.sum()))
            counts = lessons.total(version, "labelled", most_rows=most_rows, before=tuple(reference))
            enough = counts is not None and counts[:-1].sum() >= LEAST_LABELS
            calibration = calibrate_bins(counts, self._middles) if counts is not None and enough else None
            delays = lessons.total(version, "delays")
            past = None if delays is None else PastDelays.of(delays.astype(np.float64))
            effects = None if self._slicing is None else self._slicing.effects(lessons.all(version))
            self._known[version] = _Knowledge(calibration, past, effects)
        return self._known[version]

    def _realised(
        self, state: BinaryState, *, stage: Stage, coverage: float, arrived: Arrived | None
    ) -> tuple[Reading, ...]:
        absent = Status.DEGENERATE if state.labelled.sum() else Status.NO_LABELS
        baseline = float(baseline_accuracy(state))
        support = Support(stage, coverage)
        if stage is Stage.FINAL or absent is Status.NO_LABELS:
            details = {"accuracy": replace(support, baseline=baseline)}
            return measured(binary_metrics(state, costs=self._costs), support, details=details, absent=absent)
        values = None if self._costs is None else self._costs.matrix.T
        interim = interim_binary(_floats(state.predicted), _floats(state.labelled), arrived, values=values)
        naive, corrected = self._twice(state, interim.strata.weights)
        nothing = np.array([np.nan, np.nan])
        details = {
            name: Support(stage, coverage, float(value), *map(float, interim.bounds.get(name, nothing)))
            for name, value in naive.items()
        }
        details["accuracy"] = replace(details["accuracy"], baseline=baseline)
        return measured(corrected | interim.metrics, support, details=details, absent=absent)

    def _twice(self, state: BinaryState, weights: Floats) -> tuple[dict[str, Floats], dict[str, Interval]]:
        """Values by the labels as they are, and metrics of weighted ones, in one go; weights: (bins + 1, 2, 2)."""
        found = reweighted_metrics(state, weights, self._costs)
        corrected = {name: Interval(each.value[1], each.lower[1], each.upper[1]) for name, each in found.items()}
        return {name: each.value[0] for name, each in found.items()}, corrected

    def _arrived(self, state: BinaryState, delays: PastDelays | None, rows: tuple[Ints, Ints]) -> Arrived | None:
        """What share of each label's rows has come by now; None when nothing is known of delays.

        rows: slots and ages of all predictions.
        """
        slots, ages_ms = rows
        if delays is None or not slots.size:
            return None
        shares = arrived_by_label(delays, self._groups[slots], ages_ms)
        return Arrived(self._groups[state.grid.slots], shares, arrival_errors(delays.counts, shares))

    def _promised(self, state: BinaryState, known: _Knowledge, *, final: bool) -> tuple[Reading, ...]:
        """What the scores promise, and at the end how the labels keep it."""
        calibration = known.calibration
        if not final or calibration is None or known.rows is not None or not state.labelled.any():
            return (*self._estimated(state, known), *(self._gaps(state, known) if final else ()))
        values = None if self._costs is None else self._costs.matrix.T
        foreseen = ~np.isnan(calibration.chances)
        sure = replace(calibration, chances=np.where(foreseen, calibration.chances, 0.0))
        labelled = _floats(state.labelled)
        rows = np.stack([state.predicted, labelled.sum(axis=-1)]) * foreseen
        promised, parting = estimates_and_gaps(rows, labelled, sure, values)
        estimated = measured(estimated_intervals(promised), Support(Stage.ESTIMATED), absent=Status.DEGENERATE)
        return (*estimated, *parted({name: parting[name] for name in GAPS}))

    def _estimated(self, state: BinaryState, known: _Knowledge) -> tuple[Reading, ...]:
        if known.calibration is None:
            return ()
        found = self._expected(_floats(state.predicted), known.calibration, known.rows, effects=known.effects)
        return measured(estimated_intervals(found), Support(Stage.ESTIMATED), absent=Status.DEGENERATE)

    def _gaps(self, state: BinaryState, known: _Knowledge) -> tuple[Reading, ...]:
        """Realised minus estimated, over the rows whose label has come."""
        if known.calibration is None or not state.labelled.sum():
            return ()
        labelled = _floats(state.labelled)
        rows = None if known.rows is None else known.rows.at(known.rows.labels >= 0)
        promised = self._expected(labelled.sum(axis=-1), known.calibration, rows, effects=known.effects)
        return parted(gaps(labelled, {name: promised[name] for name in GAPS}))

    def _expected(
        self, predicted: Floats, calibration: Calibration, rows: GroupedRows | None, *, effects: Effects | None
    ) -> dict[str, Estimated]:
        """Expected metrics of the rows of whose label something is known; rows: the same, where their groups matter."""
        values = None if self._costs is None else self._costs.matrix.T
        if rows is not None and effects is not None:
            return rows.expected(calibration, effects, values)
        known = replace(calibration, chances=np.nan_to_num(calibration.chances))
        return estimate_binary(np.where(np.isnan(calibration.chances), 0, predicted), known, values)


def _groups(reference: Ints) -> Ints:
    """The score group of every slot (bins + 1,): equal shares of the reference's rows, of the bins without any.

    reference: (bins + 1, 2) labels. Both classes count as much: delays of the rarer one are no easier to tell from
    a tenth of all rows, most of which hold none of it.
    """
    rows = np.maximum(reference.sum(axis=0), 1)
    shares = (reference / rows).sum(axis=1) if reference.any() else np.ones(len(reference))
    return score_groups(shares, GROUPS)


def _floats(counts: Floats | Ints) -> Floats:
    return counts.astype(np.float64)


def _reliability(state: BinaryState) -> tuple[tuple[float, float, int], ...]:
    """Mean score and share of positives by tenths of the score; bins' middles stand for their scores."""
    by_label = _floats(state.labelled[:-1].sum(axis=1))
    found = reliability(by_label, by_label.sum(axis=-1) * state.grid.middles, state.grid.tenths)
    return tuple(
        (float(found.scores[tenth]), float(found.shares[tenth]), int(found.rows[tenth]))
        for tenth in np.flatnonzero(found.rows)
    )
