"""Quality checks that count shares, and columns with one value: what each says, and that chance alone says nothing."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.statistics.checks import CHECKS, FAMILY
from driftwatch.statistics.condition import Condition, checks_for
from driftwatch.statistics.reading import Status
from driftwatch.stream.batch import INVALID, MISSING
from driftwatch.summaries.profile import Profile
from tests import oracles
from tests.statistics.conditions import by_check, read_after_blocks, read_codes, read_numbers
from tests.strategies import batches, layouts, profile_of

RNG = np.random.default_rng(5)


def spoilt(values: np.ndarray, share: float, by: float) -> np.ndarray:
    """The first rows of this share replaced."""
    spoilt = values.copy()
    spoilt[: round(share * values.size)] = by
    return spoilt


@pytest.mark.parametrize(("check", "by"), [("missing", MISSING), ("invalid", INVALID), ("out_of_range", 99.0)])
def test_shares(check: str, by: float) -> None:
    """A share is given as it is, what it has more than the reference, its bounds, and the limit that it passes."""
    usual = RNG.normal(size=20_000)
    before = {"out_of_range": 0.0}.get(check, 0.1)
    read = read_numbers(spoilt(usual, before, by), spoilt(RNG.normal(size=5_000).clip(-3, 3), 0.2, by))[check]
    assert (read.family, read.status, read.value) == (FAMILY, Status.OK, 0.2)
    assert read.adjusted == pytest.approx(0.2 - before)
    assert before + 0.01 < read.limit < before + 0.02
    assert (read.lower, read.upper) == pytest.approx((0.1891, 0.2113), abs=2e-4)
    assert read.beyond


@pytest.mark.parametrize(("share", "beyond"), [(0.008, False), (0.019, True)])
def test_unseen_is_told_apart_by_size(share: float, *, beyond: bool) -> None:
    """Under one row in a hundred new categories are shown and nobody is told."""
    codes = np.arange(5_000, dtype=np.int32) % 3
    read = read_codes(("a", "b", "c"), codes, spoilt(codes, share, 3))["unseen"]
    assert (read.value, read.beyond) == (pytest.approx(share), beyond)


def test_a_vocabulary_that_is_cut_off_is_judged_by_its_own_rest() -> None:
    """Where the reference itself has rows in no known category, unseen is what a window has more of them."""
    codes = np.arange(10_000, dtype=np.int32) % 4
    read = read_codes(("a", "b", "c"), codes, codes[:2_000])["unseen"]
    assert (read.value, read.adjusted, read.beyond) == (0.25, 0.0, False)


@pytest.mark.parametrize("rows", [100, 1_000])
def test_chance_alone_says_nothing(rows: int) -> None:
    """Of 2 000 windows from the reference's own population with a tenth missing, at most one is beyond its limit."""
    reference = np.where(RNG.random(20_000) < 0.1, MISSING, 1.0 * RNG.integers(0, 9, 20_000))
    layout = oracles.layout_of([reference])
    condition = Condition.of(layout, oracles.profile_of(layout, [reference]))
    beyond = 0
    for _ in range(2_000):
        window = RNG.choice(reference, rows)
        read = condition.readings(oracles.profile_of(layout, [window]))
        beyond += any(reading.beyond for reading in read)
    assert beyond <= 1


def test_a_frozen_column() -> None:
    """One value in every row of a column that used to vary."""
    read = read_numbers(RNG.normal(size=5_000), np.full(500, 0.25))["constant"]
    assert (read.value, read.adjusted, read.upper, read.at, read.beyond) == (1.0, 1.0, 1.0, 0.25, True)
    codes = np.arange(900, dtype=np.int32) % 3
    read = read_codes(("a", "b", "c"), codes, np.ones(300, dtype=np.int32))["constant"]
    assert (read.value, read.at, read.beyond) == (1.0, "b", True)


def test_a_column_that_is_nearly_always_the_same_may_be_so_for_a_while() -> None:
    """A value that 97 % of the rows have fills small windows by chance, large ones not."""
    rare = (RNG.random(20_000) < 0.03).astype(float)
    assert not read_numbers(rare, np.zeros(150))["constant"].beyond
    assert read_numbers(rare, np.zeros(1_000))["constant"].beyond


def test_a_column_that_is_constant_for_long_stretches() -> None:
    """A month stays the same for as many rows as it did in the reference, and not for much longer."""
    month = np.repeat(np.arange(1.0, 13.0), 720)
    assert not read_after_blocks(month, np.full(720, 13.0))["constant"].beyond
    assert read_after_blocks(month, np.full(2_000, 4.0))["constant"].beyond
    assert read_numbers(month, np.full(720, 4.0))["constant"].beyond, "without the order nothing is known of stretches"


def test_a_constant_that_begins_to_vary() -> None:
    """It is no longer what it was, and all that is new is out of range."""
    read = read_numbers(np.full(1_000, 5.0), np.arange(500.0))
    assert (read["constant"].value, read["constant"].adjusted, read["constant"].beyond) == (0.0, -1.0, False)
    assert (read["out_of_range"].value, read["out_of_range"].beyond) == (499 / 500, True)


def test_what_is_well_is_left_out() -> None:
    """A healthy window has its shares, and nothing of checks that found nothing."""
    assert set(read_numbers(RNG.normal(size=2_000), RNG.normal(size=500))) == {"missing", "invalid", "out_of_range"}


def test_too_little_to_say() -> None:
    """Without a reference, or without rows, there are readings with a reason and no numbers."""
    layout = oracles.layout_of([np.arange(9.0)])
    full, empty = oracles.profile_of(layout, [np.arange(9.0)]), Profile.empty(layout)
    for condition, window, status in (
        (Condition.of(layout, full).against(empty), full, Status.NO_REFERENCE),
        (Condition.of(layout, full), empty, Status.TOO_FEW),
        (Condition.of(layout, empty), empty, Status.NO_REFERENCE),
    ):
        readings = condition.readings(window)
        assert [reading.status for reading in readings] == [status] * 3
        assert all(math.isnan(reading.value) and not reading.beyond for reading in readings)


def test_what_is_declared_needs_no_past() -> None:
    """In a segment that the reference does not have constraints hold all the same, and nothing else is judged."""
    layout = oracles.layout_of([np.arange(9.0)])
    strict = replace(layout, numeric=(replace(layout.numeric[0], nullable=False, greatest=5.0),))
    full, empty = oracles.profile_of(layout, [np.append(np.arange(8.0), MISSING)]), Profile.empty(layout)
    read = by_check(Condition.of(strict, full).against(empty).readings(full))
    assert {name: reading.beyond for name, reading in read.items() if reading.status is Status.OK} == {
        "missing": True, "out_of_range": True,
    }  # fmt: skip
    assert read["invalid"].status is Status.NO_REFERENCE


def test_a_segment_is_judged_by_its_own_past() -> None:
    """The same condition against another reference says what one made for that reference says."""
    values = np.where(RNG.random(3_000) < 0.2, MISSING, RNG.integers(0, 40, 3_000))
    layout = oracles.layout_of([values])
    whole, part, window = (oracles.profile_of(layout, [some]) for some in (values, values[:900], values[900:1_500]))
    direct = Condition.of(layout, part).readings(window)
    assert repr(Condition.of(layout, whole).against(part).readings(window)) == repr(direct)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_the_columns(data: st.DataObject) -> None:
    """Readings come in the layout's order, are of the column's own checks, and keep their numbers in order."""
    layout = data.draw(layouts())
    reference, current = (profile_of(data.draw(batches(layout)), layout) for _ in range(2))
    readings = Condition.of(layout, reference).readings(current)
    places = [layout.names.index(reading.column) for reading in readings]
    assert places == sorted(places)
    kinds = {column.name: column.kind for column in (*layout.numeric, *layout.categorical)}
    for reading in readings:
        assert reading.statistic in checks_for(kinds[reading.column])
        if reading.status is Status.OK:
            assert CHECKS[reading.statistic].low <= reading.lower <= reading.value + 1e-9
            assert reading.value <= reading.upper + 1e-9
        assert not reading.beyond or reading.status is Status.OK
