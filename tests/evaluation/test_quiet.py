"""Quiet hours, by the clock on the wall: over midnight, on some days, where clocks are changed."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from driftwatch.evaluation.quiet import QuietHoursSpec, quiet_until_ms

NIGHT = {"from": "22:00", "until": "07:00", "timezone": "Europe/Berlin"}
WEEKEND = {"days": ["sat", "sun"], "timezone": "Europe/Berlin"}


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def until(now: str, *tables: dict, severity: str = "warning") -> str:
    stretches = [QuietHoursSpec.model_validate(table) for table in tables]
    end_ms = quiet_until_ms(stretches, severity=severity, now_ms=ms(now))
    return "" if not end_ms else datetime.fromtimestamp(end_ms / 1000, datetime.fromisoformat(now).tzinfo).isoformat()


@pytest.mark.parametrize(
    ("now", "tables", "end"),
    [
        ("2026-01-05T21:59:59+01:00", [NIGHT], ""),
        ("2026-01-05T22:00:00+01:00", [NIGHT], "2026-01-06T07:00:00+01:00"),
        ("2026-01-06T00:00:00+01:00", [NIGHT], "2026-01-06T07:00:00+01:00"),
        ("2026-01-06T06:59:59+01:00", [NIGHT], "2026-01-06T07:00:00+01:00"),
        ("2026-01-06T07:00:00+01:00", [NIGHT], ""),
        # A day is the one on which a stretch begins: Sunday's night ends on Monday, Friday's is none of the weekend.
        ("2026-01-05T03:00:00+01:00", [{**NIGHT, "days": ["sun"]}], "2026-01-05T07:00:00+01:00"),
        ("2026-01-10T03:00:00+01:00", [{**NIGHT, "days": ["sat", "sun"]}], ""),
        ("2026-01-10T12:00:00+01:00", [WEEKEND], "2026-01-12T00:00:00+01:00"),
        # Stretches that touch are one.
        ("2026-01-09T23:00:00+01:00", [NIGHT, WEEKEND], "2026-01-12T07:00:00+01:00"),
        # The clocks go forward on 2026-03-29 at 02:00, and back on 2026-10-25 at 03:00.
        ("2026-03-29T01:00:00+01:00", [NIGHT], "2026-03-29T06:00:00+01:00"),
        ("2026-10-25T01:00:00+02:00", [NIGHT], "2026-10-25T08:00:00+02:00"),
        ("2026-03-29T01:45:00+01:00", [{**NIGHT, "until": "02:30"}], "2026-03-29T02:30:00+01:00"),
        ("2026-10-25T02:45:00+02:00", [{**NIGHT, "until": "02:30"}], "2026-10-25T03:30:00+02:00"),
        ("2026-03-29T12:00:00+02:00", [WEEKEND], "2026-03-30T00:00:00+02:00"),
        # Another zone's wall.
        ("2026-01-05T22:30:00+00:00", [{"from": "17:00", "until": "18:00", "timezone": "America/New_York"}],
         "2026-01-05T23:00:00+00:00"),
    ],
)  # fmt: skip
def test_when_the_quiet_ends(now: str, tables: list[dict], end: str) -> None:
    """An empty text: it is not quiet."""
    assert until(now, *tables) == end


def test_some_severities_are_told_all_the_same() -> None:
    """Of each stretch."""
    night = {**NIGHT, "except": ["critical"]}
    assert until("2026-01-05T23:00:00+01:00", night, severity="critical") == ""
    assert until("2026-01-05T23:00:00+01:00", night) != ""
    assert until("2026-01-10T23:00:00+01:00", night, WEEKEND, severity="critical") == "2026-01-12T00:00:00+01:00"


@given(st.integers(0, 2 * 366 * 24 * 60), st.sampled_from(["Europe/Berlin", "UTC"]))
def test_it_is_quiet_just_while_the_wall_says_so(minute: int, zone: str) -> None:
    """The local time of the day is the oracle; the end is not quiet, and everything before it is."""
    spec = QuietHoursSpec.model_validate({**NIGHT, "timezone": zone})
    now_ms = ms("2026-01-01T00:00:00+00:00") + minute * 60_000
    end_ms = quiet_until_ms([spec], severity="info", now_ms=now_ms)
    wall = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(zone)).strftime("%H:%M")
    assert bool(end_ms) == (wall >= "22:00" or wall < "07:00")
    if end_ms:
        assert quiet_until_ms([spec], severity="info", now_ms=end_ms - 1) == end_ms
        assert quiet_until_ms([spec], severity="info", now_ms=end_ms) == 0


@pytest.mark.parametrize(
    "table",
    [{"from": "25:00"}, {"until": "7:00"}, {"days": ["monday"]}, {"days": []}, {"timezone": "Mars/Base"},
     {"timezone": "../etc/passwd"}, {"except": ["fatal"]}, {"form": "22:00"}],
)  # fmt: skip
def test_mistakes_are_refused(table: dict) -> None:
    """When the configuration is read."""
    with pytest.raises(ValidationError):
        QuietHoursSpec.model_validate(table)
