"""The laws of drift statistics, over every member of the registry, and what degenerate windows say."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.errors import StateError
from driftwatch.statistics.drift import FAMILY, STATISTIC_NAMES, Baseline, names_for
from driftwatch.statistics.reading import Status
from driftwatch.statistics.registry import STATISTICS, View, statistic
from driftwatch.stream.batch import INVALID, MISSING
from driftwatch.summaries.profile import Profile
from tests import oracles

NUMERIC = ("psi", "js", "kl", "hellinger", "tv", "ks", "wasserstein", "mean_shift", "std_ratio")
CATEGORICAL = ("psi", "js", "kl", "hellinger", "tv", "chi2", "cramers_v", "linf")
VOCABULARIES = (("a", "b", "c"), ("false", "true"))
NUMBERS = st.one_of(
    st.sampled_from([MISSING, INVALID, 0.0, 1.0]),
    st.integers(-5, 5).map(float),
    st.floats(-1e6, 1e6),
    st.sampled_from([1e308, -1e308, 5e-324, 1e150, -1e160]),
)


@st.composite
def columns(draw, least=0):
    """Three numeric and two categorical columns of the same rows."""
    rows = draw(st.integers(least, 25))
    numeric = [draw(st.lists(NUMBERS, min_size=rows, max_size=rows)) for _ in range(3)]
    codes = [draw(st.lists(st.integers(0, len(v) + 2), min_size=rows, max_size=rows)) for v in VOCABULARIES]
    return [np.array(c, dtype=float) for c in numeric], [np.array(c, dtype=np.int32) for c in codes]


def baseline_of(reference, groups=10):
    layout = oracles.layout_of(reference[0], VOCABULARIES)
    return Baseline.of(layout, oracles.profile_of(layout, *reference), groups=groups)


def by_name(readings, column):
    return {reading.statistic: reading for reading in readings if reading.column == column}


@given(reference=columns(least=1))
def test_neutral_law(reference):
    """A profile against itself has the declared neutral value wherever it has one."""
    baseline = baseline_of(reference)

    for reading in baseline.readings(baseline.reference.profile):
        if reading.status is Status.OK:
            neutral = STATISTICS[reading.statistic].neutral
            assert reading.value == pytest.approx(neutral, abs=1e-7), reading


@settings(max_examples=200)
@given(reference=columns(), current=columns(), groups=st.integers(1, 20))
def test_range_law(reference, current, groups):
    """Values lie in the declared range, bounds are in order, and NaN means exactly that the status is not OK."""
    baseline = baseline_of(reference, groups)

    for reading in baseline.readings(oracles.profile_of(baseline.layout, *current)):
        entry = STATISTICS[reading.statistic]
        assert math.isnan(reading.value) == (reading.status is not Status.OK), reading
        if reading.status is Status.OK:
            assert entry.low <= reading.value <= entry.high, reading
        for part in (reading.adjusted, reading.lower, reading.upper):
            assert math.isnan(part) or entry.low <= part <= entry.high, reading
        assert not reading.lower > reading.upper, reading
        assert math.isnan(reading.p_value) or 0 <= reading.p_value <= 1, reading


@given(reference=columns(least=1), current=columns(least=1))
def test_order_law(reference, current):
    """One reading per column and statistic: numeric columns first, in layout order, statistics in registry order."""
    baseline = baseline_of(reference)
    expected = [(name, entry) for name, entries in baseline.statistics.items() for entry in entries]

    readings = baseline.readings(oracles.profile_of(baseline.layout, *current))
    assert [(reading.column, reading.statistic) for reading in readings] == expected
    assert {reading.family for reading in readings} == {FAMILY}


@given(reference=columns(least=1), current=columns(least=1), other=columns(least=1))
def test_one_column_spoils_no_other(reference, current, other):
    """A column's readings do not depend on what stands in the columns beside it."""
    mixed = [current[0][0], other[0][1], current[0][2]] if len(current[0][0]) == len(other[0][1]) else current[0]
    spoilt = [column if i == 0 else np.full_like(column, INVALID) for i, column in enumerate(mixed)]
    baseline = baseline_of(reference)

    alone = by_name(baseline.readings(oracles.profile_of(baseline.layout, current[0], current[1])), "n0")
    beside = by_name(baseline.readings(oracles.profile_of(baseline.layout, spoilt, current[1])), "n0")
    assert str(alone) == str(beside)


@pytest.mark.parametrize("name", STATISTICS)
def test_enough_shift_is_seen(name):
    """Every statistic leaves its neutral value, and its bounds do, when the distribution moves far."""
    rng = np.random.default_rng(1)
    reference = [rng.normal(size=3000)] * 3, [rng.integers(0, 3, 3000), rng.integers(0, 2, 3000)]
    current = [rng.normal(2, 3, size=3000)] * 3, [rng.choice(3, 3000, p=[0.8, 0.1, 0.1]), np.zeros(3000, np.int32)]
    baseline = baseline_of(reference)
    found = [
        reading
        for reading in baseline.readings(oracles.profile_of(baseline.layout, *current))
        if reading.statistic == name
    ]

    neutral = STATISTICS[name].neutral
    assert all(reading.lower > neutral and reading.value > neutral for reading in found)
    assert all(math.isnan(reading.p_value) or reading.p_value < 1e-6 for reading in found)


@pytest.mark.parametrize("gap", [MISSING, INVALID])
def test_jump_in_nulls_is_a_shift(gap):
    """Forty percent of values gone at random: divergences and KS see it, statistics of values do not."""
    rng = np.random.default_rng(2)
    layout = oracles.layout_of([rng.normal(size=5000)])
    values = rng.normal(size=5000)
    baseline = Baseline.of(layout, oracles.profile_of(layout, [rng.normal(size=5000)]))

    found = by_name(
        baseline.readings(oracles.profile_of(layout, [np.where(rng.uniform(size=5000) < 0.4, gap, values)])), "n0"
    )
    assert min(found[name].lower for name in ("psi", "js", "kl", "hellinger", "tv", "ks")) > 0.2
    assert found["ks"].value == pytest.approx(0.4, abs=0.02)
    assert found["wasserstein"].lower < 0.01
    assert found["mean_shift"].p_value > 0.001


DEGENERATE = {
    "empty window": ([1.0, 2.0, 3.0], [], {}),
    "one row": ([1.0, 2.0, 3.0], [2.0], {}),
    "constant reference": ([5.0] * 9, [5.0, 6.0], {View.VALUES: Status.DEGENERATE}),
    "constant window": ([1.0, 2.0, 3.0], [2.0] * 9, {}),
    "all missing": ([1.0, 2.0, 3.0], [MISSING] * 9, {View.VALUES: Status.TOO_FEW}),
    "all invalid": ([1.0, 2.0, 3.0], [INVALID] * 9, {View.VALUES: Status.TOO_FEW}),
    "reference all missing": ([MISSING] * 9, [1.0, 2.0], {View.VALUES: Status.DEGENERATE}),
    "one value in the reference": ([MISSING, 1.0], [1.0, 2.0], {View.VALUES: Status.DEGENERATE}),
    "huge window": ([1.0, 2.0, 3.0], [1e308, -1e308, 2.0], {View.VALUES: Status.DEGENERATE}),
    "huge reference": ([1e308, -1e308, 2.0], [1.0, 2.0], {View.VALUES: Status.DEGENERATE}),
    "spread too small for a float": ([5e-324, 1e-323, 0.0], [5e-324, 0.0], {View.VALUES: Status.DEGENERATE}),
}


@pytest.mark.parametrize(("reference", "current", "statuses"), DEGENERATE.values(), ids=DEGENERATE)
def test_degenerate_numbers(reference, current, statuses):
    """What cannot be computed is a status, never a warning, and the column beside it stays well."""
    rng = np.random.default_rng(3)
    layout = oracles.layout_of([np.array(reference), rng.normal(size=len(reference))])
    baseline = Baseline.of(layout, oracles.profile_of(layout, [np.array(reference), rng.normal(size=len(reference))]))

    readings = baseline.readings(oracles.profile_of(layout, [np.array(current), rng.normal(size=len(current))]))
    fewest = Status.TOO_FEW if len(current) < 2 else Status.OK
    for reading in by_name(readings, "n0").values():
        assert reading.status is statuses.get(STATISTICS[reading.statistic].of, fewest), reading
    assert {reading.status for reading in by_name(readings, "n1").values()} == {fewest}


def test_no_reference():
    """Without reference rows every status says so."""
    layout = oracles.layout_of([np.array([1.0, 2.0])], [("a",)])
    window = oracles.profile_of(layout, [np.array([1.0, 2.0])], [np.array([0, 1])])

    readings = Baseline.of(layout, Profile.empty(layout)).readings(window)
    assert {reading.status for reading in readings} == {Status.NO_REFERENCE}


def test_constant_window_has_no_spread():
    """A window of equal values has ratio 0, and no bounds of it."""
    layout = oracles.layout_of([np.array([1.0, 2.0, 3.0])])
    baseline = Baseline.of(layout, oracles.profile_of(layout, [np.array([1.0, 2.0, 3.0])]))

    found = by_name(baseline.readings(oracles.profile_of(layout, [np.full(9, 7.1)])), "n0")["std_ratio"]
    assert (found.value, found.status) == (0.0, Status.OK)
    assert math.isnan(found.lower)


def test_no_columns():
    """A layout without columns has no readings; one kind alone has its own."""
    for numeric, vocabularies in (([], []), ([np.arange(3.0)], []), ([], [("a",)])):
        layout = oracles.layout_of(numeric, vocabularies)
        profile = replace(
            oracles.profile_of(layout, [np.arange(3.0)] * len(numeric), [np.zeros(3)] * len(vocabularies))
            if numeric or vocabularies
            else Profile.empty(layout),
            rows=3,
        )

        readings = Baseline.of(layout, profile).readings(profile)
        expected = len(numeric) * len(names_for("numeric")) + len(vocabularies) * len(names_for("categorical"))
        assert len(readings) == expected


def test_another_layout_is_refused():
    """Profiles of another layout are an error of ours, not a reading."""
    layout, other = oracles.layout_of([np.arange(3.0)]), oracles.layout_of([np.arange(4.0)])
    profile, stranger = oracles.profile_of(layout, [np.arange(3.0)]), oracles.profile_of(other, [np.arange(3.0)])

    with pytest.raises(StateError, match="layout"):
        Baseline.of(layout, profile).readings(stranger)
    with pytest.raises(StateError, match="layout"):
        Baseline.of(layout, stranger)


def test_names():
    """The names are those of the contract, by kind; a second statistic of one name fails at once."""
    assert names_for("numeric") == NUMERIC
    assert names_for("boolean") == names_for("categorical")
    assert names_for("categorical") == CATEGORICAL
    assert set(STATISTIC_NAMES) == {*names_for("numeric"), *names_for("categorical")}
    with pytest.raises(ValueError, match="two statistics are named psi"):
        statistic("psi", of=View.CELLS, high=1.0)(STATISTICS["psi"].function)
