"""PagerDuty, as developer.pagerduty.com describes the Events API v2: what is raised, and what is resolved when."""

import json

import pytest

from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.groups import lane
from driftwatch.evaluation.incidents import Phase
from driftwatch.sinks.attempts import Result
from tests.sinks.targets.faults import answer, made, reply
from tests.sinks.targets.notices import BASE, end, incident, notice, turn

TABLE = {"type": "pagerduty", "routing_key_env": "ROUTING_KEY"}
LANE = lane("fraud", "7", rule="drift")
LONGEST_KEY, LONGEST_SUMMARY = 255, 1024


@pytest.fixture(autouse=True)
def routing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTING_KEY", "R0UT1NG")


def test_trigger() -> None:
    """The routing key, the key of the incident, what is known and where there is more."""
    letter = notice("amount", "age")
    found, (asked,) = answer(made(**TABLE), reply(202), letter=letter)
    data = json.loads(letter.body)["data"]
    expected = {
        "routing_key": "R0UT1NG",
        "dedup_key": LANE,
        "event_action": "trigger",
        "payload": {
            "summary": "fraud 7: alert, rule drift: covariate change in amount, age",
            "source": "fraud",
            "severity": "warning",
            "timestamp": "2026-01-05T11:00:00Z",
            "component": "7",
            "group": "drift",
            "class": "driftwatch.alert.firing",
            "custom_details": data,
        },
        "links": [{"href": address, "text": name} for name, address in data["links"].items()],
        "client": "driftwatch",
        "client_url": f"{BASE}/",
    }

    assert found.result is Result.DELIVERED
    assert asked.url == "https://events.pagerduty.com/v2/enqueue"
    assert asked.headers == {"content-type": "application/json"}
    assert asked.body == json.dumps(expected, separators=(",", ":"), ensure_ascii=False).encode()
    assert len(LANE) <= LONGEST_KEY


def test_fifty_columns_are_one_incident_until_the_last_has_ended() -> None:
    """Groups that begin or end at different times have one key; while any of the rule fires, nothing is resolved."""
    columns = [f"c{n:02}" for n in range(50)]
    target = made(**TABLE)
    letters = [
        notice(*columns[:30]), notice(*columns[30:]), end(*columns[:49], still_firing=1), end(columns[49]),
    ]  # fmt: skip
    sent = []
    for letter in letters:
        found, requests = answer(target, reply(202), letter=letter)
        assert found.result is Result.DELIVERED
        sent += [json.loads(asked.body) for asked in requests]

    assert [(body["event_action"], body["dedup_key"]) for body in sent] == [
        ("trigger", LANE), ("trigger", LANE), ("resolve", LANE),
    ]  # fmt: skip
    assert sent[-1].keys() == {"routing_key", "dedup_key", "event_action"}


def test_an_end_that_is_not_the_last_says_so() -> None:
    """Nothing is sent, and the log tells why."""
    found, requests = answer(made(**TABLE), reply(500), letter=end("amount", still_firing=3))

    assert (found.result, requests) == (Result.DELIVERED, [])
    assert found.detail == "not resolved: 3 of the rule's alerts still fire"


def test_an_incident_that_does_not_recover() -> None:
    """It is raised apart from its alerts, and resolved by its recovery, whichever version brings it."""
    target = made(**TABLE)
    bad = turn(EventType.NOT_RECOVERED, incident(Phase.NOT_RECOVERED))
    good = turn(EventType.RECOVERED, incident(Phase.RECOVERED, new_version="9"))
    raised, ended = (json.loads(answer(target, reply(202), letter=each)[1][0].body) for each in (bad, good))

    assert (raised["event_action"], ended["event_action"]) == ("trigger", "resolve")
    assert raised["dedup_key"] == ended["dedup_key"] != LANE
    assert raised["payload"]["severity"] == "critical"
    assert raised["payload"]["summary"] == "fraud 7: not recovered: covariate change in amount"


def test_long_names_are_cut() -> None:
    """PagerDuty refuses a longer summary."""
    _, (asked,) = answer(made(**TABLE), reply(202), letter=notice(*("c" * 400 + str(n) for n in range(5)), base=""))
    body = json.loads(asked.body)

    assert len(body["payload"]["summary"]) == LONGEST_SUMMARY
    assert body["links"] == []
    assert "client_url" not in body


@pytest.mark.parametrize(
    ("status", "result"), [(202, Result.DELIVERED), (400, Result.HTTP_ERROR), (429, Result.THROTTLED)]
)
def test_answers(status: int, result: Result) -> None:
    """202 is success; 429 is waited for."""
    assert answer(made(**TABLE), reply(status), letter=notice())[0].result is result
