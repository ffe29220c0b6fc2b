"""What kind of thing has changed: decided from all that a group's steps are about and from what fires beside them.

| what fires in the window                                                                     | kind          |
|----------------------------------------------------------------------------------------------|---------------|
| the rule is about golden sets, fairness, or two versions                                     | its own name  |
| the rule is a check of the data                                                              | quality       |
| every column of the group fails a check; of a rule about the whole model, any column does    | quality       |
| the rule asks whether labels and scores have parted, or is about a metric and such a one fires | concept     |
| the group is about the label's own distribution                                              | label         |
| the rule is about a metric, and an input column drifts                                       | covariate     |
| it is about a metric that labels have measured, and no input column that was looked at drifts | concept      |
| it is about an estimated metric, and an output drifts                                        | prediction    |
| it is about a metric, whatever else                                                          | performance   |
| an input column drifts, in the group or beside it                                            | covariate     |
| else                                                                                         | prediction    |

The first that holds is the kind. What fires beside the group is what the reports note that moved it, so that a replay
says the same.
"""

from collections.abc import Iterator

from driftwatch.evaluation.alerts import State, Transition
from driftwatch.evaluation.groups import OUTPUTS, Group
from driftwatch.evaluation.kinds import LABEL
from driftwatch.evaluation.kinds import kind_of as kind_of_monitor
from driftwatch.evaluation.report import AlertNote, Report
from driftwatch.statistics.comparison import FAMILY as COMPARISON
from driftwatch.statistics.drift import FAMILY as DRIFT
from driftwatch.statistics.performance import CONCEPT, ESTIMATION
from driftwatch.statistics.performance import FAMILY as PERFORMANCE
from driftwatch.statistics.reading import Reading, Status

_COVARIATE, _PREDICTION, _QUALITY = "covariate", "prediction", "quality"
_CONTROL, _FAIRNESS = "control", "fairness"
_THEMSELVES = frozenset({_CONTROL, _FAIRNESS, COMPARISON, _QUALITY, CONCEPT})
_OF_COLUMNS = frozenset({_COVARIATE, _PREDICTION, _QUALITY})


def kind_of(group: Group) -> str:
    """Say which row of the table a group is in."""
    own, lead = _kind_of_step(group.lead.step, group.lead.report), group.lead
    if own in _THEMSELVES:
        return own
    beside = {_kind_of_note(note) for note in _firing(group)}
    of_metric = own in {PERFORMANCE, ESTIMATION}
    if _fails_checks(group, beside, of_model=of_metric):
        return _QUALITY
    if of_metric:
        return _behind_metric(own, beside, known=_knows_inputs(lead.report))
    if LABEL in group.columns:
        return LABEL
    inside = {kind_of_monitor(move.step.column, move.step.statistic) for move in group.moves}
    return _COVARIATE if _COVARIATE in inside | beside else _PREDICTION


def columns_of(group: Group, kind: str) -> list[str]:
    """The columns in which it shows: those of the group, by rank, then by name those that fire beside it.

    Of changes in columns only those that are of the kind: the cause of a score that drifts are the inputs that do.
    """
    moved = [
        move.step.column
        for move in group.moves
        if kind not in _OF_COLUMNS or _kind_of_step(move.step, move.report) == kind
    ]
    beside = sorted({note.column for note in _firing(group) if _kind_of_note(note) == kind})
    return [column for column in dict.fromkeys((*moved, *beside)) if column]


def judged(step: Transition, report: Report) -> Reading | None:
    """The reading that moved an alert; of one name there may be a realised and an estimated one."""
    named = [each for each in report.readings if (each.column, each.statistic) == (step.column, step.statistic)]
    same = [each for each in named if each.value == step.value]
    return next(iter(same or named), None)


def _behind_metric(own: str, beside: set[str], *, known: bool) -> str:
    """The kind of change behind a metric; known: whether inputs were looked at."""
    if CONCEPT in beside:
        return CONCEPT
    if _COVARIATE in beside:
        return _COVARIATE
    if own == PERFORMANCE:
        return CONCEPT if known else PERFORMANCE
    return _PREDICTION if _PREDICTION in beside else PERFORMANCE


def _fails_checks(group: Group, beside: set[str], *, of_model: bool) -> bool:
    """Whether failed checks stand for all of it."""
    if of_model or not group.columns:
        return _QUALITY in beside
    failing = {note.column for note in _firing(group) if _kind_of_note(note) == _QUALITY}
    return failing.issuperset(group.columns)


def _knows_inputs(report: Report) -> bool:
    """Whether the drift of any input was looked at: not once the rows are gone, nor without a reference."""
    return any(
        each.family == DRIFT and each.column not in {*OUTPUTS, LABEL} and each.status is Status.OK
        for each in report.readings
    )


def _firing(group: Group) -> Iterator[AlertNote]:
    """The alerts that fire in the windows of the group, its own among them."""
    for report in {id(move.report): move.report for move in group.moves}.values():
        yield from (note for note in report.alerts if note.state == State.FIRING)


def _kind_of_note(note: AlertNote) -> str:
    return kind_of_monitor(note.column, note.statistic)


def _kind_of_step(step: Transition, report: Report) -> str:
    """What a rule is about: what it judged knows it best, for an estimate is no measurement."""
    reading = judged(step, report)
    if reading is None or reading.family == DRIFT:
        return kind_of_monitor(step.column, step.statistic)
    return reading.family
