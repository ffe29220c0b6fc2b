"""Policies through the public doors: configuration in, events over HTTP, words over the command line, webhooks out."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from driftwatch.daemon.service import wall_clock_ms
from tests.receiver import Receiver
from tests.scenarios import events, world
from tests.scenarios.probe import Probe, post_all, running
from tests.scenarios.process import ROOT, command
from tests.scenarios.test_alerting import AN_HOUR, DRIFTED, HOURS, LINES, RULE, SECRET


@pytest.fixture
def hook(tmp_path) -> Iterator[Receiver]:
    """Whoever trains models, and the secret that both know."""
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def serve(configure, hook, tmp_path) -> Callable[..., Any]:
    """A service whose target has these policies, written as TOML."""

    @contextmanager
    def serve(policies: str, *, actions: tuple[str, ...] = ("retrain",)):
        target = world.webhook(hook.url, tmp_path / "secret", actions=actions) + policies
        with running(configure(targets=target, rules=RULE), clock=wall_clock_ms) as (service, probe):
            yield service, probe

    return serve


def say(probe: Probe, *arguments: str) -> tuple[int, str, str]:
    """Call the command line, for the service of a probe: exit code, stdout, stderr."""
    environment = os.environ | {"DRIFTWATCH_URL": probe.url, "USER": "ann"}
    ended = subprocess.run(
        command(*arguments), capture_output=True, text=True, env=environment, cwd=ROOT, timeout=60, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr


def drift(probe: Probe, *, through: int = DRIFTED.stop) -> dict[str, Any]:
    """Post calm and drifted hours; gives the alert, once it fires."""
    post_all(probe, events.portions(LINES[: through * AN_HOUR]))
    probe.wait_counted(through * AN_HOUR)
    probe.wait(lambda: [each["state"] for each in probe.listing("alerts")] == ["firing"], "the alert to fire")
    (alert,) = probe.listing("alerts")
    return alert


def letters(probe: Probe) -> list[tuple[str, str]]:
    """State and reason of every letter."""
    return [(each["state"], each["hold"] or each["last_result"]) for each in probe.listing("deliveries")]


def test_a_request_waits_for_approval(serve, hook):
    """Nothing is sent before a person says so; then it is sent once, and the words are shown."""
    with serve('approval = "manual"\ncooldown = "30d"\n') as (_, probe):
        alert = drift(probe)
        probe.wait(lambda: letters(probe) == [("held", "approval")], "the request to wait")
        assert probe.metrics().total("letters_withheld_total", target="trainer", reason="approval") == 1
        code, out, _ = say(probe, "alerts", "list", "--state", "firing", "--json")
        assert (code, json.loads(out)["id"]) == (0, alert["id"])
        assert say(probe, "alerts", "ack", alert["id"], "--author", "ann", "-c", "mine")[0] == 0
        assert hook.wait(0) == []

        code, out, _ = say(probe, "alerts", "approve", alert["id"], "--author", "ann")
        assert (code, out) == (0, "driftwatch.retrain.requested goes to trainer\n")
        (request,) = hook.wait(1)
        assert request.verified(SECRET)["type"] == "driftwatch.retrain.requested"
        probe.wait(lambda: letters(probe) == [("delivered", "approved")], "the request to be delivered")
        assert say(probe, "alerts", "approve", alert["id"])[0] == 0
        code, _, err = say(probe, "alerts", "reject", alert["id"])
        assert (code, err.count("\n")) == (2, 1)
        assert "decided before" in err
        (shown,) = probe.listing("alerts")
        assert shown["acknowledged"]["author"] == "ann"
        assert "acknowledged" in say(probe, "alerts", "show", alert["id"])[1]
        assert len(hook.wait(1)) == 1


def test_a_silenced_cause_waits_until_the_silence_is_lifted(serve, hook):
    """And a letter that was delivered can be had again, under the same id."""
    with serve("", actions=("retrain", "notify")) as (_, probe):
        code, name, err = say(probe, "silences", "add", "column=~am.*", "model=fraud", "--duration", "2h", "-c", "x")
        assert (code, err) == (0, "")
        drift(probe)
        probe.wait(lambda: letters(probe) == [("held", "silenced")], "the request to wait")
        assert 'column=~"am.*"' in say(probe, "silences", "list", "--state", "active")[1]
        assert hook.wait(0) == []

        assert say(probe, "silences", "expire", name.strip())[0] == 0
        (request,) = hook.wait(1)
        probe.wait(lambda: letters(probe)[0][0] == "delivered", "the request to be delivered")
        (delivery,) = probe.listing("deliveries")
        assert say(probe, "deliveries", "replay", delivery["id"])[:2] == (0, "1 to be delivered again\n")
        again = hook.wait(2)[1]
        assert again.headers["webhook-id"] == request.headers["webhook-id"] == delivery["id"]
        assert again.body == request.body
        assert say(probe, "deliveries", "purge")[1] == "0 forgotten\n"
        assert say(probe, "deliveries", "list", "--state", "delivered", "--json")[1].count("\n") == 1


def test_quiet_hours_and_a_condition(serve, hook):
    """All day is quiet, and one column is not two: what is not sent says why; the end of the alert drops it."""
    policies = 'quiet_hours = {}\nquiet_requests = true\nonly_if = { columns = 2 }\nmin_severity = "warning"\n'
    with serve(policies, actions=("retrain", "notify")) as (service, probe):
        drift(probe)
        probe.wait(lambda: letters(probe) == [("dropped", "only_if")], "the request to be dropped")
        post_all(probe, events.portions(LINES[DRIFTED.stop * AN_HOUR : HOURS * AN_HOUR]))
        probe.wait_counted(len(LINES))
        probe.wait(lambda: len(letters(probe)) == 2, "the end to be written")
        assert letters(probe)[0] == ("dropped", "ended")
        assert service.letters_waiting() == 0
    assert hook.wait(0) == []


def test_every_reason_is_exported_as_0(serve):
    """From the first scrape."""
    with serve("") as (_, probe):
        values = probe.metrics().values("letters_withheld_total", target="trainer")
    assert {labels["reason"] for labels, _ in values} == {
        "approval", "silenced", "quiet", "min_severity", "send_resolved", "only_if", "cooldown", "at_most", "asked",
        "rejected", "expired", "ended",
    }  # fmt: skip
    assert {value for _, value in values} == {0}
