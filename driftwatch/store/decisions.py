"""What people decide about letters: approved, rejected, delivered again, forgotten. One transaction each."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.policies import Withheld
from driftwatch.ports.letters import Letter
from driftwatch.ports.operations import Refused
from driftwatch.store.acknowledgements import alert_state
from driftwatch.store.database import Database
from driftwatch.store.letter_rows import WITHOUT_BODY, LetterState, change, letter_in

APPROVED, REJECTED = "approved", str(Withheld.REJECTED)
"""What `hold` says of a letter that was decided upon, for as long as it is kept."""

_DECIDABLE = f"""
SELECT {WITHOUT_BODY} FROM letters
WHERE hold IN ('approval', 'approved', 'rejected') AND type <> ?
  AND EXISTS (SELECT 1 FROM json_each(letters.alerts) WHERE value = ?)
ORDER BY sequence
"""  # noqa: S608 - constants
_ONE = f"SELECT {WITHOUT_BODY} FROM letters WHERE id = ?"  # noqa: S608 - constants
_DEAD = f"""
SELECT {WITHOUT_BODY} FROM letters WHERE state = 'dead' AND (:target = '' OR target = :target) ORDER BY sequence
"""  # noqa: S608 - constants
_END_TOLD = """
SELECT alerts FROM letters
WHERE target = ? AND lane = ? AND type = ? AND state = 'delivered'
  AND sequence > (SELECT sequence FROM letters WHERE id = ?)
"""


class SqliteDecisions:
    """The Decisions on one SQLite file."""

    def __init__(self, database: Database) -> None:
        self._link = database.connect()

    def approve(self, alert: str, *, now_ms: int) -> Sequence[Letter] | Refused:
        """Send the requests that wait for approval and tell of this alert; again, the same ones are given."""
        return self._decide(alert, APPROVED, now_ms=now_ms)

    def reject(self, alert: str, *, now_ms: int) -> Sequence[Letter] | Refused:
        """Drop the requests that wait for approval and tell of this alert; again, the same ones are given."""
        return self._decide(alert, REJECTED, now_ms=now_ms)

    def replay(self, name: str, *, now_ms: int) -> Letter | Refused:
        """Deliver a dead or delivered letter again, under the same id and with all of its attempts.

        It takes its old place in its lane: before everything that is still to be delivered there. What was delivered
        meanwhile stays delivered, so the beginning of alerts whose end has been told is not told again.
        """
        with self._link.writing() as connection:
            row = connection.execute(_ONE, (name,)).fetchone()
            if row is None:
                return Refused.UNKNOWN
            letter = letter_in(row)
            if letter.state in {LetterState.PENDING, LetterState.HELD}:
                return Refused.UNDER_WAY
            if letter.state == LetterState.DROPPED:
                return Refused.DROPPED
            if _is_overtaken(connection, letter):
                return Refused.OVERTAKEN
            return _again(connection, letter, now_ms=now_ms)

    def replay_dead(self, target: str, *, now_ms: int) -> Sequence[Letter]:
        """Deliver all dead letters again, of one target or of all (""), but for those that were overtaken."""
        with self._link.writing() as connection:
            dead = [letter_in(row) for row in connection.execute(_DEAD, {"target": target}).fetchall()]
            return [
                _again(connection, letter, now_ms=now_ms) for letter in dead if not _is_overtaken(connection, letter)
            ]

    def purge(self, state: str, target: str) -> int:
        """Forget the dead or the dropped letters of one target or of all (""); how many there were."""
        if state not in {LetterState.DEAD, LetterState.DROPPED}:
            raise ValueError(f"letters that are {state} are not forgotten")
        with self._link.writing() as connection:
            return connection.execute(
                "DELETE FROM letters WHERE state = :state AND (:target = '' OR target = :target)",
                {"state": state, "target": target},
            ).rowcount

    def _decide(self, alert: str, decision: str, *, now_ms: int) -> Sequence[Letter] | Refused:
        with self._link.writing() as connection:
            rows = connection.execute(_DECIDABLE, (EventType.RESOLVED, alert)).fetchall()
            found = [letter_in(row) for row in rows]
            waiting = [each for each in found if each.state == LetterState.HELD]
            in_time = [each for each in waiting if not each.expires_ms or now_ms < each.expires_ms]
            if in_time:
                return [_decided(connection, each, decision, now_ms=now_ms) for each in in_time]
            done = [each for each in found if each.hold == decision]
            if done:
                return done
            return _refusal(connection, alert, found)


def _refusal(connection: sqlite3.Connection, alert: str, found: Sequence[Letter]) -> Refused:
    """Why there is nothing to decide; found: what has waited for a decision on this alert."""
    if any(each.hold in {APPROVED, REJECTED} for each in found):
        return Refused.DECIDED
    if any(each.state == LetterState.HELD or each.last_result == Withheld.EXPIRED for each in found):
        return Refused.EXPIRED
    return Refused.UNKNOWN if alert_state(connection, alert) is None else Refused.NOTHING_WAITS


def _decided(connection: sqlite3.Connection, letter: Letter, decision: str, *, now_ms: int) -> Letter:
    if decision == APPROVED:
        new = replace(letter, state="pending", hold=decision, next_ms=now_ms)
    else:
        new = replace(letter, state="dropped", hold=decision, last_result=REJECTED)
    change(connection, letter, new, now_ms=now_ms)
    return new


def _again(connection: sqlite3.Connection, letter: Letter, *, now_ms: int) -> Letter:
    new = replace(letter, state="pending", attempts=0, next_ms=now_ms)
    change(connection, letter, new, now_ms=now_ms)
    return new


def _is_overtaken(connection: sqlite3.Connection, letter: Letter) -> bool:
    """Whether it tells that alerts fire of which the end has been told, of all of them."""
    if letter.type != EventType.FIRING:
        return False
    rows = connection.execute(_END_TOLD, (letter.target, letter.lane, EventType.RESOLVED, letter.id))
    ended = {alert for (alerts,) in rows for alert in json.loads(alerts)}
    return bool(letter.alerts) and ended.issuperset(letter.alerts)
