"""What becomes of letters as time passes: those that wait are looked at again, notices are sent again on purpose.

Everything is read in one view, judged by the pure policies, and written only where something changes.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from driftwatch.evaluation.alarm import Alarm, alarm_in
from driftwatch.evaluation.alerts import State
from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.groups import lane
from driftwatch.evaluation.policies import (
    Begun,
    PolicySpec,
    Waiting,
    counts,
    examined,
    is_to_be_repeated,
    matter_of,
)
from driftwatch.evaluation.silences import silenced_until_ms
from driftwatch.ports.letters import Letter
from driftwatch.store.letter_rows import FIELDS, WITHOUT_BODY, LetterState, letter_in
from driftwatch.store.silences import unexpired

MOST_ASKED = 1_000
"""So many requests are looked back at, which bounds what `at_most` can count."""

_HELD = f"SELECT {FIELDS} FROM letters WHERE state = 'held' AND release_ms <= ? ORDER BY sequence"  # noqa: S608 - constants
_DELIVERED = f"""
SELECT {FIELDS}, letters.finished_ms FROM letters
WHERE target = :target AND lane IN (SELECT value FROM json_each(:lanes)) AND state = 'delivered' AND type = :type
  AND finished_ms <= :before ORDER BY sequence
"""  # noqa: S608 - constants
_ALERTS = "SELECT state, document FROM alerts WHERE alert_id IN (SELECT value FROM json_each(?))"
_ASKED = f"SELECT {WITHOUT_BODY} FROM letters WHERE target = ? AND key = ? ORDER BY created_ms DESC LIMIT {MOST_ASKED}"  # noqa: S608 - constants
_TOLD = f"""
SELECT {WITHOUT_BODY} FROM letters
WHERE target = ? AND lane = ? AND type <> ? AND EXISTS
  (SELECT 1 FROM json_each(letters.alerts) WHERE value IN (SELECT value FROM json_each(?)))
ORDER BY sequence
"""  # noqa: S608 - constants


def asked(connection: sqlite3.Connection, target: str, key: str) -> list[Letter]:
    """Give the latest letters with a key, the newest first, without their bodies."""
    return [letter_in(row) for row in connection.execute(_ASKED, (target, key))]


def told(connection: sqlite3.Connection, target: str, name: str, *, alerts: Sequence[str]) -> list[Letter]:
    """Give the letters of a lane that tell of one of these alerts, but not of its end, without their bodies."""
    rows = connection.execute(_TOLD, (target, name, EventType.RESOLVED, json.dumps(alerts)))
    return [letter_in(row) for row in rows]


class Examination:
    """One look at the letters that wait, and at those that may be repeated."""

    def __init__(self, connection: sqlite3.Connection, policies: Mapping[str, PolicySpec], *, now_ms: int) -> None:
        self._connection, self._policies, self._now_ms = connection, policies, now_ms
        self._silences = unexpired(connection, now_ms=now_ms)
        self._changed: dict[str, Letter] = {}

    def changes(self) -> list[tuple[Letter, Letter]]:
        """Give each letter that is to change, as it is and as it is to be."""
        pairs = [*self._held(), *self._repeated()]
        return [(before, after) for before, after in pairs if before != after]

    def _held(self) -> Iterator[tuple[Letter, Letter]]:
        for letter in map(letter_in, self._connection.execute(_HELD, (self._now_ms,)).fetchall()):
            policy = self._policies.get(letter.target)
            if policy is not None:  # else nobody is there to write to
                after = self._examined(letter, policy)
                self._changed[letter.id] = after
                yield letter, after

    def _examined(self, letter: Letter, policy: PolicySpec) -> Letter:
        now_ms = self._now_ms
        alarms, firing = self._alarms(letter)
        matter = matter_of(letter.type, alarms)
        before = self._requests(letter) if matter.request else []
        counted = [each for each in before if counts(each.state, hold=each.hold, last_result=each.last_result)]
        waiting = Waiting(
            letter.hold,
            letter.release_ms,
            letter.expires_ms,
            over=bool(letter.alerts) and not firing,
            asked=bool(letter.incident) and any(each.incident == letter.incident for each in counted),
            begun=self._begun(letter) if matter.end else (),
        )
        ruling = examined(
            policy,
            matter,
            waiting,
            silenced_until_ms=silenced_until_ms(alarms if matter.end else firing, self._silences, now_ms=now_ms),
            asked_ms=[each.created_ms for each in counted],
            now_ms=now_ms,
        )
        if ruling.state == LetterState.DROPPED:
            return replace(letter, state="dropped", last_result=str(ruling.reason))
        held = ruling.state == LetterState.HELD
        return replace(
            letter,
            state=ruling.state,
            hold=str(ruling.reason or ""),
            release_ms=ruling.release_ms,
            expires_ms=ruling.expires_ms,
            next_ms=letter.next_ms if held else now_ms,
        )

    def _requests(self, letter: Letter) -> list[Letter]:
        """The other requests of its kind, as they are after this examination so far."""
        found = asked(self._connection, letter.target, letter.key)
        return [self._changed.get(each.id, each) for each in found if each.id != letter.id]

    def _begun(self, letter: Letter) -> list[Begun]:
        found = told(self._connection, letter.target, letter.lane, alerts=letter.alerts)
        now = [self._changed.get(each.id, each) for each in found]
        return [Begun(each.state, each.hold, each.release_ms) for each in now]

    def _alarms(self, letter: Letter) -> tuple[list[Alarm], list[Alarm]]:
        """The alerts of a letter that are known, and those of them that fire."""
        rows = self._connection.execute(_ALERTS, (json.dumps(letter.alerts),)).fetchall()
        read = [(state, alarm_in(msgspec.json.decode(document))) for state, document in rows]
        return [alarm for _, alarm in read], [alarm for state, alarm in read if state == State.FIRING]

    def _repeated(self) -> Iterator[tuple[Letter, Letter]]:
        repeating = {name: policy for name, policy in self._policies.items() if policy.repeat}
        firing = self._firing() if repeating else []
        lanes = json.dumps(sorted({lane(each.model, each.version, rule=each.rule) for each in firing}))
        for target, policy in repeating.items() if firing else ():
            parameters = {
                "target": target, "lanes": lanes, "type": EventType.FIRING, "before": self._now_ms - policy.repeat,
            }  # fmt: skip
            for *row, sent_ms in self._connection.execute(_DELIVERED, parameters).fetchall():
                letter = letter_in(row)
                own = [alarm for alarm in firing if alarm.id in letter.alerts]
                if self._is_to_be_repeated(letter, policy, own=own, sent_ms=sent_ms):
                    yield (
                        letter,
                        replace(letter, state="pending", attempts=0, repeats=letter.repeats + 1, next_ms=self._now_ms),
                    )

    def _is_to_be_repeated(self, letter: Letter, policy: PolicySpec, *, own: Sequence[Alarm], sent_ms: int) -> bool:
        """own: those of its alerts that fire and are not acknowledged."""
        if not own or not is_to_be_repeated(policy, matter_of(letter.type, own), sent_ms=sent_ms, now_ms=self._now_ms):
            return False
        return silenced_until_ms(own, self._silences, now_ms=self._now_ms) <= self._now_ms

    def _firing(self) -> list[Alarm]:
        """Every alert that fires and is not acknowledged."""
        rows: list[tuple[Any, ...]] = self._connection.execute(
            "SELECT document FROM alerts WHERE state = 'firing'"
            " AND alert_id NOT IN (SELECT alert_id FROM acknowledgements)"
        ).fetchall()
        return [alarm_in(msgspec.json.decode(document)) for (document,) in rows]
