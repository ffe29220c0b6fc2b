"""Changes that are put into rows: how much they change, and what they leave alone."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.backtest import shifts
from driftwatch.backtest.inject import can_flip, facts_of, flipped, prepared
from driftwatch.backtest.shifts import SHIFTS, Shift
from driftwatch.stream.batch import INVALID, Batch, Labels
from driftwatch.stream.outputs import OutputForm, blank
from driftwatch.stream.schema import Column, Kind, Schema, Task

ROWS = 20_000
ONSET_MS = 5_000
FORM = OutputForm(Task.BINARY, ("0", "1"))
SCHEMA = Schema(
    "m", Task.BINARY,
    (Column("amount", Kind.NUMERIC), Column("visits", Kind.NUMERIC),
     Column("score", Kind.NUMERIC, minimum=0.0, maximum=1.0), Column("still", Kind.NUMERIC)),
    (Column("country", Kind.CATEGORICAL, ("DE", "FR", "US")), Column("one", Kind.CATEGORICAL, ("a", "b"))),
)  # fmt: skip


def batch(rows: int = ROWS) -> Batch:
    """Half of the rows come before the onset; some values are missing or invalid."""
    rng = np.random.default_rng(7)
    amount = rng.normal(10, 2, rows)
    amount[::50], amount[1::50] = np.nan, INVALID
    numeric = np.stack([amount, rng.poisson(3, rows).astype(float), rng.random(rows), np.full(rows, 4.0)])
    country = rng.choice(5, rows, p=[0.5, 0.28, 0.2, 0.01, 0.01])
    categorical = np.stack([country, np.zeros(rows, dtype=int)]).astype(np.int32)
    times = np.sort(rng.integers(0, 2 * ONSET_MS, rows))
    ids = rng.integers(1, 2**63, rows).astype(np.uint64)
    versions = np.zeros(rows, dtype=np.int32)
    return Batch("p", times, ids, versions, ("",), numeric, categorical, blank(FORM.outputs, rows))


WHOLE = batch()
FACTS = {facts.name: facts for facts in facts_of(WHOLE, SCHEMA)}


def made(shift: Shift, column: str, seed: int = 0):
    return prepared(shift, FACTS[column], onset_ms=ONSET_MS, generator=np.random.default_rng(seed))


POSSIBLE = [(shift, name) for shift in SHIFTS for name in FACTS if made(shift, name) is not None]
SINCE = WHOLE.times >= ONSET_MS


def column(rows: Batch, name: str) -> np.ndarray:
    facts = FACTS[name]
    return (rows.numeric if facts.numeric else rows.categorical)[facts.place]


def same(left: Batch, right: Batch) -> bool:
    pairs = zip(left.numeric, right.numeric, strict=True)
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs) and np.array_equal(
        left.categorical, right.categorical
    )


def test_what_is_possible():
    """Numbers cannot lose share, a score has no unit, a constant column and a single category cannot change."""
    by_column = {name: {shift.kind.value for shift, other in POSSIBLE if other == name} for name in FACTS}
    assert by_column == {
        "amount": {"mean", "scale", "nulls", "unit", "frozen"},
        "visits": {"mean", "scale", "nulls", "unit", "frozen"},
        "score": {"mean", "scale", "nulls", "frozen"},
        "still": set(),
        "country": {"share", "nulls", "frozen"},
        "one": set(),
    }


@pytest.mark.parametrize(("shift", "name"), POSSIBLE, ids=str)
def test_what_is_left_alone(shift, name):
    """Rows are conserved; rows before the onset and other columns are as they were; some rows after it are not."""
    after = made(shift, name).rows(WHOLE)
    assert after.outputs is WHOLE.outputs
    for part in ("times", "ids", "versions"):
        assert np.array_equal(getattr(after, part), getattr(WHOLE, part))
    for other in FACTS:
        before, now = column(WHOLE, other), column(after, other)
        kept = ~SINCE if other == name else np.ones(ROWS, dtype=bool)
        assert np.array_equal(before[kept], now[kept], equal_nan=True)
    assert not np.array_equal(column(WHOLE, name), column(after, name), equal_nan=True)


@given(
    which=st.integers(0, len(POSSIBLE) - 1),
    cuts=st.lists(st.integers(0, 400), max_size=4),
    seed=st.integers(0, 2**32),
)
def test_the_cutting_does_not_matter(which, cuts, seed):
    """The same seed makes the same change, wherever rows are cut and in whatever order they come."""
    shift, name = POSSIBLE[which]
    rows = batch(400)
    injection = made(shift, name, seed)
    whole = made(shift, name, seed).rows(rows)
    edges = [0, *sorted(cuts), 400]
    parts = [injection.rows(rows.between(a, b)) for a, b in pairwise(edges) if a < b]
    assert same(Batch.joined(parts), whole)
    order = np.random.default_rng(seed).permutation(400)
    shuffled = Batch("p", *(getattr(rows, part)[order] for part in ("times", "ids", "versions")), rows.version_names,
                     rows.numeric[:, order], rows.categorical[:, order], rows.outputs[order])  # fmt: skip
    back = np.argsort(order)
    moved = injection.rows(shuffled)
    assert np.array_equal(moved.numeric[:, back], whole.numeric, equal_nan=True)
    assert np.array_equal(moved.categorical[:, back], whole.categorical)


@pytest.mark.parametrize("name", ["amount", "visits"])
@pytest.mark.parametrize("size", [0.1, 0.25, 0.5, 1.0])
def test_mean(name, size):
    """The mean moves by so many standard deviations; counts stay counts, and missing values missing."""
    before = column(WHOLE, name)[SINCE]
    after = column(made(Shift(shifts.Kind.MEAN, size), name).rows(WHOLE), name)[SINCE]
    finite = np.isfinite(before)
    spread = FACTS[name].spread
    assert after[finite].mean() - before[finite].mean() == pytest.approx(size * spread, abs=0.02 * spread)
    assert np.array_equal(after[~finite], before[~finite], equal_nan=True)
    if name == "visits":
        assert set(after) <= set(column(WHOLE, name))


def test_scale():
    """The spread grows by the factor, the mean stays."""
    after = column(made(Shift(shifts.Kind.SCALE, 1.5), "amount").rows(WHOLE), "amount")[SINCE]
    finite = after[np.isfinite(after)]
    assert finite.std() == pytest.approx(3.0, rel=0.03)
    assert finite.mean() == pytest.approx(10.0, abs=0.1)


def test_a_score_stays_in_its_range():
    """A score that would leave [0, 1] stays at its end, for a score outside would be invalid and no drift."""
    after = column(made(Shift(shifts.Kind.MEAN, 1.0), "score").rows(WHOLE), "score")
    assert after.min() >= 0
    assert after[SINCE].max() == 1.0


@pytest.mark.parametrize("size", [0.02, 0.05, 0.10, 0.20])
def test_share(size):
    """So many points of all rows go from the largest category to one other."""
    before = np.bincount(column(WHOLE, "country")[SINCE], minlength=6) / SINCE.sum()
    now = column(made(Shift(shifts.Kind.SHARE, size), "country").rows(WHOLE), "country")[SINCE]
    moved = np.bincount(now, minlength=6) / SINCE.sum() - before
    assert moved[0] == pytest.approx(-size, abs=0.01)
    assert moved.max() == pytest.approx(size, abs=0.01)
    assert np.count_nonzero(moved) == 2


def test_a_share_that_there_is_not():
    """More points than the largest category has cannot be moved."""
    assert made(Shift(shifts.Kind.SHARE, 0.6), "country") is None


@pytest.mark.parametrize("size", [0.05, 0.20])
def test_nulls(size):
    """So many points of the rows lose their value, whatever it was."""
    codes = column(made(Shift(shifts.Kind.NULLS, size), "country").rows(WHOLE), "country")[SINCE]
    missing = column(WHOLE, "country")[SINCE] == 4
    assert np.mean(codes == 4) == pytest.approx(size + (1 - size) * missing.mean(), abs=0.01)
    numbers = column(made(Shift(shifts.Kind.NULLS, size), "amount").rows(WHOLE), "amount")[SINCE]
    assert np.mean(np.isnan(numbers)) == pytest.approx(size + (1 - size) * 0.02, abs=0.01)


def test_unit_and_frozen():
    """A unit multiplies; a frozen column has one value that it had before."""
    unit = column(made(Shift(shifts.Kind.UNIT, 100.0), "amount").rows(WHOLE), "amount")
    assert np.array_equal(unit[SINCE], 100 * column(WHOLE, "amount")[SINCE], equal_nan=True)
    for name in ("amount", "visits", "country"):
        frozen = set(column(made(Shift(shifts.Kind.FROZEN), name).rows(WHOLE), name)[SINCE])
        assert len(frozen) == 1
        assert frozen <= set(column(WHOLE, name))


def test_numbers_near_the_end_of_what_can_be():
    """A unit may lead beyond it: that number is invalid. A spread that is beyond it is none to move by."""
    rows = batch(10)
    rows.times[:] = ONSET_MS
    rows.numeric[0] = 1e307
    assert np.isinf(made(Shift(shifts.Kind.UNIT, 100.0), "amount").rows(rows).numeric[0]).all()
    rows.numeric[0] = np.linspace(-1e307, 1e307, 10)
    assert not facts_of(rows, SCHEMA)[0].held.size


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("size", [0.05, 0.20])
def test_labels_flipped(classes, size):
    """So many of the labels after the onset become another class; the rest, and the rows, are as they were."""
    form = OutputForm(Task.MULTICLASS, tuple("abcd"[:classes]))
    outcomes = blank(form.outcomes, ROWS)
    outcomes["label"] = np.random.default_rng(1).integers(0, classes, ROWS)
    labels = Labels("l", WHOLE.times, WHOLE.ids, outcomes, np.zeros(ROWS, dtype=bool))
    injection = flipped(Shift(shifts.Kind.FLIP, size), onset_ms=ONSET_MS, generator=np.random.default_rng(2))
    after = injection.labels(labels, since=SINCE, form=form).outcomes["label"]
    differ = after != outcomes["label"]
    assert not differ[~SINCE].any()
    assert differ[SINCE].mean() == pytest.approx(size, abs=0.01)
    assert after.min() >= 0
    assert after.max() == classes - 1
    assert same(injection.rows(WHOLE), WHOLE)


@pytest.mark.parametrize(
    ("form", "possible"),
    [
        (OutputForm(Task.BINARY, ("0", "1")), True),
        (OutputForm(Task.MULTICLASS, ("a", "b", "c")), True),
        (OutputForm(Task.MULTICLASS, ("a",)), False),
        (OutputForm(Task.REGRESSION), False),
        (OutputForm(Task.NONE), False),
    ],
)
def test_which_labels_can_be_flipped(form, possible):
    """Only classes have another one."""
    assert can_flip(form) is possible
