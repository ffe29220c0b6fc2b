"""Which letters a group makes for which targets."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from driftwatch.daemon.past import OutboxPast
from driftwatch.evaluation.alerts import State, Transition
from driftwatch.evaluation.events import webhook_id
from driftwatch.evaluation.groups import Group, Move
from driftwatch.ports.letters import Letter
from driftwatch.sinks.letters import write_letters
from driftwatch.sinks.occasion import Occasion
from driftwatch.sinks.targets.webhook import WebhookSpec
from tests.sinks.outboxes import NoOutbox
from tests.store.examples import START, report, transition

HOUR = 3_600_000


def target(name: str, *actions: str, **changes: Any) -> WebhookSpec:
    written = {"name": name, "url": "http://trainer/", "secret_env": "HOOK", "actions": list(actions)}
    return WebhookSpec.model_validate(written | changes)


def write(step: Transition, *targets: WebhookSpec, sent: Sequence[Letter] = ()) -> list[Letter]:
    """Write the letters of a step alone at START; `sent`: letters that were created before."""
    alone = Group((Move(step, report()),))
    occasion = Occasion(START, OutboxPast(NoOutbox(), sent), base_url="http://d")
    return write_letters(alone, targets=targets, occasion=occasion)


def test_each_willing_target_gets_its_letter() -> None:
    """In the order of the targets, each under its own id, due at once."""
    step = transition(action="retrain")
    letters = write(step, target("pager", "notify"), target("deploy", "rollback"), target("trainer", "retrain"))

    assert [(letter.target, letter.type) for letter in letters] == [
        ("pager", "driftwatch.alert.firing"),
        ("trainer", "driftwatch.retrain.requested"),
    ]
    alone = Group((Move(step, report()),))
    assert [letter.id for letter in letters] == [webhook_id(alone, "pager"), webhook_id(alone, "trainer")]
    assert {(letter.alert_id, letter.created_ms, letter.next_ms) for letter in letters} == {
        (step.alert_id, START, START)
    }
    assert [json.loads(letter.body)["type"] for letter in letters] == [letter.type for letter in letters]


@pytest.mark.parametrize(
    ("ago_ms", "model", "action", "count"),
    [
        (6 * HOUR - 1, "fraud", "retrain", 0),
        (6 * HOUR, "fraud", "retrain", 1),
        (0, "credit", "retrain", 1),
        (0, "fraud", "rollback", 1),
        (0, "fraud", "notify", 1),
    ],
)
def test_cooldown(ago_ms: int, model: str, action: str, count: int) -> None:
    """The same request for the same model is not repeated within the cool-down; notices always go."""
    trainer = target("trainer", "notify", "retrain", "rollback", cooldown="6h")
    (first,) = write(transition(action="retrain"), trainer)
    step = transition(window=3, action=action, model=model)
    (letter,) = write(step, trainer, sent=[replace(first, created_ms=START - ago_ms)])

    assert (letter.state, letter.last_result) == (("pending", "") if count else ("dropped", "cooldown"))


def test_no_cooldown_by_default() -> None:
    """Without a cool-down every episode asks, even in the same millisecond."""
    trainer = target("trainer", "retrain")
    (first,) = write(transition(action="retrain"), trainer)

    assert write(transition(action="retrain"), trainer, sent=[first]) == [first]


def test_a_pending_alert_tells_nobody() -> None:
    """Nothing is sent before an alert fires."""
    assert write(transition(State.PENDING), target("pager", "notify")) == []
