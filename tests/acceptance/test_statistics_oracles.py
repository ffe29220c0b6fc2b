"""Binned statistics against scipy on the values themselves, over slices of real data sets.

What the bins cost is printed as a table (`pytest -s`); the limits asserted here are the documented ones.
"""

import csv
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from driftwatch.statistics.drift import Baseline
from driftwatch.statistics.reading import Status
from tests import oracles

pytestmark = pytest.mark.acceptance

RELATIVE, ABSOLUTE = 0.01, 4e-4
"""Wasserstein's error: relative, or in standard deviations where the distance is no more than sampling noise."""


def rows(first, last):
    """Select rows by place."""
    return lambda table: table[first:last]


def where(column, value):
    """Select rows by value."""
    return lambda table: table.filter(pc.equal(table[column], value))


def days(first, last):
    """Select rows by day, both ends included."""

    def select(table):
        day = pc.strptime(table["dteday"], format="%d/%m/%y", unit="s").to_numpy().astype("datetime64[D]")
        return table.filter(pa.array((day >= np.datetime64(first)) & (day <= np.datetime64(last))))

    return select


LOANS = ("nannyml_car_loan_reference", "nannyml_car_loan_analysis")
PAIRS = {
    "carloan_ref_vs_analysis_0_25k_NODRIFT": (LOANS, rows(0, None), rows(0, 25_000)),
    "carloan_ref_vs_analysis_25k_50k_DRIFT": (LOANS, rows(0, None), rows(25_000, 50_000)),
    "carloan_refA_vs_refB_AA": (LOANS[:1] * 2, rows(0, 25_000), rows(25_000, 50_000)),
    "adult_train_vs_test_AA": (("adult",) * 2, where("split", "train"), where("split", "test")),
    "bike_2011_vs_2012": (("bike_sharing_hour",) * 2, where("yr", 0), where("yr", 1)),
    "bike_jan1_28_vs_jan29_feb28_2011": (
        ("bike_sharing_hour",) * 2,
        days("2011-01-01", "2011-01-28"),
        days("2011-01-29", "2011-02-28"),
    ),
    "noaa_first5k_vs_last5k": (("noaa_weather",) * 2, rows(0, 5000), rows(-5000, None)),
    "wine_red_vs_white": (("wine_quality",) * 2, where("color", "red"), where("color", "white")),
    "elec2_before_vs_after_row17424": (("elec2",) * 2, rows(0, 17_424), rows(17_424, 34_848)),
}


@pytest.fixture(scope="module")
def expected(shared):
    """(pair, column) → kind and statistics, as scipy gave them."""
    table = defaultdict(dict)
    with (shared / "oracles" / "scipy_pairs.csv").open() as lines:
        for line in csv.DictReader(lines):
            table[line["pair"], line["column"]] |= {"kind": line["type"], line["stat"]: float(line["value"])}
    return table


def slices(shared, pair):
    """Reference and current rows of a pair, as the data sets' README describes them."""
    files, before, after = PAIRS[pair]
    reference, current = (pq.read_table(shared / "data" / f"{name}.parquet") for name in files)
    return before(reference), after(current)


def texts(column):
    return np.array([str(value) for value in column.drop_null().to_pylist()])


def readings_of(reference, current, name, kind):
    """The readings of one column by statistic, rows without a value left out as the oracle does."""
    if kind == "num":
        sides = [side[name].drop_null().to_numpy().astype(float) for side in (reference, current)]
        sides = [[values[np.isfinite(values)]] for values in sides]
        layout = oracles.layout_of(sides[0])
        a, b = (oracles.profile_of(layout, values) for values in sides)
    else:
        sides = [texts(side[name]) for side in (reference, current)]
        # The oracle takes the categories of both sides.
        words = sorted({*sides[0], *sides[1]})
        layout = oracles.layout_of([], [words])
        a, b = (oracles.profile_of(layout, codes=[np.searchsorted(words, values)]) for values in sides)
    return {reading.statistic: reading for reading in Baseline.of(layout, a).readings(b)}, a, b


@pytest.mark.parametrize("pair", PAIRS)
def test_numeric(pair, expected, shared):
    """KS errs by 1/128 and ties at most, Wasserstein by 1 % or by noise; mean and spread are exact."""
    reference, current = slices(shared, pair)
    print(f"\n{pair:40} column            KS exact   error    bound    W1/sd exact  error     relative   PSI   scipy's")
    for (_, name), row in ((k, v) for k, v in expected.items() if k[0] == pair and v["kind"] == "num"):
        found, profile, _ = readings_of(reference, current, name, "num")
        ks, w1, psi = (found[statistic] for statistic in ("ks", "wasserstein", "psi"))
        bound = profile.numeric.counts.max() / profile.rows
        assert profile.rows == row["ref_n"]
        assert -1e-12 <= row["ks_statistic"] - ks.value <= bound
        assert bound <= 1 / 128 + _ties(reference[name])
        assert ks.lower <= row["ks_statistic"] <= ks.upper
        if profile.numeric.minima == profile.numeric.maxima:
            # A constant reference has no unit to measure in, but what leaves it is seen.
            assert w1.status is Status.DEGENERATE
            assert psi.lower > 1
            continue
        exact = row["wasserstein"] / row["ref_std_ddof1"]
        error = w1.value - exact
        print(
            f"{'':40} {name:17} {row['ks_statistic']:8.5f} {row['ks_statistic'] - ks.value:8.5f} {bound:8.5f}"
            f"    {exact:10.6f} {error:10.1e} {error / exact if exact else 0:9.2%}"
            f"  {psi.value:8.4f} {row.get('psi_refdecile_eps1e-4', np.nan):8.4f}"
        )
        assert abs(error) <= max(RELATIVE * exact, ABSOLUTE)
        assert found["mean_shift"].value * row["ref_std_ddof1"] == pytest.approx(
            row["cur_mean"] - row["ref_mean"], rel=1e-6, abs=1e-9 * row["ref_std_ddof1"]
        )
        assert found["mean_shift"].p_value == pytest.approx(row["welch_t_pvalue"], rel=0.05, abs=1e-4)
        assert found["std_ratio"].value == pytest.approx(row["cur_std_ddof1"] / row["ref_std_ddof1"], rel=1e-9)


@pytest.mark.parametrize("pair", PAIRS)
def test_categorical(pair, expected, shared):
    """Categories are not binned: every statistic is scipy's."""
    reference, current = slices(shared, pair)
    names = {
        "tv": "tvd",
        "linf": "l_infinity",
        "hellinger": "hellinger",
        "js": "jensenshannon_distance_base2",
        "chi2": "chi2_contingency_statistic_nocorr",
        "cramers_v": "cramers_v",
    }
    for (_, name), row in ((k, v) for k, v in expected.items() if k[0] == pair and v["kind"] == "cat"):
        found, *profiles = readings_of(reference, current, name, "cat")
        for ours, theirs in names.items():
            assert found[ours].value == pytest.approx(row.get(theirs, 0.0), rel=1e-9, abs=1e-9), (name, ours)
        assert found["chi2"].p_value == pytest.approx(
            row.get("chi2_contingency_pvalue_nocorr", 1.0), rel=1e-6, abs=1e-12
        )
        if all(np.all(profile.categories[: int(row["n_categories"])] > 0) for profile in profiles):
            # The oracle puts 1e-4 into cells that are empty; where there are none, the formulas agree.
            assert found["psi"].value == pytest.approx(row["psi_eps1e-4"], rel=0.02, abs=1e-6), name


def _ties(column):
    """The greatest share of one value."""
    values = column.drop_null().to_numpy()
    return np.unique(values, return_counts=True)[1].max() / values.size
