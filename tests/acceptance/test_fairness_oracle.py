"""Measures of fairness against fairlearn 0.15 on real data."""

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest

from driftwatch.statistics.fairness import (
    IMPACT,
    ODDS,
    OPPORTUNITY,
    PARITY,
    GroupedRows,
    fairness_readings,
)
from driftwatch.statistics.reading import Stage, Support

pytestmark = pytest.mark.acceptance

NAMES = {
    "demographic_parity_difference": PARITY,
    "demographic_parity_ratio": IMPACT,
    "equal_opportunity_difference": OPPORTUNITY,
    "equalized_odds_difference": ODDS,
}
FROM_EDUCATION = {
    "sex": (0.03710829424905632, 0.8732617975412325, 0.03831689816459316, 0.03831689816459316),
    "race": (0.3317684268511957, 0.27430022000338466, 0.25483091787439616, 0.2859573454068867),
}
"""What fairlearn 0.15 says of predicting a high income from twelve years of education on (training rows)."""
FROM_DURATION = (0.02404158544509427, 0.9695473251028806, 0.06594761171032348, 0.06594761171032348)
"""And of predicting good credit where it is for two years at most, by age over 25."""


@pytest.fixture(scope="module")
def people(shared):
    """Groups, labels and a prediction made by one rule, of adult and of german."""
    adult = pq.read_table(shared / "data" / "adult.parquet").to_pylist()
    train = [row for row in adult if row["split"] == "train"]
    german = pq.read_table(shared / "data" / "german_credit.parquet").to_pylist()
    income = [row["income"].strip().startswith(">50K") for row in train]
    educated = [row["education_num"] >= 12 for row in train]
    return {
        "sex": ([row["sex"] for row in train], income, educated),
        "race": ([row["race"] for row in train], income, educated),
        "age>25": (
            ["age>25" if row["age"] > 25 else "age<=25" for row in german],
            [row["credit_risk"] == 1 for row in german],
            [row["duration"] <= 24 for row in german],
        ),
    }


def measured(groups, labels, selected):
    members, codes = np.unique(np.array(groups), return_inverse=True)
    scores = np.full(codes.size, np.nan)
    rows = GroupedRows(codes, np.array(selected, int), scores, np.array(labels, int), np.ones(codes.size))
    support = Support(Stage.FINAL, coverage=1.0)
    readings = fairness_readings("group", members.tolist(), rows, support)
    return {reading.statistic: reading for reading in readings}


@pytest.fixture(scope="module")
def oracle(shared):
    """(sensitive, group, metric) → value; predictions there are the labels themselves."""
    with (shared / "oracles" / "fairlearn.csv").open() as lines:
        return {(row["sensitive"], row["group"], row["metric"]): float(row["value"]) for row in csv.DictReader(lines)}


@pytest.mark.parametrize("sensitive", ["sex", "race", "age>25"])
def test_base_rates_are_those_of_fairlearn(people, oracle, sensitive):
    """To 1e-9, with the groups at the ends."""
    groups, labels, _ = people[sensitive]
    found = measured(groups, labels, labels)
    for theirs, ours in NAMES.items():
        expected = oracle[sensitive, "__disparity__", theirs]
        assert found[ours].value == pytest.approx(expected, abs=1e-9), ours
        assert found[ours].lower - 1e-12 <= expected <= found[ours].upper + 1e-12
    rates = {
        group: rate for (of, group, metric), rate in oracle.items() if (of, metric) == (sensitive, "selection_rate")
    }
    del rates["__overall__"]
    ends = found[PARITY].between
    assert (ends.least, ends.greatest) == (min(rates, key=rates.get), max(rates, key=rates.get))


@pytest.mark.parametrize(
    ("sensitive", "expected"), [*FROM_EDUCATION.items(), ("age>25", FROM_DURATION)], ids=["sex", "race", "age"]
)
def test_predictions_that_err_are_measured_as_fairlearn_does(people, sensitive, expected):
    """To 1e-9: difference, ratio, opportunity and odds."""
    found = measured(*people[sensitive])
    assert [found[name].value for name in NAMES.values()] == pytest.approx(expected, abs=1e-9)
