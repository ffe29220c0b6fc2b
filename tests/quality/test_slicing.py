"""What the slices of a model add to its estimates: of the reference's labels first, of matured ones as they come."""

from dataclasses import replace

import numpy as np
import pytest

from driftwatch.kernels.calibration import Calibration, calibrate_bins
from driftwatch.quality import slicing
from driftwatch.quality.binary import BinaryAssessor
from driftwatch.quality.loss import LossWatch
from driftwatch.quality.slicing import LESSON, GroupedRows, Slicing
from driftwatch.statistics.concept import Terms
from driftwatch.statistics.estimation import estimate_binary
from driftwatch.statistics.reading import Stage
from driftwatch.stream.answers import outcomes_of, outputs_of
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import LABELLED, WAITING, Answers, OutputForm
from driftwatch.stream.schema import Task
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.scores import ScoreGrid
from driftwatch.summaries.slices import KnownSlices, SliceEvidence

FORM = OutputForm(Task.BINARY, ("0", "1"), groups=2)
GRID = ScoreGrid.of()
FIRST = 1
"""The place of the only slice: behind a segment's dimension."""


def answers_of(seed: int, rows: int, *, effect: float, tilt: float = 0.0, labelled: bool = True) -> Answers:
    """Predictions whose log-odds are those of the score, `effect` more or less by the group."""
    rng = np.random.default_rng(seed)
    groups = (rng.random(rows) < 0.5 + tilt).astype(np.int16)
    scores = rng.beta(0.8, 0.9, rows).clip(1e-3, 1 - 1e-3)
    log_odds = np.log(scores / (1 - scores)) + effect * (2 * groups - 1)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    outputs = outputs_of(FORM, {"score": scores, "groups": np.stack([np.full(rows, -1), groups], axis=1)}, rows)
    state = np.full(rows, LABELLED if labelled else WAITING, dtype=np.uint8)
    return Answers(outputs, outcomes_of(FORM, {"label": labels}, rows), state, np.zeros(rows, dtype=np.int64))


def labelled(answers: Answers) -> np.ndarray:
    return BinaryState.of(answers, FORM, grid=GRID).labelled


def calibration_of(answers: Answers) -> Calibration:
    return calibrate_bins(labelled(answers).astype(np.float64), GRID.middles)


def known_of(answers: Answers) -> KnownSlices:
    rows = rows_of(answers)
    chances = rows.chances(calibration_of(answers))
    return KnownSlices(SliceEvidence.converged(rows.groups, chances, rows.labels.astype(np.float64)), answers.rows)


def rows_of(answers: Answers) -> GroupedRows:
    """As `Slicing.rows` has them."""
    nothing = KnownSlices(SliceEvidence.empty(1), 1)
    return Slicing(nothing, first=FIRST, base=calibration_of(answers)).rows(
        answers, GRID.bins_of(answers.outputs["score"])
    )


def slicing_of(reference: Answers) -> Slicing:
    return Slicing(known_of(reference), first=FIRST, base=calibration_of(reference))


def assessor(reference: Answers, *, sliced: bool = True) -> BinaryAssessor:
    watch = LossWatch(Terms(run_length_rows=1e6))
    return BinaryAssessor(
        FORM, GRID, loss=watch, reference=labelled(reference)[None].astype(np.int64),
        slicing=slicing_of(reference) if sliced else None,
    )  # fmt: skip


def accuracy(target: BinaryAssessor, answers: Answers) -> tuple[float, float]:
    """The estimated one, and half its bounds' distance."""
    recalled = Recalled(0, 0, 1.0, answers, np.zeros(answers.rows, dtype=np.int64))
    said = target.measure(recalled, version="1", stage=Stage.INTERIM, now_ms=0)
    found = next(each for each in said.readings if (each.family, each.statistic) == ("estimation", "accuracy"))
    return found.value, (found.upper - found.lower) / 2


def realised(answers: Answers) -> float:
    return float(np.mean(answers.outputs["prediction"] == answers.outcomes["label"]))


def test_the_groups_of_a_row_change_its_chance() -> None:
    """Where one group has become rare, what is expected is what comes of the other one."""
    reference, window = answers_of(0, 20_000, effect=1.5), answers_of(1, 20_000, effect=1.5, tilt=0.45)
    value, reach = accuracy(assessor(reference), replace(window, state=np.zeros_like(window.state)))
    plain, _ = accuracy(assessor(reference, sliced=False), window)
    assert value == pytest.approx(realised(window), abs=0.01)
    assert abs(value - realised(window)) < 1.5 * reach
    assert abs(plain - realised(window)) > 3 * abs(value - realised(window))


def test_groups_that_say_nothing_change_nothing() -> None:
    """The estimate is that of the score alone, to the last bit."""
    reference, window = answers_of(2, 20_000, effect=0.0), answers_of(3, 5_000, effect=0.0, tilt=0.3)
    assert accuracy(assessor(reference), window) == accuracy(assessor(reference, sliced=False), window)


def test_without_effects_rows_are_estimated_as_bins_are() -> None:
    """Rows of chances that groups do not move, of a score that nothing is known of among them."""
    reference, window = answers_of(4, 3_000, effect=0.0), answers_of(5, 500, effect=0.0)
    calibration = calibration_of(reference)
    calibration.chances[GRID.bins_of(window.outputs["score"][:1])[0]] = np.nan
    effects = SliceEvidence.empty(1).effects
    rows = rows_of(window)
    found = rows.expected(calibration, effects)
    known = ~np.isnan(rows.chances(calibration))
    assert not known.all()
    state = BinaryState.of(window.at(known), FORM, grid=GRID)
    expected = estimate_binary(state.predicted.astype(np.float64), calibration)
    for name, each in expected.items():
        assert found[name].value == pytest.approx(each.value, rel=1e-9), name
        assert found[name].deviation == pytest.approx(each.deviation, rel=1e-9), name


def test_matured_labels_take_the_place_of_the_reference(monkeypatch) -> None:
    """When groups have changed their meaning, what they add follows, and the error is that of the labels there are."""
    monkeypatch.setattr(slicing, "MOST_ROWS", 12_000.0)
    reference = answers_of(6, 20_000, effect=1.5)
    target, window = assessor(reference), answers_of(7, 20_000, effect=-1.5, tilt=0.45)
    misses = [abs(accuracy(target, window)[0] - realised(window))]
    for end in range(1, 5):
        target.learn(answers_of(10 + end, 4_000, effect=-1.5), version="1", end=end)
        misses.append(abs(accuracy(target, window)[0] - realised(window)))
    assert misses[-1] < 0.012
    assert misses[-1] < misses[0] / 2
    assert max(misses) < 0.08, "on the way from one to the other, they are between them"
    again = assessor(reference)
    again.learnt.resume(
        {name: chunk for name, chunk in target.learnt.changes().items() if chunk is not None}
    )  # fmt: skip
    assert accuracy(again, window) == accuracy(target, window)
    other = target.measure(
        Recalled(0, 0, 1.0, window, np.zeros(window.rows, dtype=np.int64)), version="2", stage=Stage.INTERIM, now_ms=0
    )
    value = next(each.value for each in other.readings if (each.family, each.statistic) == ("estimation", "accuracy"))
    assert abs(value - realised(window)) == pytest.approx(misses[0]), "another version has nothing but the reference"


def test_lessons_of_before_there_were_slices_are_passed_over() -> None:
    """They say nothing of groups."""
    reference = answers_of(8, 20_000, effect=1.5)
    known = slicing_of(reference)
    lesson = known.lesson(rows_of(answers_of(9, 2_000, effect=1.5)))
    counts = {"labelled": np.array([2_000])}
    with_both = known.effects([counts, {**counts, **lesson}])
    alone = known.effects([{**counts, **lesson}])
    assert with_both is not None
    assert alone is not None
    assert np.array_equal(with_both.log_odds, alone.log_odds)
    assert lesson[LESSON].nbytes < 1_000, "a slice takes little of a lesson"
