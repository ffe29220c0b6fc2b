import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.errors import StateError
from driftwatch.quality import control, control_state
from driftwatch.quality.control import ControlSets, ControlStanding
from driftwatch.stream.decode import Decoder
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reader import Intake
from driftwatch.stream.schema import Schema, Task

SCHEMA = Schema("fraud", Task.BINARY, (), ())
FORM = OutputForm(Task.BINARY, ("0", "1"))


def controls(*events, stream=Stream.PREDICTIONS, form=FORM):
    """What decode keeps apart of these events."""
    decoder = Decoder([Intake(Schema("fraud", form.task, (), ()), 10**12, form)])
    lines = tuple(
        json.dumps({"model": "fraud", "time": 1_000, "control": "golden-1", **event}).encode() for event in events
    )
    decoded = decoder.decode(Raw(stream, "http", "http/x", lines, 2_000, 0))
    assert not decoded.rejected
    return decoded.controls["fraud"]


def said(name, score, *, version="1", time=1_000, **more):
    return {"id": name, "score": score, "version": version, "time": time, **more}


def sets_of(*parts, names=("golden-1",), form=FORM, **options):
    sets = ControlSets(form, names, **options)
    for part in parts:
        for some in part:
            sets.add(some)
    return sets


def standing(sets):
    return {(each.name, each.version): (each.answers, each.changed, each.ids) for each in sets.standings}


def test_an_answer_that_differs_from_the_first_is_reported():
    """The class, and a score that moves; what stays says nothing."""
    first = controls(said("a", 0.9), said("b", 0.2), said("c", 0.3))
    then = controls(
        *(said(name, score, version="2", time=2_000) for name, score in (("a", 0.1), ("b", 0.21), ("c", 0.3)))
    )
    assert standing(sets_of(first, then)) == {
        ("golden-1", "1"): (3, 0, ()),
        ("golden-1", "2"): (3, 2, ("a", "b")),
    }


def test_a_score_may_move_by_the_tolerance_as_long_as_the_class_stays():
    """0.02 allowed: 0.49 to 0.51 is another class all the same."""
    first = controls(said("a", 0.90), said("b", 0.49))
    then = controls(said("a", 0.91, version="2"), said("b", 0.50, version="2"))
    assert standing(sets_of(first, then, tolerance=0.02))["golden-1", "2"] == (2, 1, ("b",))


def test_a_version_that_changes_its_own_answer_is_reported():
    """The same version, later, and when it says the first thing again all is well."""
    sets = sets_of(controls(said("a", 0.9)), controls(said("a", 0.8, time=2_000)))
    assert standing(sets)["golden-1", "1"] == (1, 1, ("a",))
    sets.add(controls(said("a", 0.9, time=3_000))[0])
    assert standing(sets)["golden-1", "1"] == (1, 0, ())


def test_a_label_is_what_is_known():
    """Then it is the prediction that counts, whatever the first answer was and whenever the label comes."""
    labels = controls({"id": "a", "label": 1}, {"id": "b", "label": 0}, stream=Stream.LABELS)
    answers = controls(said("a", 0.9), said("b", 0.9), said("a", 0.6, version="2"), said("b", 0.1, version="2"))
    expected = {("golden-1", "1"): (2, 1, ("b",)), ("golden-1", "2"): (2, 0, ())}
    assert standing(sets_of(labels, answers)) == standing(sets_of(answers, labels)) == expected


def test_a_label_beside_the_prediction():
    """It is known as if it had been sent by itself, on whichever road the event comes; null says nothing."""
    events = [
        said("a", 0.9, label=1), said("b", 0.9, label="0"), said("c", 0.9, label=None), said("d", 0.9),
        said("e", 0.9, label=[7]), said("b", 0.1, version="2", time=2_000),
    ]  # fmt: skip
    expected = {("golden-1", "1"): (5, 1, ("b",)), ("golden-1", "2"): (1, 0, ())}
    assert standing(sets_of(controls(*events))) == expected
    tolerated = [{**event, "note": 10**400} for event in events]
    assert standing(sets_of(controls(*tolerated))) == expected
    columns = {name: [event.get(name) for event in events] for name in ("id", "score", "version", "time", "label")}
    assert standing(sets_of(controls({"columns": columns}))) == expected


@pytest.mark.parametrize(
    ("task", "answer", "good", "bad"),
    [
        (Task.MULTICLASS, {"prediction": "b"}, "b", "a"),
        (Task.REGRESSION, {"prediction": 2.5}, 2.5, 3),
    ],
)
def test_a_label_beside_the_prediction_of_other_tasks(task, answer, good, bad):
    """Classes and numbers alike."""
    form = OutputForm(task, ("a", "b") if task is Task.MULTICLASS else ())
    events = [{"id": "x", **answer, "label": good}, {"id": "y", **answer, "label": bad}]
    assert standing(sets_of(controls(*events, form=form), form=form)) == {("golden-1", ""): (2, 1, ("y",))}


def test_a_label_beside_a_right_answer_raises_nothing_on_the_way():
    """A version that answers otherwise than the first one, and rightly, is at no time counted as changed."""
    sets = sets_of(controls(said("a", 0.9)))
    (some,) = controls(said("a", 0.1, version="2", time=2_000, label=0))
    assert [(each.version, each.changed) for each in sets.add(some)] == [("1", 1), ("1", 1), ("2", 0)]


def test_labels_of_other_predictions_are_not_looked_at():
    """Beside a prediction of no golden set a label says nothing, as ever."""
    decoder = Decoder([Intake(Schema("fraud", Task.BINARY, (), ()), 10**12, FORM)])
    lines = [{"model": "fraud", "id": name, "score": 0.9, "label": 1, **more}
             for name, more in (("a", {}), ("b", {"control": "golden-1"}), ("c", {"control": None}))]  # fmt: skip
    raw = Raw(Stream.PREDICTIONS, "http", "http/x", tuple(json.dumps(line).encode() for line in lines), 2_000, 0)
    decoded = decoder.decode(raw)
    assert (decoded.batches["fraud"].rows, decoded.labels, decoded.unknown_keys) == (2, {}, 0)
    assert [some.labelled for some in decoded.controls["fraud"]] == [(0,)]


def test_only_sets_that_are_declared_are_followed():
    """Names of others are remembered to be told once, a bounded number of them."""
    sets = sets_of(controls(*({**said("a", 0.9), "control": f"set-{place}"} for place in range(100))))
    assert not sets.standings
    assert len(sets.newly_unknown()) == len(sets.unknown) == control.MOST_IDS
    assert sets.newly_unknown() == []


def test_numbers_and_rankings_have_answers_too():
    """A regression's numbers are compared by size, a ranking's items one by one."""
    numbers, lists = OutputForm(Task.REGRESSION), OutputForm(Task.RANKING)
    sizes = {"1": 1e6, "2": 1e6 + 1, "3": 1.1e6}
    parts = [controls({"id": "a", "prediction": size, "version": name}, form=numbers) for name, size in sizes.items()]
    found = standing(sets_of(*parts, form=numbers, tolerance=1e-3))
    assert [found["golden-1", version][1] for version in sizes] == [0, 0, 1]
    orders = {"1": ["x", "y"], "2": ["y", "x"]}
    parts = [controls({"id": "a", "prediction": items, "version": name}, form=lists) for name, items in orders.items()]
    assert standing(sets_of(*parts, form=lists))["golden-1", "2"][1] == 1


answers = st.lists(
    st.builds(
        said, st.sampled_from("abc"), st.sampled_from([0.1, 0.2, 0.9]), version=st.sampled_from("12"),
        time=st.integers(0, 5),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=50)
@given(answers, st.randoms(use_true_random=False))
def test_order_and_repetition_make_no_difference(events, random):
    """Whatever is read first, and whatever is read twice."""
    again = [*events, *random.choices(events, k=3)]
    random.shuffle(again)
    one, other = sets_of(controls(*events)), sets_of(*(controls(event) for event in again))
    assert one.standings == other.standings


@settings(max_examples=30)
@given(answers, answers)
def test_a_restart_makes_no_difference(before, after):
    """Stored after every batch, in the parts that have changed, and gone on with from there."""
    whole, stored = sets_of(), {}
    for events in (before, after):
        resumed = sets_of()
        assert control_state.resume(resumed, stored) == []
        for sets in (whole, resumed):
            sets.add(controls(*events)[0])
        stored |= control_state.changes(resumed)
        resumed.saved()
        assert control_state.changes(resumed) == {}
    last = sets_of()
    control_state.resume(last, stored)
    assert last.standings == whole.standings


def test_memory_is_bounded(monkeypatch):
    """A new version makes room by the one that answered longest ago; what is known stays known."""
    monkeypatch.setattr(control, "MOST_ANSWERS", 4)
    sets = sets_of(controls(said("a", 0.9), said("b", 0.9)))
    sets.add(controls(said("a", 0.9, version="2", time=2_000), said("b", 0.9, version="2", time=2_000))[0])
    sets.add(controls(said("a", 0.1, version="3", time=3_000), said("b", 0.9, version="3", time=3_000))[0])
    assert standing(sets) == {("golden-1", "2"): (2, 0, ()), ("golden-1", "3"): (2, 1, ("a",))}
    sets.add(controls(*(said(str(place), 0.9, version="3", time=4_000) for place in range(9)))[0])
    assert sum(each.answers for each in sets.standings) <= 4
    assert sets.left_out > 0


def test_versions_are_bounded():
    """A flood of them leaves the last ones."""
    sets = sets_of(*(controls(said("a", 0.9, version=str(place), time=place)) for place in range(100)))
    assert sorted(int(each.version) for each in sets.standings) == list(range(100 - control.MOST_VERSIONS, 100))


def test_what_does_not_fit_any_more_is_let_go():
    """Sets that are followed no longer, and answers of another form."""
    stored = control_state.changes(sets_of(controls(said("a", 0.9))))
    assert control_state.resume(sets_of(names=("other",)), stored) == list(stored)
    assert control_state.resume(sets_of(form=OutputForm(Task.REGRESSION)), stored) == list(stored)


def test_damage_is_told():
    """A changed byte, a part that is cut off, and a newer release."""
    ((name, data),) = control_state.changes(sets_of(controls(said("a", 0.9)))).items()
    for bad in (data[:-3] + bytes([data[-3] ^ 1]) + data[-2:], data[:-1], data.replace(b"\x01", b"\x02", 1)):
        with pytest.raises(StateError):
            control_state.read(name, bad)


def test_the_stored_form_is_fixed():
    """What a release has written the next one reads."""
    sets = sets_of(controls(said("a", 0.9)), controls({"id": "a", "label": 1}, stream=Stream.LABELS))
    ((name, data),) = control_state.changes(sets).items()
    assert name == f"{next(iter(sets.items))[1] % 64}/golden-1"
    stored = control_state.read(name, data)
    assert stored.format == 1
    assert sets.standings == (ControlStanding("golden-1", "1", 1, 0, ()),)
    record = np.frombuffer(next(iter(sets.items.values())).last["1"][2], FORM.outputs)
    assert (record["score"][0], record["prediction"][0]) == (0.9, 1)
