"""The groups that dashboards draw: named once, at most twelve a column, and every row in one of them."""

import numpy as np
import pytest

from driftwatch.statistics.distribution import MAX_GROUPS
from driftwatch.statistics.drift import Baseline
from driftwatch.stream.batch import INVALID, MISSING, Batch
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile, profiles
from driftwatch.summaries.survey import NumericSurvey


def made(values: np.ndarray, words: np.ndarray, vocabulary: tuple[str, ...]) -> tuple[Layout, Profile]:
    """A layout from one numeric and one categorical column, and the profile of the same rows."""
    rows = len(values)
    numeric, categorical = (Column("x", Kind.NUMERIC),), (Column("c", Kind.CATEGORICAL, vocabulary),)
    survey = NumericSurvey(1)
    survey.add(values[None, :], first_row=0)
    layout = build_layout(numeric, categorical, survey)
    zeros = np.zeros(rows)
    batch = Batch("p", zeros.astype(np.int64), zeros.astype(np.uint64), zeros.astype(np.int32), ("",),
                  values[None, :], words[None, :].astype(np.int32))  # fmt: skip
    (profile,) = profiles(batch, np.zeros(rows, dtype=np.int64), count=1, layout=layout)
    return layout, profile


@pytest.mark.parametrize("groups", [2, 10, 40])
def test_every_row_is_in_one_group(groups: int) -> None:
    """However many groups and categories there are, at most twelve are shown and their shares add up to one."""
    dice = np.random.default_rng(3)
    values = dice.normal(size=5_000)
    values[:50], values[50:80] = MISSING, INVALID
    layout, profile = made(values, dice.integers(0, 43, 5_000), tuple(f"w{n}" for n in range(40)))

    for shown in Baseline.of(layout, profile, groups=groups).distributions(profile):
        assert len(shown.groups) <= MAX_GROUPS
        assert len(set(shown.groups)) == len(shown.groups)
        assert sum(shown.reference) == pytest.approx(1)
        assert shown.current == shown.reference


def test_missing_and_invalid_are_groups() -> None:
    """What has no value shows as such."""
    values = np.array([1.0, 2.0, MISSING, INVALID] * 25)
    layout, profile = made(values, np.array([0, 1, 2, 3] * 25), ("a",))
    numbers, words = Baseline.of(layout, profile).distributions(profile)

    assert dict(zip(numbers.groups, numbers.current, strict=True))["missing"] == 0.25
    assert dict(zip(numbers.groups, numbers.current, strict=True))["invalid"] == 0.25
    assert dict(zip(words.groups, words.current, strict=True)) == {
        "a": 0.25, "other": 0.25, "missing": 0.25, "invalid": 0.25,
    }  # fmt: skip


def test_few_values_are_named_by_themselves() -> None:
    """A column of three values has a group for each; what lies beyond them is nothing like them."""
    layout, profile = made(np.array([1.0, 2.0, 3.0] * 40), np.zeros(120), ("a",))
    numbers, _ = Baseline.of(layout, profile).distributions(profile)

    assert numbers.groups == ("< 1", "1", "(1, 2]", "(2, 3]", "> 3", "missing", "invalid")
    assert numbers.current == pytest.approx((0, 1 / 3, 1 / 3, 1 / 3, 0, 0, 0))


def test_a_category_called_missing_is_told_apart() -> None:
    """Names of categories that are ours too are quoted, for a series must stand only once."""
    layout, profile = made(np.arange(10.0), np.array([0, 1, 2, 3, 4] * 2), ("missing", "other"))
    _, words = Baseline.of(layout, profile).distributions(profile)

    assert words.groups == ('"missing"', '"other"', "other", "missing", "invalid")
    assert words.current == (0.2,) * 5


def test_near_edges_keep_their_own_names() -> None:
    """Edges that differ only in their last digits are written out in full."""
    layout, profile = made(1e6 + np.arange(2_000) * 1e-4, np.zeros(2_000), ("a",))
    numbers, _ = Baseline.of(layout, profile).distributions(profile)

    assert len(set(numbers.groups)) == len(numbers.groups) == MAX_GROUPS
