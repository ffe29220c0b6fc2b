"""Golden sets through the public door: a changed answer is told by webhook, stands over a restart, and ends."""

import json

from driftwatch.daemon.service import wall_clock_ms
from tests.receiver import Receiver
from tests.scenarios import events, world
from tests.scenarios.probe import WAIT_SECONDS, Probe, running

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CONTROL = 'control = ["golden-1"]\n'


def golden(version: str, minute: int, scores: dict[str, float]) -> bytes:
    """What a version answers to the golden set."""
    return b"\n".join(
        json.dumps({
            "model": events.MODEL, "version": version, "id": name, "control": "golden-1", "score": score,
            "time": events.START + minute * events.MINUTE, "features": {"amount": 1.0},
        }).encode()
        for name, score in scores.items()
    )  # fmt: skip


def alerts(probe: Probe) -> list[tuple]:
    """What the API says of alerts."""
    return [
        (each["rule"], each["version"], each["column"], each["state"], each["value"])
        for each in probe.listing("alerts")
    ]


def test_a_changed_answer_alarms_over_a_restart_until_it_is_put_right(configure, tmp_path) -> None:
    """A canary that gets golden events only: no window, one critical alert, its end, and each is told once."""
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    with Receiver() as hook:
        target = world.webhook(hook.url, tmp_path / "secret", actions=["notify"])
        config = configure(targets=target, rules=CONTROL)
        with running(config, clock=wall_clock_ms) as (_, probe):
            probe.post(golden("1", 0, {"a": 0.9, "b": 0.2}))
            probe.post(golden("2", 5, {"a": 0.1, "b": 0.2}))
            (firing,) = hook.wait(1)
            assert alerts(probe) == [("control", "2", "golden-1", "firing", 1.0)]
        with running(config, clock=wall_clock_ms) as (service, probe):
            (count,) = probe.metrics().values("alerts", model=events.MODEL, severity="critical", state="firing")
            assert count[1] == 1
            probe.post(golden("2", 6, {"a": 0.9}))
            _, resolved = hook.wait(2)
            assert alerts(probe) == [("control", "2", "golden-1", "resolved", 0.0)]
            assert service.finish(timeout_seconds=WAIT_SECONDS)
            assert probe.listing("reports") == []
            probe.wait(lambda: service.letters_waiting() == 0, "the outbox to be empty")
        assert len(hook.wait(0)) == 2
    told = [each.verified(SECRET) for each in (firing, resolved)]
    assert [each["type"] for each in told] == ["driftwatch.alert.firing", "driftwatch.alert.resolved"]
    assert told[0]["timestamp"] == "2026-01-05T00:05:00Z"
    data = told[0]["data"]
    assert (data["version"], data["alert"]["rule"], data["alert"]["severity"]) == ("2", "control", "critical")
    assert data["cause"] == {"kind": "control", "columns": ["golden-1"]}
    assert data["evidence"] == [
        {"column": "golden-1", "statistic": "control_changed", "value": 1.0, "lower": 1.0, "threshold": 0.0}
    ]
