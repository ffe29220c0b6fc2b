"""Counts as rates and shares, with their bounds."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

Z = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""
MONTH_MS = 30 * 86_400_000

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_BUDGET = re.compile(r"(?P<count>\d+(?:\.\d+)?) per (?P<length>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h|d|w)")


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
    """The false alarms that a model's configuration tolerates, as written and in 30 days; None without a budget."""
    written = getattr(getattr(spec, "alerting", None), "budget", None)
    if written is None:
        return None
    found = _BUDGET.fullmatch(str(written).strip())
    if found is None:
        return {"text": str(written), "per_30_days": None}
    period_ms = float(found["length"]) * _UNITS_MS[found["unit"]]
    return {"text": str(written), "per_30_days": float(found["count"]) * MONTH_MS / period_ms if period_ms else None}
