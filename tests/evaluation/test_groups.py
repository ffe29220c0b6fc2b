"""What moves together is one group: which steps, in which order, and what its letter says."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.evaluation.alerts import State, Transition
from driftwatch.evaluation.event_body import MAX_BODY_BYTES, event_body
from driftwatch.evaluation.events import EventType, webhook_id
from driftwatch.evaluation.groups import Group, Move, grouped, lane
from driftwatch.evaluation.report import AlertNote, Report
from tests.evaluation.letter_cases import BASE_URL, TARGET, cases
from tests.store.examples import HOUR, NAN, START, reading, report, transition

FIRING, RETRAIN = EventType.FIRING, EventType.RETRAIN
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "letters_v1.json").read_text(encoding="utf-8"))


def step(column: str, lower: float = 0.27, **changes) -> Transition:
    """A step of an alert that is called by its column and segment."""
    state, window = changes.pop("state", State.FIRING), changes.pop("window", 0)
    made = transition(state, column=column, window=window, value=lower + 0.04, lower=lower, **changes)
    name = f"{column} {made.segment} {made.rule} {made.version}"
    return replace(made, alert_id=name, identity=f"{name} {window} {state}")


def moved(*steps: Transition, revision: int = 1) -> list[Report]:
    """The reports that moved these steps: one of each window and cell."""
    cells = {(each.model, each.version, each.segment, each.window_start_ms): [] for each in steps}
    for each in steps:
        note = AlertNote(each.alert_id, each.rule, each.column, each.state, each.severity, each.reason)
        cells[each.model, each.version, each.segment, each.window_start_ms].append(note)
    return [
        report((start - START) // HOUR, model=model, version=version, segment=segment, alerts=tuple(notes),
               revision=revision)
        for (model, version, segment, start), notes in cells.items()
    ]  # fmt: skip


def together(*steps: Transition, importance=None) -> list[Group]:
    return grouped(steps, moved(*steps), importance={"fraud": importance or {}})


def columns(group: Group) -> list[str]:
    return [f"{move.step.column}{move.step.segment}" for move in group.moves]


def data(group: Group) -> dict:
    return json.loads(event_body(FIRING, group))["data"]


def test_a_letter_of_one_alert_is_what_it_was() -> None:
    """Byte for byte, under the id that it had before several alerts made one letter."""
    for name, (alone, mover) in cases().items():
        group = Group((Move(alone, mover),))
        for kind in (FIRING, EventType.RESOLVED, RETRAIN):
            body = event_body(kind, group, base_url=BASE_URL if kind is RETRAIN else "")
            assert {"id": webhook_id(group, TARGET), "body": body.decode()} == GOLDEN[f"{name} {kind}"]
    assert len(GOLDEN) == 3 * len(cases())


def test_fifty_columns_are_one_incident() -> None:
    """All that one rule finds in one window, whole rows and segments, by how far beyond the threshold."""
    steps = [step(f"c{n:02}", 0.2 + n / 100) for n in range(50)] + [step("c00", 9.0, segment="country=DE")]
    Random(1).shuffle(steps)
    (group,) = together(*steps)

    assert columns(group) == [f"c{n:02}" for n in reversed(range(50))] + ["c00country=DE"]
    assert group.columns == [f"c{n:02}" for n in reversed(range(50))]


@pytest.mark.parametrize(
    "other",
    [{"rule": "missing"}, {"version": "8"}, {"model": "credit"}, {"window": 1}, {"state": State.RESOLVED}],
    ids=str,
)
def test_what_does_not_move_together(other) -> None:
    """Another rule, version, model, window or direction is another group; their order is that of the steps."""
    steps = [step("b"), step("a", **other), step("a")]

    assert [columns(each) for each in together(*steps)] == [["a", "b"], ["a"]]


def test_another_look_at_the_window_is_another_incident() -> None:
    """Whether two looks at a window come of one batch or of two must not be seen."""
    whole, part = step("", rule="auc"), step("", rule="auc", segment="country=DE")
    reports = moved(whole) + moved(part, revision=2)

    assert [columns(each) for each in grouped([whole, part], reports)] == [[""], ["country=DE"]]


def test_a_step_of_a_golden_set_stands_alone() -> None:
    """It is in no window, and may have come in another batch."""
    at = {"rule": "control", "window_end_ms": START}
    steps = [step("golden-1", **at), step("golden-2", **at)]

    assert len(together(*steps)) == 2


def test_the_first_report_that_knew_is_the_mover() -> None:
    """Of several revisions of a window the one at which the alert moved."""
    moving, note = step("a"), AlertNote("a  drift 7", "drift", "a", "firing", "warning", "held_for")
    reports = [report(revision=1), report(revision=2, alerts=(note,)), report(revision=3, alerts=(note,))]

    (group,) = grouped([moving], reports)
    assert group.lead.report.revision == 2
    with pytest.raises(KeyError):
        grouped([moving], reports[:1])


RANKED = [
    ("outputs first", [step("a", 9.0), step("score", 0.11), step("prediction", 0.12)], {}, "prediction score a"),
    ("an output of a segment, too", [step("a", 9.0), step("score", segment="|s")], {}, "score|s a"),
    ("whole rows first", [step("a", 9.0, segment="|s"), step("b", 0.11)], {}, "b a|s"),
    ("effect times importance", [step("a", 0.3), step("b", 0.2)], {"a": 0.1, "b": 0.3}, "b a"),
    ("1 where it is unknown", [step("a", 0.3), step("b", 0.2)], {"a": 0.1}, "b a"),
    ("then by name", [step("b"), step("a"), step("a", segment="|t"), step("a", segment="|s")], {}, "a b a|s a|t"),
    ("none surely beyond", [step("a", 0.07), step("b", 0.08)], {"a": 0.1, "b": 0.2}, "b a"),
    ("the value without a bound", [replace(step("a"), lower=NAN), step("b", 0.3)], {}, "a b"),
    ("nothing known", [replace(step("a"), value=NAN, lower=NAN), step("b", 0.11)], {}, "b a"),
    ("infinitely far", [replace(step("a"), value=float("inf"), lower=NAN), step("b")], {"a": 0.0}, "b a"),
]


@pytest.mark.parametrize(("steps", "importance", "order"), [row[1:] for row in RANKED], ids=[row[0] for row in RANKED])
def test_rank(steps, importance, order) -> None:
    """Prediction drift first, then whole rows, then effect times importance, then names."""
    (group,) = together(*steps, importance=importance)

    assert " ".join(columns(group)) == order


def test_rank_of_a_rule_with_a_lower_limit() -> None:
    """What is furthest below comes first; the lower bound, which says nothing there, does not count."""
    steps = [replace(step(name), value=value, lower=0.0, threshold=0.8) for name, value in [("a", 0.7), ("b", 0.5)]]

    assert columns(*together(*steps)) == ["b", "a"]


def test_what_has_ended_is_ranked_by_importance() -> None:
    """There is no effect any more."""
    steps = [step(name, 0.01, state=State.RESOLVED) for name in ("a", "b", "c")]

    assert columns(*together(*steps, importance={"a": 0.1, "b": 0.5, "c": 0.3})) == ["b", "c", "a"]


def test_the_letter_of_several() -> None:
    """The first by rank stands where one alert stood; all are listed, with what moved each, and all columns."""
    steps = [
        step("amount", 0.2, started_ms=START - HOUR, window=1),
        step("age", 0.3, window=1),
        step("age", 0.9, segment="country=DE", window=1),
    ]
    notes = tuple(AlertNote("x", "drift", name, "firing", "warning", "held_for") for name in ("zip", "score"))
    movers = moved(*steps)
    readings = (reading("age", value=0.34), reading("age", "js", 0.2), reading("amount", "js", 0.7))
    movers[0] = replace(movers[0], alerts=movers[0].alerts + notes, readings=readings)
    (group,) = grouped(steps, movers)
    said = data(group)

    assert (said["alert"]["id"], said["segment"]) == ("age  drift 7", "")
    assert said["alerts"] == [
        {"id": "age  drift 7", "column": "age", "segment": ""},
        {"id": "amount  drift 7", "column": "amount", "segment": ""},
        {"id": "age country=DE drift 7", "column": "age", "segment": "country=DE"},
    ]
    assert said["alerts_total"] == 3
    assert [(each["column"], each["statistic"], each["lower"], each.get("segment")) for each in said["evidence"]] == [
        ("age", "psi", 0.3, None),
        ("amount", "psi", 0.2, None),
        ("age", "psi", 0.9, "country=DE"),
        ("age", "js", 0.16, None),
    ]
    assert said["cause"] == {"kind": "covariate", "columns": ["age", "amount", "zip"]}
    assert said["suggested_training_range"] == {"start": "2026-01-05T09:00:00Z", "end": "2026-01-05T12:00:00Z"}


def test_a_thousand_columns_in_ten_segments() -> None:
    """The body stays in its bounds, and what it keeps is what ranks first."""
    segments = ["", *(f"country={n}" for n in range(10))]
    steps = [step(f"column_{n:04}", 0.2 + n / 1000, segment=segment) for segment in segments for n in range(1000)]
    (group,) = together(*steps)
    body = event_body(RETRAIN, group, base_url="http://d")
    said = json.loads(body)["data"]

    assert len(body) <= MAX_BODY_BYTES
    assert said["alerts_total"] == 11_000
    ranked = [f"column_{n:04}" for n in reversed(range(1000))]
    for listed in ([each["column"] for each in said["alerts"]], [each["column"] for each in said["evidence"]],
                   said["cause"]["columns"]):  # fmt: skip
        assert len(listed) >= 50
        assert listed == ranked[: len(listed)]
    assert said["links"]


@given(
    texts=st.lists(st.text(max_size=30), min_size=4, max_size=4),
    times=st.sampled_from([1, 10, 100, 1000]),
    count=st.integers(2, 150),
)
def test_the_letter_of_several_is_bounded(texts: list[str], times: int, count: int) -> None:
    """Whatever names come in: valid JSON under 20 kB, the same again, with the first by rank and how many there are."""
    model, version, rule, column = (text * times for text in texts)
    steps = [step(f"{column}{n}", 0.2 + n, model=model, version=version, rule=rule) for n in range(count)]
    (group,) = grouped(steps, moved(*steps))
    body = event_body(RETRAIN, group, base_url="http://d")
    said = json.loads(body)["data"]

    assert len(body) <= MAX_BODY_BYTES
    assert event_body(RETRAIN, group, base_url="http://d") == body
    assert said["alerts_total"] == count
    assert len(said["alerts"]) >= 1
    assert said["evidence"][0]["lower"] == group.lead.step.lower


@given(st.permutations([step(name, 0.2 + n) for n, name in enumerate("abcde")]), st.sampled_from([{}, {"a": 0.0}]))
def test_the_name_of_a_letter_is_that_of_its_steps(steps: list[Transition], importance: dict[str, float]) -> None:
    """Whatever their order and rank; another step more, or another target, is another letter."""
    (group,) = together(*steps, importance=importance)
    (fewer,) = together(*steps[1:])

    (ordered,) = together(*sorted(steps, key=str))

    assert webhook_id(group, "pager") == webhook_id(ordered, "pager")
    assert len({webhook_id(each, target) for each in (group, fewer) for target in ("pager", "trainer")}) == 4


def test_lanes() -> None:
    """One for all groups that an alert can ever be in, whatever its column and segment."""
    lanes = {lane(model, version, rule=rule) for model in "ab" for version in "12" for rule in ("drift", "missing")}

    assert len(lanes) == 8
