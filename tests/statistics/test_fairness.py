import math

import numpy as np
import pytest

from driftwatch.statistics.fairness import (
    ALLOWED,
    BY_LABELS,
    BY_PREDICTIONS,
    CALIBRATION,
    FAIRNESS,
    IMPACT,
    MEASURES,
    ODDS,
    OPPORTUNITY,
    PARITY,
    GroupedRows,
    fairness_readings,
    left_allowed,
)
from driftwatch.statistics.reading import Stage, Status, Support

SUPPORT = Support(Stage.INTERIM, coverage=0.5)
MEMBERS = ("gender=F", "gender=M", "gender=X")


def rows_of(cells, *, weights=None):
    """Rows of (group, selected, label): how often; scores are 0.9 where selected, 0.3 elsewhere."""
    codes, selected, labels = np.array([cell for cell, count in cells.items() for _ in range(count)]).T
    scores = np.where(selected == 1, 0.9, 0.3)
    return GroupedRows(codes, selected, scores, labels, np.ones(codes.size) if weights is None else weights)


def measured(rows, members=MEMBERS):
    readings = fairness_readings("gender", members, rows, SUPPORT)
    return {reading.statistic: reading for reading in readings}


CELLS = {
    (0, 1, 1): 30, (0, 1, 0): 10, (0, 0, 1): 10, (0, 0, 0): 50,
    (1, 1, 1): 80, (1, 1, 0): 40, (1, 0, 1): 20, (1, 0, 0): 60,
}  # fmt: skip


def test_measures_are_the_textbook_ones():
    """Counts that can be worked out by hand."""
    found = measured(rows_of(CELLS))
    assert tuple(found) == MEASURES
    assert found[PARITY].value == pytest.approx(120 / 200 - 40 / 100)
    assert found[IMPACT].value == pytest.approx((40 / 100) / (120 / 200))
    assert found[OPPORTUNITY].value == pytest.approx(80 / 100 - 30 / 40)
    assert found[ODDS].value == pytest.approx(40 / 100 - 10 / 60)
    of_women, of_men = 40 / 100 - (40 * 0.9 + 60 * 0.3) / 100, 100 / 200 - (120 * 0.9 + 80 * 0.3) / 200
    assert found[CALIBRATION].value == pytest.approx(of_women - of_men)
    assert all(reading.lower <= reading.value <= reading.upper for reading in found.values())


def test_readings_say_what_they_are_of_and_between_whom():
    """Family, column, the groups at both ends, and what the values rest on."""
    found = measured(rows_of(CELLS))
    assert {(reading.family, reading.column) for reading in found.values()} == {(FAIRNESS, "gender")}
    assert (found[PARITY].between.least, found[PARITY].between.greatest) == ("gender=F", "gender=M")
    assert (found[CALIBRATION].between.least, found[CALIBRATION].between.greatest) == ("gender=M", "gender=F")
    assert {reading.support for reading in found.values()} == {SUPPORT}


def test_a_group_with_too_few_rows_is_left_out_and_named():
    """29 rows are too few; what has no rows at all is not named; rows in no group do not count."""
    few = measured(rows_of(CELLS | {(2, 0, 0): 29, (-1, 0, 0): 500}))
    assert few[PARITY].value == pytest.approx(0.2)
    assert few[PARITY].between.left_out == ("gender=X",)
    assert measured(rows_of(CELLS))[PARITY].between.left_out == ()
    assert measured(rows_of(CELLS | {(2, 0, 0): 30}))[PARITY].value == pytest.approx(0.6)


def test_a_rate_over_positives_needs_ten_of_them():
    """A group without positives has no true positive rate; fairlearn would say 0."""
    found = measured(rows_of(CELLS | {(2, 1, 1): 9, (2, 1, 0): 30, (2, 0, 0): 30}))
    assert found[PARITY].between.left_out == ()
    for name in BY_LABELS:
        assert found[name].between.left_out == ("gender=X",)
    assert found[OPPORTUNITY].value == pytest.approx(0.05)


def test_one_group_is_compared_with_nobody():
    """No value, and why."""
    found = measured(rows_of({cell: count for cell, count in CELLS.items() if cell[0] == 0}))
    assert {reading.status for reading in found.values()} == {Status.TOO_FEW}
    assert all(math.isnan(reading.value) for reading in found.values())


def test_without_labels_predictions_are_compared_all_the_same():
    """Labels of -1 are unknown."""
    found = measured(rows_of({(group, said, -1): count for (group, said, _), count in CELLS.items()}))
    assert {found[name].status for name in BY_PREDICTIONS} == {Status.OK}
    assert {found[name].status for name in BY_LABELS} == {Status.NO_LABELS}


def test_nobody_selected_is_no_ratio():
    """The difference is 0, the ratio undefined."""
    found = measured(rows_of({(0, 0, 0): 50, (1, 0, 0): 50}))
    assert (found[PARITY].value, found[IMPACT].status) == (0.0, Status.DEGENERATE)


def test_labelled_rows_stand_for_those_whose_labels_have_not_come():
    """Weights move label measures, and nothing of predictions; intervals grow with what is not known."""
    cells = rows_of(CELLS)
    weights = np.where(cells.labels * cells.selected == 1, 2.0, 1.0)
    plain, weighed = measured(cells), measured(rows_of(CELLS, weights=weights))
    assert weighed[PARITY] == plain[PARITY]
    assert weighed[OPPORTUNITY].value == pytest.approx(160 / 180 - 60 / 70)
    tripled = measured(rows_of(CELLS, weights=np.full(cells.codes.size, 3.0)))
    assert tripled[ODDS].upper == pytest.approx(plain[ODDS].upper)


def test_only_an_interval_that_is_wholly_outside_leaves_the_allowed_range():
    """0.1 for differences, four fifths for the ratio."""
    assert left_allowed(PARITY, 0.11, 0.3)
    assert not left_allowed(PARITY, 0.09, 0.3)
    assert left_allowed(IMPACT, 0.2, 0.79)
    assert not left_allowed(IMPACT, 0.2, 0.81)
    assert set(ALLOWED) == set(MEASURES)


def test_readings_bring_their_own_limit():
    """What is surely beyond the allowed range says so: 40 % against 60 % of hundreds, and of thousands."""
    found = measured(rows_of(CELLS))
    assert (found[PARITY].limit, found[IMPACT].limit) == (0.1, 0.8)
    assert not found[OPPORTUNITY].beyond
    more = measured(rows_of({cell: 10 * count for cell, count in CELLS.items()}))
    assert {name: more[name].beyond for name in BY_PREDICTIONS} == {PARITY: True, IMPACT: True}
