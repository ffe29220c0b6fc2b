"""The doors by which people operate the service, over a real state directory."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from driftwatch.api.app import add_operations
from driftwatch.api.operations import Desk
from driftwatch.api.spoken import MAX_BODY
from driftwatch.evaluation.alerts import State
from driftwatch.ports.letters import Letter
from tests.api.fakes import Service
from tests.store.doors import Doors
from tests.store.examples import HOUR, START, checkpoint, letter, transition

ANN = {"author": "ann", "comment": "on it"}
STEP = transition()
ALERT = STEP.alert_id
WAITING = letter(state="held", hold="approval", expires_ms=START + HOUR, alerts=(ALERT,), alert_id=ALERT)


class Office(Service):
    """The application with a desk; its clock stands still until a test sets `now_ms`."""

    def __init__(self, doors: Doors) -> None:
        super().__init__()
        self.doors, self.now_ms, self.woken = doors, START, 0
        self.withheld: list[Letter] = []
        desk = Desk(
            doors.silences, doors.acknowledgements, doors.decisions, clock=lambda: self.now_ms, wake=self._wake,
            withheld=self.withheld.extend,
        )  # fmt: skip
        add_operations(self.app, desk)

    def say(self, path: str, said: Any = ANN, *, status: int = 200) -> dict[str, Any]:
        answer = self.post(f"/api/v1/{path}", json=said)
        assert answer.status_code == status, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    doors = Doors(tmp_path / "state")
    doors.store.save(checkpoint(transitions=(STEP,), letters=(WAITING, letter("dead"))))
    doors.outbox.bury(letter("dead"), now_ms=START, result="timeout")
    yield Office(doors)
    doors.store.close()


def test_acknowledge(office: Office) -> None:
    """200 says since when; an alert that is not known, or has ended, cannot be."""
    expected = {"author": "ann", "comment": "on it", "at": "2026-01-05T10:00:00Z"}
    assert office.say(f"alerts/{ALERT}/ack") == {"id": ALERT, "acknowledged": expected}
    office.now_ms += 5
    assert office.say(f"alerts/{ALERT}/ack")["acknowledged"] == expected
    assert office.say("alerts/nobody/ack", status=404)["error"]["code"] == "unknown"
    office.doors.store.save(checkpoint(transitions=(transition(State.RESOLVED, window=1),)))
    assert office.say(f"alerts/{ALERT}/ack", status=409)["error"]["code"] == "ended"


def test_approve(office: Office) -> None:
    """The letter is due at once, and deliveries are woken; the answer may be asked for again."""
    (released,) = office.say(f"alerts/{ALERT}/approve")["released"]
    assert (released["id"], released["state"], office.woken) == ("msg_1", "pending", 1)
    assert [each.id for each in office.doors.outbox.due("trainer", START, limit=9)] == ["msg_1"]
    assert office.say(f"alerts/{ALERT}/approve")["released"] == [released]
    assert office.say(f"alerts/{ALERT}/reject", status=409)["error"]["code"] == "decided"


def test_reject(office: Office) -> None:
    """It is dropped, and counted."""
    (dropped,) = office.say(f"alerts/{ALERT}/reject")["dropped"]
    assert (dropped["state"], office.woken) == ("dropped", 0)
    assert [(each.id, each.last_result) for each in office.withheld] == [("msg_1", "rejected")]


@pytest.mark.parametrize(("word", "code"), [("approve", "expired"), ("reject", "expired")])
def test_too_late(office: Office, word: str, code: str) -> None:
    """At the very millisecond."""
    office.now_ms = START + HOUR
    assert office.say(f"alerts/{ALERT}/{word}", status=409)["error"]["code"] == code


def test_nothing_waits(office: Office) -> None:
    """Of an alert that is known: 409; of one that is not: 404."""
    other = transition(column="age")
    office.doors.store.save(checkpoint(transitions=(other,)))
    assert office.say(f"alerts/{other.alert_id}/approve", status=409)["error"]["code"] == "nothing_waits"
    assert office.say("alerts/nobody/approve", status=404)["error"]["code"] == "unknown"


def test_replay_and_purge(office: Office) -> None:
    """One by its id, all that are dead, or none of them any more."""
    (again,) = office.post("/api/v1/deliveries/dead/replay").json()["replayed"]
    assert (again["id"], again["state"], office.woken) == ("dead", "pending", 1)
    assert office.post("/api/v1/deliveries/dead/replay").status_code == 409
    assert office.post("/api/v1/deliveries/nobody/replay").status_code == 404
    office.doors.outbox.bury(letter("dead"), now_ms=START, result="timeout")
    assert office.post("/api/v1/deliveries/replay?target=pager").json() == {"replayed": []}
    assert len(office.post("/api/v1/deliveries/replay?state=dead").json()["replayed"]) == 1
    assert office.post("/api/v1/deliveries/replay?state=pending").status_code == 400
    office.doors.outbox.bury(letter("dead"), now_ms=START, result="timeout")
    assert office.ask("DELETE", "/api/v1/deliveries?state=pending").status_code == 400
    assert office.ask("DELETE", "/api/v1/deliveries").status_code == 400
    assert office.ask("DELETE", "/api/v1/deliveries?state=dead&target=trainer").json() == {"purged": 1}


def test_silences(office: Office) -> None:
    """Made, listed with their state, ended."""
    wanted = {**ANN, "matchers": ["column=~amount|age", {"name": "model", "value": "fraud"}], "duration": "2h"}
    made = office.say("silences", wanted)
    later = office.say("silences", {**ANN, "matchers": ["rule=x"], "starts": "2026-01-05T11:00:00Z",
                                    "ends": "2026-01-05T12:00:00Z"})  # fmt: skip
    assert made | {"id": ""} == {
        "id": "", "state": "active", "author": "ann", "comment": "on it", "starts": "2026-01-05T10:00:00Z",
        "ends": "2026-01-05T12:00:00Z", "created": "2026-01-05T10:00:00Z",
        "matchers": [{"name": "column", "operator": "=~", "value": "amount|age"},
                     {"name": "model", "operator": "=", "value": "fraud"}],
    }  # fmt: skip
    listed = office.get("/api/v1/silences").json()
    assert [(each["id"], each["state"]) for each in listed["items"]] == [
        (later["id"], "pending"), (made["id"], "active"),
    ]  # fmt: skip
    office.now_ms += HOUR
    assert office.ask("DELETE", f"/api/v1/silences/{made['id']}").json()["state"] == "expired"
    assert office.ask("DELETE", "/api/v1/silences/nobody").status_code == 404
    assert [each["id"] for each in office.get("/api/v1/silences?state=active").json()["items"]] == [later["id"]]
    assert office.get("/api/v1/silences?state=gone").status_code == 400


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"matchers": []}, "1 to 20 matchers"),
        ({"matchers": ["colour=red"]}, "no label"),
        ({"matchers": ["rule=~(((a*)*)*"]}, "pattern"),
        ({"matchers": ["rule=~.*"]}, "all is silenced"),
        ({"matchers": [{"name": "rule", "operator": "<", "value": ""}]}, "matchers"),
        ({"author": " "}, "author"),
        ({"author": "x" * 201}, "author"),
        ({"duration": "soon"}, "duration"),
        ({"duration": None}, "when it ends"),
        ({"ends": "2026-01-06T00:00:00Z"}, "when it ends"),
        ({"duration": None, "ends": "2026-01-05T09:00:00Z"}, "has ended already"),
        ({"starts": "tomorrow"}, "starts"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_no_silence_is_refused(office: Office, change: dict[str, Any], words: str) -> None:
    """400, with a line that says what is wrong; nothing is silenced."""
    wanted = {**ANN, "matchers": ["rule=drift"], "duration": "1h"} | change
    error = office.say("silences", wanted, status=400)["error"]
    assert words in error["message"]
    assert "\n" not in error["message"]
    assert office.get("/api/v1/silences").json()["items"] == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"author": "ann"}', {"content-type": "text/plain"}, 415),
        (b'{"author": "ann"}', {}, 415),
        (b"{", {"content-type": "application/json"}, 400),
        (b"[]", {"content-type": "application/json"}, 400),
        (b"{}", {"content-type": "application/json"}, 400),
        (b"", {"content-type": "application/json"}, 400),
        (b"x" * (MAX_BODY + 1), {"content-type": "application/json"}, 413),
        (b'{"author": "ann"}', {"content-type": "application/json; charset=utf-8"}, 200),
    ],
)
def test_bodies_are_small_and_json(office: Office, body: bytes, headers: dict[str, str], status: int) -> None:
    """A form of another site's page is not taken for a person's word."""
    answer = office.post(f"/api/v1/alerts/{ALERT}/approve", content=body, headers=headers)
    assert answer.status_code == status, answer.text


def test_words_are_in_the_description(office: Office) -> None:
    """OpenAPI names every door, and no two of them alike."""
    paths = office.get("/openapi.json").json()["paths"]
    for path in ("alerts/{alert}/ack", "alerts/{alert}/approve", "alerts/{alert}/reject", "silences",
                 "deliveries/replay", "deliveries/{delivery}/replay"):  # fmt: skip
        assert "post" in paths[f"/api/v1/{path}"]
    names = [each["operationId"] for methods in paths.values() for each in methods.values()]
    assert len(names) == len(set(names))


def test_two_who_approve_at_once_release_once(office: Office) -> None:
    """Both hear the same."""

    async def both() -> list[httpx.Response]:
        transport = httpx.ASGITransport(office.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://driftwatch") as client:
            path = f"/api/v1/alerts/{ALERT}/approve"
            return list(await asyncio.gather(*(client.post(path, json=ANN) for _ in range(4))))

    answers = asyncio.run(both())
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["released"][0]["id"] for answer in answers} == {"msg_1"}
