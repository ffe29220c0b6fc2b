"""Constraints: one row that breaks them is too many, whatever the reference; shares are judged by their interval."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from driftwatch.statistics.condition import Condition
from driftwatch.statistics.declared import Bounds
from driftwatch.statistics.reading import Reading
from driftwatch.stream.batch import INVALID, MISSING
from tests import oracles
from tests.statistics.conditions import by_check

RNG = np.random.default_rng(8)
USUAL = RNG.integers(17, 91, 5_000).astype(float)


def numeric(current: np.ndarray, **declared: object) -> dict[str, Reading]:
    """Readings of a numeric column with constraints."""
    layout = oracles.layout_of([USUAL])
    described = replace(layout, numeric=(replace(layout.numeric[0], **declared),))
    condition = Condition.of(described, oracles.profile_of(layout, [USUAL]))
    return dict(by_check(condition.readings(oracles.profile_of(layout, [current]))))


def words(current: np.ndarray, *shares: tuple[str, float, float]) -> dict[str, Reading]:
    """Readings of a column of the categories a, b, c with expectations."""
    codes = np.arange(3_000, dtype=np.int32) % 3
    layout = oracles.layout_of([], [("a", "b", "c")])
    described = replace(layout, categorical=(replace(layout.categorical[0], shares=shares),))
    condition = Condition.of(described, oracles.profile_of(layout, codes=[codes]))
    return dict(by_check(condition.readings(oracles.profile_of(layout, codes=[current]))))


def spoilt(*values: float) -> np.ndarray:
    """A window of 1 000 usual values, the first of them replaced."""
    window = USUAL[:1_000].copy()
    window[: len(values)] = values
    return window


def test_bounds_instead_of_the_reference() -> None:
    """Beyond the reference's range and within the bounds all is well; one row beyond these is too many."""
    assert numeric(spoilt(*[119.0] * 200))["out_of_range"].beyond
    within = numeric(spoilt(*[119.0] * 200), least=0.0, greatest=120.0)["out_of_range"]
    assert (within.value, within.limit, within.beyond) == (0.0, 0.0, False)
    beyond = numeric(spoilt(*[119.0] * 200, 121.0), least=0.0, greatest=120.0)["out_of_range"]
    assert (beyond.value, beyond.beyond) == (0.001, True)
    assert numeric(spoilt(-0.5), least=0.0)["out_of_range"].beyond
    inside = numeric(spoilt(), least=20.0, greatest=80.0)["out_of_range"]
    window = spoilt()
    assert inside.value == pytest.approx(((window < 20) | (window > 80)).mean()), "each value has its own bin here"


@settings(max_examples=200, deadline=None)
@example([0.0, 4.031161036017758e-285], 4.031161036017758e-285, 0.0, 0)
@given(
    st.lists(st.floats(-50, 50), min_size=1, max_size=40), st.floats(-60, 60), st.floats(0, 60),
    st.integers(0, 2**32),
)  # fmt: skip
def test_never_too_many_and_none_only_when_none_is(values: list[float], least: float, width: float, seed: int) -> None:
    """What is counted out of bounds is at least one when any row is, and never more than there are."""
    reference = np.random.default_rng(seed).normal(0, 20, 300)
    layout = oracles.layout_of([reference])
    column = replace(layout.numeric[0], least=least, greatest=least + width)
    current = np.array(values)
    found = int(Bounds.of(replace(layout, numeric=(column,))).outside(oracles.profile_of(layout, [current]))[0])
    truth = int(((current < least) | (current > least + width)).sum())
    assert found <= truth
    assert (found > 0) == (truth > 0)


def test_a_value_must_be_there() -> None:
    """One missing value is too many."""
    assert not numeric(spoilt(MISSING))["missing"].beyond
    read = numeric(spoilt(MISSING), nullable=False)["missing"]
    assert (read.value, read.limit, read.beyond) == (0.001, 0.0, True)
    assert not numeric(spoilt(), nullable=False)["missing"].beyond


def test_what_is_not_allowed() -> None:
    """Decode has made it invalid, and one is too many."""
    assert not numeric(spoilt(INVALID))["invalid"].beyond
    assert numeric(spoilt(INVALID), allowed=(1.0,))["invalid"].beyond


@pytest.mark.parametrize(
    ("share", "low", "high", "limit", "beyond"),
    [
        (0.5, 0.4, 0.6, 0.4, False),
        (0.38, 0.4, 0.6, 0.4, False),
        (0.3, 0.4, 0.6, 0.4, True),
        (0.62, 0.4, 0.6, 0.6, False),
        (0.7, 0.4, 0.6, 0.6, True),
        (0.02, 0.1, 1.0, 0.1, True),
        (0.0, 0.0, 0.5, 0.0, False),
    ],
)
def test_shares(share: float, low: float, high: float, limit: float, *, beyond: bool) -> None:
    """A share is out of what is expected when its whole interval is."""
    codes = np.where(np.arange(1_000) < share * 1_000, 0, 1).astype(np.int32)
    read = words(codes, ("a", low, high))["constraint"]
    assert (read.value, read.limit, read.beyond, read.at) == (pytest.approx(share), limit, beyond, "a")


def test_of_several_shares_the_worst_is_shown() -> None:
    """And rows without a value do not count."""
    codes = np.concatenate([np.full(300, 0), np.full(700, 1), np.full(500, 4)]).astype(np.int32)
    read = words(codes, ("a", 0.2, 0.4), ("b", 0.0, 0.1))["constraint"]
    assert (read.at, read.value, read.limit, read.beyond) == ("b", pytest.approx(0.7), 0.1, True)


def test_nothing_declared_nothing_said() -> None:
    """A column without expectations has no reading of them."""
    assert "constraint" not in words(np.zeros(10, dtype=np.int32))
