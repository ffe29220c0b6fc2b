"""The kind of change: every row of the table, and the columns in which it shows."""

import pytest

from driftwatch.evaluation.alerts import State
from driftwatch.evaluation.change import columns_of, kind_of
from driftwatch.evaluation.groups import Group, Move
from driftwatch.evaluation.report import AlertNote
from driftwatch.statistics.reading import Status
from tests.store.examples import reading, report, transition

FAMILIES = {
    "accuracy": "performance",
    "loss_change": "concept",
    "missing": "quality",
    "volume": "quality",
    "control_changed": "control",
    "disparate_impact_ratio": "fairness",
}
LOOKED_AT = reading("zip", "psi", 0.01)


def group(*moved: str, beside: tuple[str, ...] = (), family: str = "", looked: bool = True) -> Group:
    """Steps written "column statistic", and what fires beside them in the same report; all in one window."""
    names = [tuple(name.split(" ")) for name in moved]
    notes = [tuple(name.split(" ")) for name in (*moved, *beside)]
    readings = tuple(
        reading(column, statistic, family=family or FAMILIES.get(statistic, "drift")) for column, statistic in names
    )
    made = report(
        readings=(*readings, *((LOOKED_AT,) if looked else ())),
        alerts=tuple(AlertNote("id", "rule", column, "firing", "warning", "why", of) for column, of in notes),
    )
    steps = [transition(column=column, statistic=statistic) for column, statistic in names]
    return Group(tuple(Move(step, made) for step in steps))


TABLE = [
    ("golden sets", group("golden control_changed"), "control", ["golden"]),
    ("fairness", group("gender disparate_impact_ratio", beside=("amount psi",)), "fairness", ["gender"]),
    ("two versions", group(" accuracy", family="comparison"), "comparison", []),
    ("a check", group("amount missing", beside=("zip psi", "age missing")), "quality", ["amount", "age"]),
    ("a check of the stream", group(" volume"), "quality", []),
    ("drift of a column that fails a check", group("amount psi", beside=("amount missing",)), "quality", ["amount"]),
    ("drift of more than fails", group("amount psi", "age psi", beside=("amount missing",)), "covariate",
     ["amount", "age"]),
    ("drift beside a check elsewhere", group("amount psi", beside=("zip missing",)), "covariate", ["amount"]),
    ("a metric beside a failed check", group(" accuracy", beside=("zip missing",)), "quality", ["zip"]),
    ("a metric beside a silent stream", group(" accuracy", beside=(" volume",)), "quality", []),
    ("labels and scores part", group(" loss_change", beside=("amount psi",)), "concept", []),
    ("a metric beside them", group(" accuracy", beside=(" loss_change", "amount psi")), "concept", []),
    ("the label", group("label psi"), "label", ["label"]),
    ("outputs beside the label", group("score psi", beside=("label psi",)), "prediction", ["score"]),
    ("a metric beside inputs", group(" accuracy", beside=("amount psi", "score psi", "age tv")), "covariate",
     ["age", "amount"]),
    ("a metric without inputs", group(" accuracy", beside=("score psi",)), "concept", []),
    ("a metric of a class", group("yes accuracy"), "concept", ["yes"]),
    ("a metric, rows gone", group(" accuracy", looked=False), "performance", []),
    ("an estimate beside inputs", group(" accuracy", beside=("amount psi",), family="estimation"), "covariate",
     ["amount"]),
    ("an estimate beside outputs", group(" accuracy", beside=("score psi",), family="estimation"), "prediction",
     ["score"]),
    ("an estimate alone", group(" accuracy", family="estimation"), "performance", []),
    ("inputs", group("amount psi", "age psi", beside=("zip psi",)), "covariate", ["amount", "age", "zip"]),
    ("inputs and outputs", group("score psi", "amount psi"), "covariate", ["amount"]),
    ("outputs beside inputs", group("score psi", beside=("amount psi",)), "covariate", ["amount"]),
    ("outputs", group("score psi", beside=("prediction tv",)), "prediction", ["score", "prediction"]),
]  # fmt: skip


@pytest.mark.parametrize(("told", "kind", "columns"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_table(told: Group, kind: str, columns: list[str]) -> None:
    """What moved and what fires beside it decide; the columns are those in which that kind shows."""
    assert kind_of(told) == kind
    assert columns_of(told, kind) == columns


def test_what_has_ended_fires_no_more() -> None:
    """An alert that the window ended, or that waits, says nothing of what fires."""
    notes = tuple(
        AlertNote("id", "drift", "amount", state, "warning", "why", "psi") for state in (State.RESOLVED, State.PENDING)
    )
    made = report(readings=(reading("", "accuracy", family="performance"), LOOKED_AT), alerts=notes)

    assert kind_of(Group((Move(transition(column="", statistic="accuracy"), made),))) == "concept"


def test_too_few_rows_are_no_look() -> None:
    """Inputs of which nothing could be said do not make a bad metric a change of concept."""
    unknown = reading("amount", "psi", status=Status.TOO_FEW)
    made = report(readings=(reading("", "accuracy", family="performance"), unknown))

    assert kind_of(Group((Move(transition(column="", statistic="accuracy"), made),))) == "performance"
