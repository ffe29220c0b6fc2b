"""Rankings whose hits are judged at once, and of which nobody knows for days that nothing was relevant."""

import numpy as np
import pytest

from driftwatch.quality.loss import LossWatch
from driftwatch.quality.ranking import RankingAssessor
from driftwatch.statistics.concept import Terms
from driftwatch.statistics.reading import Stage
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import LABELLED, WAITING, Answers, OutputForm, blank
from driftwatch.stream.schema import Task

FORM, DAY_MS = OutputForm(Task.RANKING), 86_400_000
METRICS = ("ndcg", "mrr", "map", "hit_rate")


def assessor():
    return RankingAssessor(loss=LossWatch(Terms(run_length_rows=1e6)))


def window(rng, rows, *, age_days=None, late=5.0):
    """Ten items a query, one relevant, shown in six of ten queries; a hit is judged after a day, others `late`."""
    outputs, outcomes = blank(FORM.outputs, rows), blank(FORM.outcomes, rows)
    outputs["items"] = np.arange(1, 11)
    hit = rng.random(rows) < 0.6
    outcomes["items"][:, 0] = np.where(hit, rng.geometric(0.4, rows).clip(1, 10), 99)
    outcomes["relevance"][:, 0] = 1
    delays_ms = (rng.exponential(np.where(hit, 1.0, late)) * DAY_MS).astype(np.int64)
    came = np.full(rows, fill_value=True) if age_days is None else delays_ms <= age_days * DAY_MS
    state = np.where(came, LABELLED, WAITING).astype(np.uint8)
    answers = Answers(outputs, outcomes, state, delays_ms)
    return Recalled(0, 0, 1.0, answers, np.zeros(rows, np.int64))


def said(target, recalled, stage, *, now_days=2.0):
    found = target.measure(recalled, version="1", stage=stage, now_ms=int(now_days * DAY_MS))
    return {reading.statistic: reading for reading in found.readings}


def test_corrected_bias_is_at_most_a_fifth():
    """Where hits come first, the naive value is far too good; the corrected one is not, and its interval holds."""
    target = assessor()
    target.learn(window(np.random.default_rng(1), 20_000).answers, version="1", end=1)
    truth = said(target, window(np.random.default_rng(2), 200_000), Stage.FINAL)
    errors, held = [], []
    for seed in range(150):
        found = said(target, window(np.random.default_rng(seed + 10), 500, age_days=2.0), Stage.INTERIM)
        true = {name: truth[name].value for name in METRICS}
        errors.append([(found[name].support.naive - true[name], found[name].value - true[name]) for name in METRICS])
        held.append([found[name].lower <= true[name] <= found[name].upper for name in METRICS])
    naive, corrected = np.abs(np.mean(errors, axis=0)).T
    assert (naive > 0.05).all()
    assert (corrected < naive / 5).all()
    assert (np.mean(held, axis=0) >= 0.92).all()


def test_equal_delays_are_no_reason_to_correct():
    """So are none at all: before a window has matured nothing is known of them."""
    rng, target = np.random.default_rng(3), assessor()
    recalled = window(rng, 500, age_days=1.0, late=1.0)
    for _ in range(2):
        for name, reading in said(target, recalled, Stage.INTERIM, now_days=1.0).items():
            if name in METRICS:
                assert reading.value == pytest.approx(reading.support.naive, abs=1e-12)
        target.learn(window(rng, 20_000, late=1.0).answers, version="1", end=1)


def test_delays_that_are_well_known_make_narrower_intervals():
    """What 100 judgements tell of the delays is worth less than what 20 000 do."""
    widths = []
    for rows in (200, 20_000):
        target = assessor()
        target.learn(window(np.random.default_rng(4), rows).answers, version="1", end=1)
        found = said(target, window(np.random.default_rng(5), 5_000, age_days=2.0), Stage.INTERIM)["hit_rate"]
        widths.append(found.upper - found.lower)
    assert widths[0] > 1.3 * widths[1]


def test_a_resumed_assessor_knows_the_delays():
    """Chunks that were saved say it all."""
    target, other = assessor(), assessor()
    target.learn(window(np.random.default_rng(6), 5_000).answers, version="1", end=1)
    other.learnt.resume({name: chunk for name, chunk in target.learnt.changes().items() if chunk is not None})
    recalled = window(np.random.default_rng(7), 500, age_days=2.0)
    expected = said(target, recalled, Stage.INTERIM)
    for name, reading in said(other, recalled, Stage.INTERIM).items():
        assert reading.value == pytest.approx(expected[name].value, nan_ok=True)
