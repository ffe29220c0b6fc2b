"""Readings for tests of judgement, with only what a test says about them."""

import math

from driftwatch.evaluation.report import Window
from driftwatch.evaluation.rules import RuleSpec
from driftwatch.statistics.reading import Reading, Status

_NAN = math.nan
_PLAIN = Reading("amount", "drift", "psi", _NAN, _NAN, _NAN, _NAN, _NAN, Status.OK)


def reading(value: float, **parts) -> Reading:
    """A PSI of `amount`; other parts by their names."""
    return _PLAIN._replace(value=value, **parts)


def rule(**written) -> RuleSpec:
    """A rule as TOML writes it: psi above 0.1 unless said otherwise."""
    side = {} if "below" in written else {"above": 0.1}
    of = {} if "metric" in written else {"statistic": "psi"}
    return RuleSpec.model_validate({"name": "drift", "min_rows": 1} | of | side | written)


def window(number: int, rows: int = 1000) -> Window:
    """The n-th hour."""
    return Window(number * 3_600_000, (number + 1) * 3_600_000, rows)
