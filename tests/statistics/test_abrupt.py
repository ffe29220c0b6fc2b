"""Evidence of an abrupt change from profiles: every column of a layout, in its order."""

import numpy as np
import pytest
from scipy import special

from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.statistics.abrupt import Abrupt
from driftwatch.stream.batch import INVALID, MISSING, Batch
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile, profiles
from driftwatch.summaries.survey import NumericSurvey

WORDS = ("a", "b", "c")
COLUMNS = (
    (Column("x", Kind.NUMERIC), Column("y", Kind.NUMERIC)),
    (Column("word", Kind.CATEGORICAL, WORDS),),
)


def drawn(dice: np.random.Generator, rows: int, *, shift: float = 0.0, moved: float = 0.0) -> Batch:
    """Rows of two numbers, the first of which may be shifted, and of a word, whose shares may have moved."""
    numbers = np.stack([dice.normal(shift, 1, rows), dice.exponential(1, rows)])
    words = dice.choice(3, rows, p=[0.5 - moved, 0.3 + moved, 0.2])[None, :]
    return batch(numbers, words)


def batch(numbers: np.ndarray, words: np.ndarray) -> Batch:
    rows = numbers.shape[1]
    zeros = np.zeros(rows, dtype=np.int64)
    return Batch("p", zeros, zeros.astype(np.uint64), zeros.astype(np.int32), ("",), numbers, words.astype(np.int32))


def layout_of(reference: Batch) -> Layout:
    survey = NumericSurvey(len(reference.numeric))
    survey.add(reference.numeric, first_row=0)
    return build_layout(*COLUMNS, survey)


def counted(layout: Layout, some: Batch) -> Profile:
    (profile,) = profiles(some, np.zeros(some.numeric.shape[1], dtype=np.int64), count=1, layout=layout)
    return profile


@pytest.fixture(scope="module")
def reference() -> tuple[Layout, Profile]:
    rows = drawn(np.random.default_rng(1), 10_000)
    layout = layout_of(rows)
    return layout, counted(layout, rows)


def test_the_reference_itself_has_not_changed(reference: tuple[Layout, Profile]) -> None:
    """Equal shares are no evidence in any column."""
    told = Abrupt.of(*reference).p_values(reference[1])
    assert told.shape == (3,)
    assert (told > 0.3).all()


def test_columns_are_told_apart_and_stand_in_layout_order(reference: tuple[Layout, Profile]) -> None:
    """What changed is found, and nothing else."""
    dice = np.random.default_rng(2)
    told = Abrupt.of(*reference).p_values(counted(reference[0], drawn(dice, 1_000, shift=0.3)))
    assert (told < 1e-8).tolist() == [True, False, False]
    assert told[1:].min() > 1e-3
    told = Abrupt.of(*reference).p_values(counted(reference[0], drawn(dice, 1_000, moved=0.1)))
    assert (told < 1e-6).tolist() == [False, False, True]


def test_a_frozen_value_is_found(reference: tuple[Layout, Profile]) -> None:
    """A sensor that always says the same says it in the middle of the range too."""
    dice = np.random.default_rng(3)
    rows = drawn(dice, 500)
    rows.numeric[0] = 0.05
    assert Abrupt.of(*reference).p_values(counted(reference[0], rows))[0] < 1e-50


@pytest.mark.parametrize("special_value", [MISSING, INVALID])
def test_five_points_without_a_value_are_found(reference: tuple[Layout, Profile], special_value: float) -> None:
    """Numbers that are gone or wrong are a change of their column."""
    rows = drawn(np.random.default_rng(4), 1_000)
    rows.numeric[1, :50] = special_value
    told = Abrupt.of(*reference).p_values(counted(reference[0], rows))
    assert (told < 1e-8).tolist() == [False, True, False]


def test_too_few_rows_cannot_be_judged(reference: tuple[Layout, Profile]) -> None:
    """Of one row nothing is said; of two something is."""
    layout, profile = reference
    dice = np.random.default_rng(5)
    one, two = (counted(layout, drawn(dice, rows)) for rows in (1, 2))
    assert np.isnan(Abrupt.of(layout, profile).p_values(one)).all()
    assert np.isnan(Abrupt.of(layout, Profile.empty(layout)).p_values(profile)).all()
    told = Abrupt.of(layout, profile).p_values(two)
    assert ((told > 1e-4) & (told <= 1)).all()


def test_merging_nothing_changes_nothing(reference: tuple[Layout, Profile]) -> None:
    """The empty profile is the identity here too."""
    layout, profile = reference
    window = counted(layout, drawn(np.random.default_rng(6), 500))
    merged = window.merge(Profile.empty(layout))
    abrupt = Abrupt.of(layout, profile)
    assert abrupt.p_values(merged).tolist() == abrupt.p_values(window).tolist()


def test_level_over_real_layouts() -> None:
    """Edges that are the reference's own quantiles do not make windows like it look changed."""
    dice = np.random.default_rng(7)
    told = []
    for _ in range(150):
        rows = drawn(dice, 1_000)
        layout = layout_of(rows)
        abrupt = Abrupt.of(layout, counted(layout, rows))
        told.append(abrupt.p_values(counted(layout, drawn(dice, 2_000))))
    assert 1 <= (np.concatenate(told) <= 0.05).sum() <= 36, "of 450 at 1 in 20, four standard errors"


def test_factors_are_asked_for_the_rows_of_the_window(reference: tuple[Layout, Profile]) -> None:
    """Rows that hang together are less evidence, by as much as a window of that length says."""
    asked: list[int] = []

    def over(rows: int) -> Overdispersion:
        asked.append(rows)
        ten = np.full(3, 10.0)
        return Overdispersion(ten, ten, ten, ten, np.full(3, 20.0))

    window = counted(reference[0], drawn(np.random.default_rng(8), 800, shift=0.3))
    independent = Abrupt.of(*reference).p_values(window)
    dependent = Abrupt.of(*reference, over).p_values(window)
    assert asked == [800]
    assert independent[0] < 1e-6 < dependent[0]


def test_detectable_change_is_found_as_often_as_said(reference: tuple[Layout, Profile]) -> None:
    """A shift of the least size that is said to be found is found by about four of five windows."""
    layout, profile = reference
    abrupt, rows, level = Abrupt.of(layout, profile), 1_000, 1e-3
    least = abrupt.detectable(rows, level=level)
    dice = np.random.default_rng(9)

    def found(factor: float) -> np.ndarray:
        shift = 2 * special.ndtri((least[0] * factor + 1) / 2)
        windows = [counted(layout, drawn(dice, rows, shift=shift, moved=least[2] * factor)) for _ in range(150)]
        return (np.stack([abrupt.p_values(window) for window in windows]) <= level).mean(axis=0)

    assert ((found(1.25) > 0.8) & (found(0.75) < 0.8))[[0, 2]].all()


def test_detectable_is_everything_without_rows(reference: tuple[Layout, Profile]) -> None:
    """A window of one row shows nothing; more rows show smaller changes, at each column's own level."""
    abrupt = Abrupt.of(*reference)
    assert abrupt.detectable(1, level=1e-3).tolist() == [1.0, 1.0, 1.0]
    few, many = abrupt.detectable(100, level=1e-3), abrupt.detectable(10_000, level=1e-3)
    assert (many < few).all()
    assert abrupt.detectable(100, level=np.array([1e-3, 1e-7, 1e-3]))[1] > few[1]


def test_detectable_is_kept_for_about_as_many_rows(reference: tuple[Layout, Profile]) -> None:
    """Windows of nearly as many rows are told the same, never less than what fewer rows would show."""
    abrupt = Abrupt.of(*reference)
    least = abrupt.detectable(1_000, level=1e-3)
    assert abrupt.detectable(980, level=1e-3) is least
    assert (abrupt.detectable(980, level=1e-4) > least).all()
    assert (abrupt.detectable(940, level=1e-3) > least).all()
