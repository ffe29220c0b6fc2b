"""Alertmanager, as its API v2 (api/v2/openapi.yaml, PostableAlert) describes alerts, and every instance of it."""

import json
from dataclasses import replace

import pytest

from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.incidents import Phase
from driftwatch.sinks.attempts import Result, UnansweredError
from driftwatch.sinks.targets.target import Reply, Request
from tests.sinks.targets.faults import Server, answer, made, reply
from tests.sinks.targets.notices import BASE, ID, NOW_MS, end, incident, notice, turn

TABLE = {"type": "alertmanager", "urls": ["http://am0:9093"]}
NOW, IN_FOUR_MINUTES = "2026-01-05T12:00:00.000+00:00", "2026-01-05T12:04:00.000+00:00"


def posted(letter, **table) -> list[dict]:
    server = Server([reply(200)])
    made(**TABLE | table).deliver(letter, now_ms=NOW_MS, ask=server.ask)
    return json.loads(server.requests[0].body)


def test_a_firing_alert() -> None:
    """Its labels, how long it lasts unless it is said again, and where there is more; nothing else."""
    letter = notice()
    server = Server([reply(200)])
    made(**TABLE).deliver(letter, now_ms=NOW_MS, ask=server.ask)
    (asked,) = server.requests
    expected = [
        {
            "labels": {
                "alertname": "drift", "model": "fraud", "column": "amount", "version": "7", "severity": "warning",
            },
            "annotations": {"summary": "fraud 7: alert, rule drift: covariate change in amount", "id": ID},
            "startsAt": "2026-01-05T10:00:00.000+00:00",
            "endsAt": IN_FOUR_MINUTES,
            "generatorURL": json.loads(letter.body)["data"]["links"]["report"],
        }
    ]  # fmt: skip

    assert asked.url == "http://am0:9093/api/v2/alerts"
    assert asked.headers == {"content-type": "application/json"}
    assert asked.body == json.dumps(expected, separators=(",", ":")).encode()


def test_a_group_is_its_alerts() -> None:
    """Each is one there, by column and segment; empty labels are left out."""
    alerts = posted(notice("amount", "age", segment="country=DE", base=""), repeat="10m")

    assert [each["labels"]["column"] for each in alerts] == ["amount", "age"]
    assert {each["labels"]["segment"] for each in alerts} == {"country=DE"}
    assert {each["endsAt"] for each in alerts} == {"2026-01-05T12:40:00.000+00:00"}
    assert "generatorURL" not in alerts[0]
    assert "column" not in posted(notice(""))[0]["labels"]


def test_an_end_has_the_labels_of_the_beginning() -> None:
    """Alertmanager knows an alert by them."""
    begun, ended = posted(notice("amount", "age")), posted(end("amount", "age"))

    assert [each["labels"] for each in begun] == [each["labels"] for each in ended]
    assert {each["endsAt"] for each in ended} == {NOW}


def test_a_repetition_tells_of_what_still_fires() -> None:
    """An alert that has ended meanwhile is not raised again."""
    again = replace(notice("amount", "age"), repeats=2, alerts=("age",))

    assert [each["labels"]["column"] for each in posted(again)] == ["age"]
    assert posted(again)[0]["annotations"]["id"] == f"{ID}_2"


def test_nothing_is_left_to_repeat() -> None:
    """All have ended between the decision and the attempt: the letter of the end says so."""
    found, requests = answer(made(**TABLE), reply(500), letter=replace(notice("amount"), repeats=1, alerts=()))

    assert (found.result, requests) == (Result.DELIVERED, [])


def test_an_alert_of_a_stream_ahead_of_the_clock() -> None:
    """It begins now, for one that ends before it begins is refused."""
    (alert,) = posted(end("amount", started_ms=NOW_MS + 3_600_000))

    assert (alert["startsAt"], alert["endsAt"]) == (NOW, NOW)


def test_an_incident_is_an_alert_of_its_own() -> None:
    """It ends with the recovery, though that is another version's."""
    (bad,) = posted(turn(EventType.NOT_RECOVERED, incident(Phase.NOT_RECOVERED)))
    (good,) = posted(turn(EventType.RECOVERED, incident(Phase.RECOVERED, new_version="9")))

    assert bad["labels"] == good["labels"]
    assert bad["labels"] == {"alertname": "incident", "model": "fraud", "incident": "i1", "severity": "critical"}
    assert (bad["endsAt"], good["endsAt"]) == (IN_FOUR_MINUTES, NOW)


OK, BAD, BUSY = reply(200), reply(400), reply(503, retry_after="7")


@pytest.mark.parametrize(
    ("answers", "result"),
    [
        ((OK, OK, OK), Result.DELIVERED),
        ((None, OK, BAD), Result.DELIVERED),
        ((BAD, None, None), Result.HTTP_ERROR),
        ((None, BUSY, BAD), Result.THROTTLED),
        ((BUSY, BUSY, OK), Result.DELIVERED),
    ],
)
def test_every_instance_is_asked(answers: tuple[Reply | None, ...], result: Result) -> None:
    """One that takes it is enough, wherever it stands in the list; the others hear of it by the next repetition."""
    asked = []

    def ask(request: Request) -> Reply:
        asked.append(request.url)
        found = answers[len(asked) - 1]
        if found is None:
            raise UnansweredError(Result.CONNECTION_FAILED, "refused")
        return found

    urls = [f"http://am{n}:9093/prefix/" for n in range(3)]
    found = made(**TABLE | {"urls": urls}).deliver(notice(), now_ms=NOW_MS, ask=ask)

    assert found.result is result
    assert asked == [f"http://am{n}:9093/prefix/api/v2/alerts" for n in range(3)]


def test_no_instance_is_up() -> None:
    """Then it is the courier's to say what became of it."""

    def ask(_: Request) -> Reply:
        raise UnansweredError(Result.TIMEOUT, "late")

    with pytest.raises(UnansweredError):
        made(**TABLE).deliver(notice(), now_ms=NOW_MS, ask=ask)


def test_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user with a password, or a token."""
    monkeypatch.setenv("AM_SECRET", "geheim")
    shown = []
    for keys in ({"username": "dw", "password_env": "AM_SECRET"}, {"token_env": "AM_SECRET"}):
        _, (asked,) = answer(made(**TABLE, **keys), reply(200), letter=notice())
        shown.append(asked.headers["authorization"])

    assert shown == ["Basic ZHc6Z2VoZWlt", "Bearer geheim"]


def test_links_lead_to_the_service() -> None:
    """Where it knows its own address."""
    assert posted(notice())[0]["generatorURL"].startswith(f"{BASE}/api/v1/reports?")
