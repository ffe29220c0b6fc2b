"""Rates and shares with their bounds, against published tables."""

import math
from types import SimpleNamespace

import pytest

from driftwatch.backtest.rates import budget_of, f1, middle, poisson, wilson
from driftwatch.spec import rate


@pytest.mark.parametrize(
    ("count", "lower", "upper"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390), (50, 37.111, 65.919)],
)
def test_poisson(count, lower, upper):
    """Garwood's exact bounds, of an exposure of one and of ten."""
    assert poisson(count, 1.0) == pytest.approx((count, lower, upper), abs=1e-3)
    assert poisson(count, 10.0) == pytest.approx((count / 10, lower / 10, upper / 10), abs=1e-4)


def test_nothing_seen():
    """Without time or trials there is no rate."""
    assert all(map(math.isnan, (*poisson(0, 0.0), *wilson(0, 0))))


@pytest.mark.parametrize(
    ("hits", "trials", "lower", "upper"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (8, 10, 0.4902, 0.9433), (81, 263, 0.2553, 0.3662)],
)
def test_wilson(hits, trials, lower, upper):
    """The score interval; the last line is of Newcombe (1998)."""
    assert wilson(hits, trials) == pytest.approx((hits / trials, lower, upper), abs=1e-4)


def test_middle():
    """A quantile is one of the values."""
    assert (middle([]), middle([3.0, 1.0, 2.0, 9.0]), middle([3.0, 1.0, 2.0, 9.0], 0.9)) == (None, 2.0, 9.0)


def test_f1():
    """Alarming always recalls all and is precise as often as there is something; never alarming is nothing."""
    assert f1(10, 100, 10) == pytest.approx({"precision": 0.1, "recall": 1.0, "f1": 2 / 11})
    assert f1(0, 0, 10) == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def model(allowed):
    return SimpleNamespace(
        alerting=SimpleNamespace(allowed=lambda *, timed: allowed if timed else None),
        window=SimpleNamespace(rows=None),
    )


@pytest.mark.parametrize(
    ("written", "said", "per_30_days", "per_1000_windows"),
    [
        ("1 per 30d", "1 per 30d", 1.0, None),
        ("2 per 7d", "2 per 7d", 60 / 7, None),
        ("0.5 per 24h", "0.5 per 1d", 15.0, None),
        ("3 per 90m", "3 per 90m", 1_440.0, None),
        ("2 per 500 windows", "2 per 500 windows", None, 4.0),
    ],
)
def test_budget(written, said, per_30_days, per_1000_windows):
    """A budget is told in words, and in 30 days or in 1 000 windows, whichever it is of."""
    assert budget_of(model(rate(written))) == {
        "text": said,
        "per_30_days": per_30_days and pytest.approx(per_30_days),
        "per_1000_windows": per_1000_windows,
    }


@pytest.mark.parametrize("spec", [SimpleNamespace(), SimpleNamespace(alerting=None), model(None)])
def test_no_budget(spec):
    """A model need not have one."""
    assert budget_of(spec) is None
