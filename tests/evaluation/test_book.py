"""The alerts of a model while a window's cells are looked at: what an end says of the rule's other alerts."""

from dataclasses import replace

from driftwatch.evaluation.alerts import Alerts, Cell
from driftwatch.evaluation.book import AlertBook
from driftwatch.evaluation.detectors import Detectors
from tests.evaluation.readings import rule
from tests.evaluation.test_evaluate import evaluator, look

HIGH, LOW = 0.5, 0.1


def looks(at: int, **values: float):
    """A look at each cell, called by version and segment: `v7_`, `v7_DE`, in which the statistic has this value."""
    for name, value in values.items():
        version, _, segment = name.removeprefix("v").partition("_")
        yield replace(look(value, at), cell=Cell("fraud", version, segment))


def book() -> AlertBook:
    rules = (rule(above=0.2), rule(name="slower", above=0.2, keep_for=9))
    return AlertBook(evaluator(*rules), Alerts(), Detectors())


def told(of: AlertBook, at: int, **values: float) -> list[tuple[str, str, str, int]]:
    """Segment, rule, state and what still fires, of each step."""
    findings = of.evaluate_all(looks(at, **values))
    return [(step.segment, step.rule, step.state, step.still_firing) for each in findings for step in each.transitions]


def test_an_end_counts_what_goes_on() -> None:
    """Alerts of its rule and version alone, whichever segment comes first, and those of segments without rows, too."""
    opened = book()
    told(opened, 0, v7_=HIGH, v7_DE=HIGH, v7_AT=HIGH, v8_=HIGH)

    first = told(opened, 1, v7_=LOW, v7_DE=HIGH, v8_=HIGH)
    assert first == [("", "drift", "resolved", 2)]
    assert told(opened, 2, v7_=LOW, v7_DE=LOW, v8_=HIGH) == [("DE", "drift", "resolved", 1)]
    assert told(opened, 3, v7_=LOW, v7_AT=LOW, v8_=HIGH) == [("AT", "drift", "resolved", 0)]


def test_all_of_a_window_say_the_same() -> None:
    """What ends in one window ends together: the last of them is known to the first."""
    opened = book()
    told(opened, 0, v7_=HIGH, v7_DE=HIGH)

    assert told(opened, 1, v7_=LOW, v7_DE=LOW) == [("", "drift", "resolved", 0), ("DE", "drift", "resolved", 0)]


def test_a_beginning_counts_nothing() -> None:
    """How many fire is of interest at an end."""
    assert {left for *_, left in told(book(), 0, v7_=HIGH, v7_DE=HIGH)} == {0}
