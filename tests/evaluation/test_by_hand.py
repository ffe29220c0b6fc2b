"""An alert that a person ends."""

from driftwatch.evaluation.alerts import Reason, State
from driftwatch.evaluation.by_hand import resolved_by_hand
from driftwatch.evaluation.groups import grouped
from tests.evaluation.readings import rule
from tests.evaluation.test_alerts import live


def test_it_is_told_like_any_end_and_only_once() -> None:
    """The same alert, a name of its own for the step, a group that a letter can be written of; then there is none."""
    alerts, steps = live([rule()], "B")
    (fired,) = steps[0]
    left, outcome = resolved_by_hand(alerts, fired)
    (step,) = outcome.transitions
    assert (step.alert_id, step.state, step.reason) == (fired.alert_id, State.RESOLVED, Reason.BY_HAND)
    assert step.identity != fired.identity
    assert not left.episodes
    (group,) = grouped(outcome.transitions, outcome.grounds)
    assert group.lead.step is step
    assert resolved_by_hand(alerts, fired)[1].transitions == outcome.transitions
    assert resolved_by_hand(left, fired)[1].transitions == []
