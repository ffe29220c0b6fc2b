"""Alerts, people and a clock around one outbox on disk: what targets with policies get, and what they do not."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from driftwatch.daemon.past import OutboxPast
from driftwatch.evaluation.alarm import alarm_in, alarm_of
from driftwatch.evaluation.alerts import State, identity
from driftwatch.evaluation.groups import Group, Move
from driftwatch.evaluation.incidents import Incident
from driftwatch.evaluation.silences import Silence, read_matcher
from driftwatch.ports.answers import Query
from driftwatch.ports.letters import Letter
from driftwatch.ports.operations import Word
from driftwatch.sinks.letters import write_letters
from driftwatch.sinks.occasion import Occasion
from driftwatch.sinks.targets.webhook import WebhookSpec
from driftwatch.store.acknowledgements import SqliteAcknowledgements
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.decisions import SqliteDecisions
from driftwatch.store.history import SqliteHistory
from driftwatch.store.outbox import SqliteOutbox
from driftwatch.store.silences import SqliteSilences
from tests.store.examples import START, checkpoint, report, transition

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def target(**policies: Any) -> WebhookSpec:
    """A target that takes everything unless told otherwise."""
    return WebhookSpec.model_validate({"name": "trainer", "url": "http://trainer/", "secret_env": "HOOK"} | policies)


class World:
    """Begins on Monday 2026-01-05 at 10:00 UTC."""

    def __init__(self, directory: Path, *targets: WebhookSpec) -> None:
        self.directory, self.targets = directory, targets
        self.now_ms = START
        self.sent: list[str] = []
        """What was delivered: "type column,column" with the webhook id's repetition, in order."""
        self.ids: list[str] = []
        self.importance: dict[str, dict[str, float]] = {}
        self.incident: Incident | None = None
        self._windows = 0
        self._columns: dict[str, str] = {}
        self.open()

    def open(self) -> None:
        """Open the state directory."""
        database = Database(self.directory)
        self.store, self.outbox, self.history = SqliteStore(database), SqliteOutbox(database), SqliteHistory(database)
        self.silences, self.decisions = SqliteSilences(database), SqliteDecisions(database)
        self.acknowledgements = SqliteAcknowledgements(database)

    def restart(self) -> None:
        """As after a kill."""
        self.store.close()
        self.open()

    def fire(self, *columns: str, action: str = "retrain", **changes: Any) -> list[Letter]:
        """Let alerts on these columns begin to fire in one window."""
        return self._move(State.FIRING, columns, action=action, **changes)

    def end(self, *columns: str, action: str = "retrain", **changes: Any) -> list[Letter]:
        """Let them end in one window."""
        return self._move(State.RESOLVED, columns, action=action, **changes)

    def _move(self, state: State, columns: Sequence[str], **changes: Any) -> list[Letter]:
        self._windows += 1
        rule = changes.get("rule", "drift")
        firing = {(item["rule"], item["column"]): item["id"] for item in self.alerts("firing")}
        steps = []
        for column in columns:
            name = firing.get((rule, column)) or identity(rule, column, self._windows)
            self._columns[name] = column
            own = {"identity": identity(name, state), "alert_id": name}
            steps.append(transition(state, window=self._windows, column=column, **own, **changes))
        group = Group(tuple(Move(step, report(self._windows)) for step in steps))
        standing = [alarm_in(item) for item in self.alerts("firing")]
        new = [alarm_of(step) for step in steps]
        over = {alarm.id for alarm in new}
        firing_now = [each for each in standing if each.id not in over] + (new if state is State.FIRING else [])
        occasion = Occasion(
            self.now_ms, OutboxPast(self.outbox, ()), silences=self.silences.unexpired(now_ms=self.now_ms),
            firing=firing_now, importance=self.importance, incident=self.incident,
        )  # fmt: skip
        letters = write_letters(group, targets=self.targets, occasion=occasion)
        self.store.save(checkpoint(taken_ms=self.now_ms, transitions=steps, letters=letters))
        self.run()
        return letters

    def alerts(self, state: str) -> list[dict[str, Any]]:
        """The alerts in a state."""
        return self.history.alerts(Query(state=state)).items

    def alert(self, column: str) -> str:
        """The id of the latest alert on a column."""
        return [name for name, known in self._columns.items() if known == column][-1]

    def wait(self, milliseconds: int) -> None:
        """Let time pass, looked at as the service does, though in longer steps."""
        end = self.now_ms + milliseconds
        while self.now_ms < end:
            self.now_ms = min(end, self.now_ms + max(MINUTE, milliseconds // 50))
            self.run()

    def run(self) -> None:
        """One tick, and the deliveries that it brings."""
        self.outbox.examine({spec.name: spec for spec in self.targets}, now_ms=self.now_ms)
        for spec in self.targets:
            while due := self.outbox.due(spec.name, self.now_ms, limit=1):
                (letter,) = due
                self.outbox.delivered(letter, now_ms=self.now_ms, result="delivered")
                kind = letter.type.removeprefix("driftwatch.").partition(".")[2]
                self.sent.append(f"{kind} {','.join(sorted(self._columns[each] for each in letter.alerts))}")
                self.ids.append(letter.sent_as)

    def silence(self, *matchers: str, milliseconds: int) -> str:
        """Silence something from now on; gives its id."""
        wanted = Silence(
            "", tuple(map(read_matcher, matchers)), "ann", "", self.now_ms, self.now_ms + milliseconds, self.now_ms
        )
        return self.silences.add(wanted).id

    def acknowledge(self, column: str) -> None:
        """Somebody takes care of it."""
        self.acknowledgements.acknowledge(self.alert(column), Word("ann"), now_ms=self.now_ms)

    def letters(self) -> list[tuple[str, str, str]]:
        """Of every letter, the oldest first: its type, its state, and why."""
        items = reversed(self.history.deliveries(Query(limit=1000)).items)
        return [(item["type"].removeprefix("driftwatch."), item["state"], _why(item)) for item in items]

    def reasons(self) -> list[str]:
        """Why letters wait or were dropped, the oldest first."""
        return [why for _, state, why in self.letters() if state in {"held", "dropped"}]


def _why(item: dict[str, Any]) -> str:
    return str(item["hold"] if item["state"] == "held" else item["last_result"])


Begin = Callable[..., World]
REQUESTS = {"actions": ["retrain", "rollback"]}
NOTICES = {"actions": ["notify"]}
NIGHT = {"from": "10:00", "until": "12:00"}
