"""An alert that a person ends, whatever its rule says; should the rule be broken again, another one begins."""

from dataclasses import replace
from types import MappingProxyType

from driftwatch.evaluation.alerts import Alerts, Reason, State, Transition, identity
from driftwatch.evaluation.outcome import Outcome
from driftwatch.evaluation.report import AlertNote, Report, Window


def resolved_by_hand(alerts: Alerts, last: Transition) -> tuple[Alerts, Outcome]:
    """End the alert whose last step this is: the alerts without it, and what there is to say; as it was if it is over.

    The step stands where the last one stood, so its name depends on the alert alone.
    """
    kept = {key: each for key, each in alerts.episodes.items() if each.alert_id != last.alert_id}
    if len(kept) == len(alerts.episodes):
        return alerts, Outcome()
    step = replace(
        last, identity=identity("by hand", last.alert_id), state=State.RESOLVED, reason=Reason.BY_HAND,
        window_start_ms=last.window_end_ms, window_ordinal=None, still_firing=0,
    )  # fmt: skip
    note = AlertNote(step.alert_id, step.rule, step.column, step.state, step.severity, step.reason, step.statistic)
    ground = Report(
        step.model, step.version, step.segment, Window(step.window_start_ms, step.window_end_ms, 0), revision=1,
        fingerprint="", reference_rows=0, readings=(), thresholds={}, alerts=(note,),
    )  # fmt: skip
    return Alerts(MappingProxyType(kept)), Outcome(transitions=[step], grounds=[ground])
