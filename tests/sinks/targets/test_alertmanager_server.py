"""The real Alertmanager: an alert appears, stays while it is said again, and is gone once it has ended."""

import time
from dataclasses import replace
from pathlib import Path

from driftwatch.sinks.attempts import Result
from driftwatch.sinks.exchange import Exchange
from tests.alertmanager_server import Alertmanager
from tests.servers.broker import wait_until
from tests.sinks.targets.faults import made
from tests.sinks.targets.notices import end, notice

GONE_SECONDS = 30.0
NOWHERE = "http://127.0.0.1:1"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_the_life_of_a_group(tmp_path: Path) -> None:
    """Two alerts with their labels; the one that ends goes, the other stays, and ends when nobody says it again."""
    with Alertmanager(tmp_path) as server:
        target = made(type="alertmanager", urls=[NOWHERE, server.url], repeat="1m")
        brief = made(type="alertmanager", urls=[server.url], repeat="250ms")

        def tell(letter, by=target):
            return by.deliver(letter, now_ms=now_ms(), ask=Exchange(by.spec).ask)

        found = tell(notice("age", "amount"))
        assert (found.result, found.detail) == (Result.DELIVERED, "1 of 2 instances")
        first = server.alerts()
        assert [alert["labels"] for alert in first] == [
            {"alertname": "drift", "column": column, "model": "fraud", "severity": "warning", "version": "7"}
            for column in ("age", "amount")
        ]
        assert {alert["status"]["state"] for alert in first} <= {"active", "unprocessed"}
        assert first[0]["generatorURL"].startswith("https://driftwatch.example/api/v1/reports?")
        assert first[0]["startsAt"] == "2026-01-05T10:00:00.000Z"

        tell(end("age", still_firing=1))
        wait_until(lambda: len(server.alerts()) == 1, seconds=GONE_SECONDS, what="the end of an alert")

        tell(replace(notice("age", "amount"), repeats=1, alerts=("amount",)))
        (again,) = server.alerts()
        assert again["labels"]["column"] == "amount"
        assert again["fingerprint"] == first[1]["fingerprint"]
        assert again["endsAt"] > first[1]["endsAt"]

        tell(end("amount"))
        wait_until(lambda: not server.alerts(), seconds=GONE_SECONDS, what="the end of the other")

        tell(notice("zip"), by=brief)
        assert [alert["labels"]["column"] for alert in server.alerts()] == ["zip"]
        wait_until(lambda: not server.alerts(), seconds=GONE_SECONDS, what="an alert that nobody says again to lapse")


def test_what_it_refuses(tmp_path: Path) -> None:
    """It is an error of HTTP, and tried again."""
    with Alertmanager(tmp_path) as server:
        target = made(type="alertmanager", urls=[server.url + "/nothing/here"])

        assert target.deliver(notice(), now_ms=now_ms(), ask=Exchange(target.spec).ask).result is Result.HTTP_ERROR
