"""Steps of single alerts; their letters, under the ids of before several made one: `golden/letters_v1.json`."""

from driftwatch.evaluation.alerts import State, Transition
from driftwatch.evaluation.report import AlertNote, Report
from driftwatch.statistics.reading import Reading, Stage, Status, Support
from tests.store.examples import NAN, reading, report, transition

TARGET, BASE_URL = "trainer", "https://driftwatch.example/"
_LONG = "c" * 500


def cases() -> dict[str, tuple[Transition, Report]]:
    """By name: a step, and the report that moved it."""
    notes = tuple(
        AlertNote("id", "drift", column, state, "warning", "held_for")
        for column, state in [("zip", "firing"), ("age", "firing"), ("country", "pending"), ("score", "firing")]
    )
    many = (reading(statistic="js", value=0.2), reading("age", "psi", 0.5), reading(), reading(statistic="ks"))
    return {
        "drift": (transition(window=2), report(2, readings=many, alerts=notes)),
        "resolved": (transition(State.RESOLVED, window=3, value=0.02, lower=NAN), report(3, readings=many)),
        "segment": (transition(segment="country=DE"), report(segment="country=DE", readings=many)),
        "output": (transition(column="score"), report(readings=(reading("score"),), alerts=notes)),
        "quality": (
            transition(statistic="missing", rule="missing"),
            report(readings=(reading(statistic="missing", family="quality"),)),
        ),
        "performance": (
            transition(column="", statistic="accuracy", rule="acc", value=0.7, threshold=0.75),
            report(readings=(_accuracy(Stage.FINAL, 0.7), _accuracy(Stage.ESTIMATED, 0.8)), thresholds={}),
        ),
        "long": (
            transition(column=_LONG),
            report(readings=tuple(reading(_LONG, f"s{n}", n) for n in range(99)), thresholds={(_LONG, "s9"): 0.1}),
        ),
        "longest": (transition(column="c" * 30_000, rule="r" * 9_000), report(readings=())),
    }


def _accuracy(stage: Stage, value: float) -> Reading:
    return reading(
        "", "accuracy", value, family="performance", status=Status.OK, support=Support(stage=stage, coverage=0.9)
    )
