"""A budgeted rule over a reference of independent rows, for tests that build their own evaluator."""

import numpy as np

from driftwatch.evaluation.budget import NAME, Budget, BudgetRule
from driftwatch.evaluation.budgeted import Budgeted
from driftwatch.spec import rate
from driftwatch.statistics.witness import Witness
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile


def budgeted(layout: Layout, reference: Profile, *, allowed: str = "1 per 720 windows", segments: int = 0) -> Budgeted:
    """One that lets pass what is less than one row in twenty."""
    columns = len(layout.names)
    tolerance = np.full(columns, 0.05)

    def witness(profile: Profile) -> Witness:
        return Witness.of(layout, profile, tolerance=tolerance, over=None)

    return Budgeted(
        BudgetRule.model_validate({"name": NAME, "statistic": "tv"}),
        Budget.of(rate(allowed), slide_ms=None, importance=np.ones(columns).tolist()),
        layout.names,
        {"tv": tolerance},
        witness=witness(reference),
        of_window=witness,
        of_segment=witness,
        segments=segments,
    )
