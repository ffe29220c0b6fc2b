"""Texts of one's own: what may stand in them, and that no value gets out of its place."""

import json
from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.incidents import Phase
from driftwatch.ports.letters import Letter
from driftwatch.sinks.targets.example import EXAMPLE
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.template import Form, Template, names
from tests.sinks.targets.notices import ID, end, incident, notice, turn


def filled(text: str, letter: Letter | None = None, *, form: Form = Form.JSON) -> str:
    return Template(text, form=form).render(Said.of(letter or notice("amount", "age")))


FILLED = [
    (Form.JSON, '{"model": ${data.model}}', '{"model": "fraud"}'),
    (Form.JSON, '{"text": "drift of ${data.model}!"}', '{"text": "drift of fraud!"}'),
    (Form.JSON, '{"columns": ${data.cause.columns}}', '{"columns": ["amount","age"]}'),
    (Form.JSON, '{"text": "${data.cause.columns}"}', '{"text": "amount, age"}'),
    (Form.JSON, '{"value": ${data.evidence.0.value}}', '{"value": 0.31}'),
    (Form.JSON, '{"none": ${data.evidence.7.value}, "x": "${data.still_firing}"}', '{"none": null, "x": ""}'),
    (Form.JSON, '{"a": "${data.window}"}',
     '{"a": "{\\"start\\":\\"2026-01-05T10:00:00Z\\",\\"end\\":\\"2026-01-05T11:00:00Z\\"}"}'),
    (Form.JSON, '{"quoted \\"${id}\\" here": 1}', f'{{"quoted \\"{ID}\\" here": 1}}'),
    (Form.JSON, '{"price": "$$5 and $5", "then": ${ data.model }}', '{"price": "$5 and $5", "then": "fraud"}'),
    (Form.TEXT, "${data.model} ${data.version}: ${type}\n", "fraud 7: driftwatch.alert.firing\n"),
    (Form.TEXT, "${data.evidence.0.lower} ${data.cause.columns}", "0.27 amount, age"),
    (Form.ENCODED, "model=${data.model}&why=${data.cause.columns}", "model=fraud&why=amount%2C+age"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "text", "expected"), FILLED)
def test_filled(form: Form, text: str, expected: str) -> None:
    """A value is written as its place asks for."""
    assert filled(text, form=form) == expected


def test_the_whole_event() -> None:
    """It may be put somewhere as it is, or as text."""
    letter = notice()
    event = json.loads(letter.body)

    assert json.loads(filled('{"inner": ${event}}', letter)) == {"inner": event}
    assert json.loads(json.loads(filled('{"inner": "${event}"}', letter))["inner"]) == event


REFUSED = [
    (Form.JSON, "drift of ${data.model}", "it makes no JSON: invalid character"),
    (Form.JSON, '{"a": 1${data.alerts_total}}', "it makes no JSON"),
    (Form.JSON, "{${data.model}: 1}", "it makes no JSON"),
    (Form.JSON, '{"a": "\\${data.model}"}', r"a backslash stands before \$\{data.model\}"),
    (Form.TEXT, "${data.modell}", 'events have no data.modell; did you mean "data.model"'),
    (Form.TEXT, "${zzzzzzzz}", "there are data, data.alert, .*timestamp, type"),
    (Form.TEXT, "${data.evidence.0.valu}", 'did you mean "data.evidence.0.value"'),
    (Form.TEXT, "${data.model.x}", "events have no data.model.x"),
    (Form.TEXT, "${}", "is no name"),
    (Form.TEXT, "${data.model + 1}", "is no name"),
    (Form.TEXT, "${__class__}", "events have no __class__"),
    (Form.TEXT, "${data.model", "has no end"),
]


@pytest.mark.parametrize(("form", "text", "words"), REFUSED)
def test_refused(form: Form, text: str, words: str) -> None:
    """A bad text is found before anything is sent."""
    with pytest.raises(ValueError, match=words):
        Template(text, form=form)


@given(model=st.text(), column=st.text())
def test_no_value_gets_out(model: str, column: str) -> None:
    """Whatever names come in: the JSON is what was meant, the form has its fields, nothing is filled twice."""
    letter = notice(column, model=model)
    said = json.loads(filled('{"a": ${data.model}, "b": "<${data.model}> ${data.cause.columns.0}"}', letter))
    assert said["a"] == model
    assert said["b"].startswith(f"<{model}> ")

    form = filled("a=${data.model}&b=1", letter, form=Form.ENCODED)
    assert parse_qs(form, keep_blank_values=True, strict_parsing=True) == {"a": [model], "b": ["1"]}
    assert filled("${data.model}", notice(model="${id}"), form=Form.TEXT) == "${id}"


def keys(value: object, before: str = "") -> set[str]:
    """Every name in a value; what lists hold is alike."""
    if isinstance(value, list):
        return set().union(*(keys(each, f"{before}0.") for each in value))
    if not isinstance(value, dict):
        return set()
    return {f"{before}{key}" for key in value}.union(*(keys(each, f"{before}{key}.") for key, each in value.items()))


def test_the_example_says_all_that_events_say() -> None:
    """A name that an event has can be used, and one that none has cannot."""
    letters = [
        notice("amount", "age"),
        end("amount", "age", still_firing=1),
        notice(kind=EventType.RETRAIN),
        turn(EventType.NOT_RECOVERED, incident(Phase.NOT_RECOVERED)),
    ]
    of_events = set().union(*(keys(names(Said.of(each))) for each in letters))
    # Evidence of another segment, and how far labels had come: not of these events.
    rarely = {"stage", "segment"}
    left = {name for name in keys(dict(EXAMPLE)) - of_events if name.rpartition(".")[2] not in rarely}

    assert of_events <= keys(dict(EXAMPLE))
    assert left == set()


def test_a_repetition_has_its_own_id() -> None:
    """What is sent again on purpose is another message."""
    assert filled("${id}", replace(notice(), repeats=1), form=Form.TEXT) == f"{ID}_1"
