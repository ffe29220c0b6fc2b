"""Counts as rates and shares, with their bounds."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

Z = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""
MONTH_MS = 30 * 86_400_000

_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


def poisson(count: int, exposure: float) -> tuple[float, float, float]:
    """A rate and its exact 95 % bounds (Garwood 1936): count / exposure; NaN where nothing was seen."""
    if exposure <= 0:
        return math.nan, math.nan, math.nan
    lower = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    upper = stats.chi2.ppf(0.975, 2 * count + 2) / 2
    return count / exposure, float(lower) / exposure, float(upper) / exposure


def wilson(hits: int, trials: int) -> tuple[float, float, float]:
    """A share and its 95 % bounds (Wilson 1927); NaN without trials."""
    if not trials:
        return math.nan, math.nan, math.nan
    share, wide = hits / trials, Z * Z / trials
    centre = (share + wide / 2) / (1 + wide)
    half = Z * math.sqrt(share * (1 - share) / trials + wide / (4 * trials)) / (1 + wide)
    return share, 0.0 if not hits else centre - half, 1.0 if hits == trials else centre + half


def middle(values: Sequence[float], share: float = 0.5) -> float | None:
    """The median, or another quantile that is one of the values; None without any."""
    return float(np.quantile(np.array(values), share, method="inverted_cdf")) if values else None


def f1(hits: int, said: int, true: int) -> dict[str, float]:
    """Precision, recall and their harmonic mean; 0 where there is nothing to divide by."""
    precision, recall = hits / said if said else 0.0, hits / true if true else 0.0
    both = precision + recall
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / both if both else 0.0}


def budget_of(spec: Any) -> dict[str, Any] | None:
    """The false alarms that a model's configuration tolerates, in words and in numbers; None without a budget.

    It is of 30 days or of 1 000 windows; the other of the two is None.
    """
    allowed = getattr(getattr(spec, "alerting", None), "allowed", None)
    rate = None if allowed is None else allowed(timed=spec.window.rows is None)
    if rate is None:
        return None
    if rate.per_windows is not None:
        text = f"{rate.count:g} per {rate.per_windows} windows"
        return {"text": text, "per_30_days": None, "per_1000_windows": 1_000 * rate.count / rate.per_windows}
    text = f"{rate.count:g} per {_length(rate.per_ms)}"
    return {"text": text, "per_30_days": rate.count * MONTH_MS / rate.per_ms, "per_1000_windows": None}


def _length(milliseconds: int) -> str:
    unit = next(unit for unit, size in _UNITS_MS.items() if milliseconds % size == 0)
    return f"{milliseconds // _UNITS_MS[unit]}{unit}"
