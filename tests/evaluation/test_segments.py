"""Segments of a window: what each is compared with, which rules watch it, and which have nothing to say."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from driftwatch.evaluation.alerts import Alerts, Cell
from driftwatch.evaluation.baselines import SegmentBaselines
from driftwatch.evaluation.book import AlertBook
from driftwatch.evaluation.detectors import Detectors
from driftwatch.evaluation.evaluate import Evaluator, Look
from driftwatch.evaluation.report import Arrivals, Performance, Window
from driftwatch.evaluation.rules import RuleSpec
from driftwatch.evaluation.segments import Sight
from driftwatch.statistics.drift import Baseline
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.segmented import segment_numbers
from tests.dividing import state_of
from tests.monitors import DIVIDED, LAYOUT, Row, batch_of
from tests.strategies import profile_of

NAMES = DIVIDED.segment_names
DE, OTHER = NAMES[:2]


def rule(name: str, **written: object) -> RuleSpec:
    """One that fires when a column's shares have moved by more than 0.4."""
    return RuleSpec.model_validate({"name": name, "statistic": "tv", "above": 0.4, "min_rows": 5} | written)


def rows(country: int, amounts: range, count: int) -> list[Row]:
    """Rows of one country."""
    return [Row("p", n, "1", amounts[n % len(amounts)], country) for n in range(count)]


REFERENCE = [*rows(0, range(4), 40), *rows(1, range(4, 8), 40)]
CURRENT = [*rows(0, range(4), 40), *rows(1, range(4, 6), 36), *rows(2, range(4, 6), 4)]


def evaluator(*rules: RuleSpec, kept_bytes: int = 1 << 20) -> Evaluator:
    """Compares each segment with its own rows of the reference."""
    batch = batch_of(REFERENCE)
    state = state_of(batch, numbers(REFERENCE), LAYOUT, count=len(NAMES))
    profiles = [state.profile(number) for number in range(len(NAMES))]
    segments = SegmentBaselines(LAYOUT, NAMES, profiles, kept_bytes=kept_bytes)
    return Evaluator(Baseline.of(LAYOUT, profile_of(batch, LAYOUT)), rules, segments=segments)


def numbers(some: list[Row]) -> np.ndarray:
    """The segments of rows."""
    batch = batch_of(some)
    return segment_numbers(DIVIDED, DIVIDED.codes(batch.numeric, batch.categorical))


def looks(some: list[Row], **known: object) -> list[Look]:
    """At a window of these rows and its segments."""
    batch = batch_of(some)
    whole = Look(Cell("m", "1", ""), Window(0, 100, batch.rows), 1, profile_of(batch, LAYOUT))
    state = state_of(batch, numbers(some), LAYOUT, count=len(NAMES))
    return list(Sight(whole, **known).looks(state, NAMES))


def fired(judge: Evaluator, some: list[Row]) -> set[tuple[str, str, str]]:
    """Rule, segment and column of the alerts that a window raises."""
    steps = [step for look in looks(some) for step in judge.evaluate(look, Alerts()).transitions]
    return {(step.rule, step.segment, step.column) for step in steps}


def test_the_whole_comes_first_and_then_each_segment_with_rows():
    """In their order; the rows of a dimension add up."""
    found = looks(CURRENT)
    assert [(look.cell.segment, look.window.rows) for look in found] == [
        ("", 80), (DE, 40), (OTHER, 40), ("amount<=2", 30), ("2<amount<=5", 50),
    ]  # fmt: skip
    assert all(look.profile.rows == look.window.rows for look in found)


def test_an_alert_in_one_segment_only():
    """Half of the rows of one country change; that is little of all rows, and nothing of the other country."""
    assert fired(evaluator(rule("drift")), CURRENT) == {("drift", OTHER, "amount")}


def test_a_segment_is_kept_or_prepared_anew_alike():
    """Memory for prepared references is bounded; what is said does not depend on it."""
    said = [
        [str(evaluator(kept_bytes=room).evaluate(look, Alerts()).report.document()) for look in looks(CURRENT)]
        for room in (0, 1 << 20)
    ]
    assert said[0] == said[1]


def test_a_segment_without_a_past_is_compared_with_nothing():
    """Its readings say so, and no rule speaks."""
    judge = evaluator(rule("drift"))
    last = Look(Cell("m", "1", NAMES[-1]), Window(0, 100, 40), 1, profile_of(batch_of(CURRENT), LAYOUT))
    finding = judge.evaluate(last, Alerts())
    assert {reading.status.value for reading in finding.report.readings} == {"no_reference"}
    assert not finding.transitions


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, {"", DE, OTHER}),
        ({"segments": True}, {"", DE, OTHER}),
        ({"segments": False}, {""}),
        ({"segments": [OTHER]}, {OTHER}),
        ({"segments": ["", DE]}, {"", DE}),
    ],
)
def test_a_rule_says_which_segments_it_watches(written, expected):
    """All, none or some; all rows together are the segment without a name."""
    moved = [replace(row, amount=8) for row in CURRENT]
    steps = fired(evaluator(rule("drift", **written)), moved)
    assert {segment for _, segment, _ in steps if not segment.startswith(("amount", "2<"))} == expected


def test_thresholds_are_those_of_the_rules_that_watch():
    """A reading shows no threshold that it does not meet."""
    judge = evaluator(rule("wide", segments=False, above=0.2), rule("narrow", above=0.4))
    shown = [judge.evaluate(look, Alerts()).report.thresholds["amount", "tv"] for look in looks(CURRENT)]
    assert shown == [0.2, 0.4, 0.4, 0.4, 0.4]


@pytest.mark.parametrize("segments", ["channel=web", "no", 1, [1]])
def test_what_says_no_segments_is_refused(segments):
    """Neither a text nor a number is taken for a yes."""
    with pytest.raises(ValidationError):
        rule("drift", segments=segments)


def test_rows_that_were_let_go():
    """Then only segments that labels came for have something to say; how many rows they had is what is remembered."""
    whole = Look(Cell("m", "1", ""), Window(0, 100, 80), 3, None)
    said = Performance((), Arrivals(7, 5, 2, 0, 0))
    sight = Sight(whole, {"": said, DE: said}, frozenset({("auc", ""), ("auc", DE), ("f1", DE)}))
    _, part = sight.looks(None, NAMES)
    assert (part.cell.segment, part.window.rows, part.revision, part.profile) == (DE, 7, 3, None)
    assert part.decided == {"auc", "f1"}


def test_the_book_gives_each_cell_its_own_alerts():
    """And all of them together again."""
    judge = evaluator(rule("drift"))
    moved = [replace(row, amount=8) for row in CURRENT]
    book = AlertBook(judge, Alerts(), Detectors())
    for look in looks(moved):
        book.evaluate(look)
    together = book.alerts
    assert {segment for _, _, segment, _ in together.episodes} == {"", DE, OTHER, NAMES[-2]}
    again = AlertBook(judge, together, Detectors())
    assert again.alerts == together
    (own,) = [look for look in looks(moved) if look.cell.segment == DE]
    report, standing = again.recall(own)
    assert [(note.rule, report.segment) for note in report.alerts] == [("drift", DE)]
    assert {step.segment for step in standing} == {DE}
    assert not again.recall(replace(own, cell=Cell("m", "2", DE)))[1]


def test_the_empty_profile_makes_a_baseline():
    """Of a segment that the reference has no row of."""
    assert SegmentBaselines(LAYOUT, ("s",), [Profile.empty(LAYOUT)]).of("s").baseline.rows == 0
