"""From an alert to a model that is well again, or to a request to go back: over HTTP, on a clock that a test moves."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from driftwatch.daemon.queue import Command
from tests.receiver import Receiver
from tests.scenarios import events, world
from tests.scenarios.events import HOUR, START
from tests.scenarios.probe import WAIT_SECONDS, Probe, running

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RULE = """
[models.alerting]
budget = "none"

[[models.rules]]
name = "shift"
statistic = "psi"
columns = ["amount"]
above = 0.25
for = 2
min_rows = 50
action = "retrain"
"""
RECOVERY = """
[models.recovery]
deploy_within = "12h"
recover_within = "10h"
"""
ROWS = 300
CALM, DRIFTED = 3, 3
"""Hours of version 1."""
RETRAIN, ROLLBACK = "driftwatch.retrain.requested", "driftwatch.rollback.requested"
RECOVERED, NOT_RECOVERED = "driftwatch.incident.recovered", "driftwatch.incident.not_recovered"


class Story:
    """A service, who is told by it, and the hours that pass."""

    def __init__(self, service, probe: Probe, receiver: Receiver, now: list[int]) -> None:
        self.service, self.probe, self.receiver, self._now = service, probe, receiver, now
        self._rng = np.random.default_rng(5)
        self.hours = self._sent = 0

    def hour(self, version: str, *, drifted: bool = False) -> None:
        """Let an hour pass and send its events; return once they are counted and everything is delivered."""
        begin = START + self.hours * HOUR
        self.hours += 1
        self._now[0] = START + self.hours * HOUR
        lines = [
            events.event(self._rng, begin + row * HOUR // ROWS, version=version, drifted=drifted) for row in range(ROWS)
        ]
        self.probe.post(b"\n".join(lines))
        self._sent += ROWS
        self.probe.wait_counted(self._sent)
        self.settle()

    def settle(self) -> None:
        """Return once everything decided is saved, delivered, and heard of in its turn."""
        for _ in range(2):
            assert self.service.queue.order(Command.SAVE).done.wait(WAIT_SECONDS)
            self.probe.wait(lambda: self.service.letters_waiting() == 0, "letters to be delivered")
        assert self.service.queue.order(Command.SAVE).done.wait(WAIT_SECONDS)

    def idle(self, hours: int) -> None:
        """Let time pass without events."""
        self._now[0] += hours * HOUR

    def incident(self) -> dict:
        """The one incident that there is."""
        (incident,) = self.probe.listing("incidents")
        return incident

    def told(self) -> Counter[str]:
        """The types of what was received, the beginnings and ends of alerts aside."""
        documents = [json.loads(each.body) for each in self.receiver.wait(0)]
        return Counter(each["type"] for each in documents if ".alert." not in each["type"])

    def body(self, kind: str) -> dict:
        """The only event of a type that was received."""
        (found,) = [json.loads(each.body) for each in self.receiver.wait(0) if json.loads(each.body)["type"] == kind]
        return found["data"]

    def seconds(self, phase: str) -> tuple[float, float]:
        """How many stretches of an incident were measured, and their sum."""
        metrics = self.probe.metrics()
        return tuple(metrics.total(f"incident_seconds_{part}", phase=phase) for part in ("count", "sum"))


@contextmanager
def told(configure, folder: Path, *, rules: str = RULE + RECOVERY) -> Iterator[Story]:
    """A service with someone who trains, someone who deploys, and people."""
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    now = [START]
    with Receiver() as receiver:
        targets = "".join(
            world.webhook(receiver.url, folder / "secret", name=name, actions=[action])
            for name, action in (("trainer", "retrain"), ("deployer", "rollback"), ("people", "notify"))
        )
        with running(configure(targets=targets, rules=rules), clock=lambda: now[0]) as (service, probe):
            yield Story(service, probe, receiver, now)


def drift(story: Story) -> None:
    """Calm hours, and hours that have drifted: the alert fires as the second drifted window closes."""
    for _ in range(CALM):
        story.hour("1")
    assert story.probe.listing("incidents") == []
    for _ in range(DRIFTED):
        story.hour("1", drifted=True)
    assert story.told() == {RETRAIN: 1}
    assert story.incident()["state"] == "requested"


@pytest.fixture
def story(configure, tmp_path):
    """The service before anything has happened."""
    with told(configure, tmp_path) as story:
        yield story


def test_a_new_version_that_is_well_ends_the_incident(story):
    """One request, a trainer that answers it, one word of the recovery; every stretch is timed."""
    assert story.seconds("recover") == (0, 0)
    drift(story)
    for _ in range(2):  # what a fake trainer has made of the request
        story.hour("2")

    assert story.told() == {RETRAIN: 1, RECOVERED: 1}
    incident = story.incident()
    assert (incident["state"], incident["version"], incident["new_version"]) == ("recovered", "1", "2")
    assert incident["seconds"] == {"detect": 2.5 * 3600, "request": 0, "deploy": 2 * 3600, "recover": 3 * 3600}
    for phase, seconds in incident["seconds"].items():
        assert story.seconds(phase) == (1, seconds)
    (status,) = story.probe.listing("status")
    assert status["incidents"][events.MODEL] == {
        "incidents": 1, "mean_seconds": incident["seconds"], "counts": dict.fromkeys(incident["seconds"], 1),
        "summary": ["mean time to recovery 3 h (1 incident)", "time to deploy 2 h (1 incident)"],
    }  # fmt: skip
    data = story.body(RECOVERED)
    assert (data["version"], data["alert"]["state"], data["incident"]["id"]) == ("2", "resolved", incident["id"])
    page = story.probe.get("/").text
    assert "recovered" in page
    assert f"{events.MODEL}: mean time to recovery 3 h (1 incident), time to deploy 2 h (1 incident)" in page


def test_a_new_version_that_is_as_bad_escalates_and_asks_to_go_back(story):
    """Not recovered, to people; a rollback, to whoever deploys; and no second request for retraining."""
    drift(story)
    for _ in range(3):
        story.hour("2", drifted=True)

    assert story.told() == {RETRAIN: 1, NOT_RECOVERED: 1, ROLLBACK: 1}
    incident = story.incident()
    assert (incident["state"], incident["reason"]) == ("not_recovered", "new_version_drifts_too")
    assert story.body(NOT_RECOVERED)["alert"]["severity"] == "critical"
    assert (story.body(ROLLBACK)["version"], story.body(ROLLBACK)["incident"]["new_version"]) == ("2", "2")
    assert story.seconds("recover") == (0, 0)
    assert story.probe.metrics().total("incidents", state="not_recovered") == 1

    for _ in range(2):  # a later version makes it well
        story.hour("3")
    assert story.told() == {RETRAIN: 1, NOT_RECOVERED: 1, ROLLBACK: 1, RECOVERED: 1}
    assert story.incident()["state"] == "recovered"


def test_trouble_that_ends_by_itself_is_a_recovery_and_the_next_may_ask_again(story):
    """No version came; after calm windows the next drift is another incident with a request of its own."""
    drift(story)
    for _ in range(4):
        story.hour("1")
    assert story.told() == {RETRAIN: 1, RECOVERED: 1}
    assert story.incident()["new_version"] is None
    for _ in range(3):
        story.hour("1", drifted=True)
    assert story.told() == {RETRAIN: 2, RECOVERED: 1}
    assert [each["state"] for each in story.probe.listing("incidents")] == ["requested", "recovered"]


def test_nobody_answers_a_request(story):
    """After `deploy_within` people are told; nobody is asked to go back, for there is nothing to go back from."""
    drift(story)
    story.idle(13)
    story.probe.wait(lambda: story.told()[NOT_RECOVERED] == 1, "the escalation")
    assert story.incident()["reason"] == "no_version_deployed_in_time"
    assert story.told() == {RETRAIN: 1, NOT_RECOVERED: 1}


def test_somebody_says_that_a_version_was_deployed(story):
    """Before its first event comes; an unknown model is refused; a time may be told."""
    drift(story)
    json_type = {"content-type": "application/json"}
    url = f"{story.probe.url}/api/v1/models"
    post = story.probe._client.post
    said = {"version": "2", "time": START + 5 * HOUR + HOUR // 2, "author": "trainer"}
    said["time"] = str(said["time"])
    assert post(f"{url}/nobody/retrained", json=said, headers=json_type).status_code == 404
    answer = post(f"{url}/{events.MODEL}/retrained", json=said, headers=json_type)
    assert answer.status_code == 200, answer.text
    story.probe.wait(lambda: story.incident()["state"] == "deployed", "the deployment to be heard")
    assert story.incident()["seconds"]["deploy"] == 1800
    story.hour("2")
    story.hour("2")
    assert story.incident()["state"] == "recovered"


def test_an_operator_ends_an_alert_and_closes_an_incident(story):
    """An alert that is ended by hand is told as resolved; a closed incident is followed no more."""
    drift(story)
    post, word = story.probe._client.post, {"author": "ann", "comment": "known"}
    (alert,) = story.probe.listing("alerts")
    assert post(f"/api/v1/alerts/{alert['id']}/resolve", json=word).status_code == 200
    story.probe.wait(lambda: story.probe.listing("alerts")[0]["state"] == "resolved", "the alert to end")
    assert story.probe.listing("alerts")[0]["reason"] == "resolved_by_operator"
    assert post(f"/api/v1/alerts/{alert['id']}/resolve", json=word).status_code == 404
    name = story.incident()["id"]
    assert post(f"/api/v1/incidents/{name}/close", json=word).status_code == 200
    story.probe.wait(lambda: story.incident()["state"] == "closed", "the incident to be closed")
    assert post(f"/api/v1/incidents/{name}/close", json=word).status_code == 404
    assert story.seconds("recover") == (0, 0)


def test_a_restart_loses_nothing_of_an_incident(configure, tmp_path):
    """Where it stands, what it has counted, what was asked for, and its times; a word that waits is heard once."""
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    now = [START]
    with Receiver() as receiver:
        targets = world.webhook(receiver.url, tmp_path / "secret", actions=["retrain", "notify"])
        path = configure(targets=targets, rules=RULE + RECOVERY)
        for part in range(3):
            with running(path, clock=lambda: now[0]) as (service, probe):
                story = Story(service, probe, receiver, now)
                if part == 0:
                    drift(story)
                    before = story.incident()
                    story.hour("2")
                    continue
                story.hours, story._sent = 7, int(sum(probe.metrics().results().values()))
                assert story.incident()["id"] == before["id"]
                assert story.seconds("deploy") == (1, 2 * 3600)
                if part == 1:
                    assert (story.incident()["state"], story.incident()["calm_windows"]) == ("deployed", 1)
                    story.hour("2")
                assert story.incident()["state"] == "recovered"
                assert story.seconds("recover") == (1, 3 * 3600)
        assert story.told() == {RETRAIN: 1, RECOVERED: 1}
