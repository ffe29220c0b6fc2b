"""Laws of policies: whatever they are, and whatever people say and when, every step is told once or says why not."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from driftwatch.evaluation.policies import HOLDS, Withheld
from driftwatch.ports.answers import Query
from driftwatch.store.inspection import damage
from tests.sinks.policy_world import DAY, HOUR, World, target

_KEYS: dict[str, list[Any]] = {
    "cooldown": ["1h", "30d"],
    "at_most": ["1 per 2h", "2 per 7d"],
    "approval": ["manual"],
    "approval_expires": ["1h", "24h"],
    "only_if": [[{"columns": 2}], [{"kinds": ["performance"]}]],
    "quiet_hours": [{"from": "10:00", "until": "11:30"}, {"days": ["mon"], "except": ["critical"]}],
    "quiet_requests": [True],
    "repeat": ["1h"],
    "send_resolved": [False],
    "min_severity": ["critical"],
    "actions": [["notify"], ["retrain"]],
}
_KEY = st.sampled_from([(key, value) for key, values in _KEYS.items() for value in values])
_POLICIES = st.lists(_KEY, max_size=3).map(dict)
_COLUMNS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
_SEVERITIES = st.sampled_from(["warning", "critical"])
_MATCHERS = st.sampled_from(["column=a", "column=~a|b", "rule=~.* warning"])
_FIRE = st.tuples(st.just("fire"), _COLUMNS, st.sampled_from(["notify", "retrain"]), _SEVERITIES)
_DEED = st.one_of(
    _FIRE,
    st.tuples(st.just("end"), _COLUMNS),
    st.tuples(st.just("wait"), st.sampled_from([1, HOUR // 2, HOUR, 7 * HOUR, 2 * DAY])),
    st.tuples(st.just("silence"), _MATCHERS, st.sampled_from([HOUR, DAY])),
    st.tuples(st.sampled_from(["approve", "reject", "acknowledge"]), st.sampled_from("abc")),
    st.tuples(st.sampled_from(["expire", "restart"])),
)  # fmt: skip


class Course:
    """Does deeds in a world, as far as they are possible, and remembers how every letter stood."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.firing: dict[str, dict[str, Any]] = {}
        self.told: list[tuple[frozenset[str], set[str]]] = []
        self.silences: list[str] = []
        self.been: dict[str, set[str]] = {}

    def do(self, deed: tuple[Any, ...]) -> None:
        name, *rest = deed
        getattr(self, name)(*rest)
        for item in self.letters():
            self.been.setdefault(item["id"], set()).add(item["state"])

    def fire(self, columns: list[str], action: str, severity: str) -> None:
        new = [column for column in columns if column not in self.firing]
        if new:
            how = {"action": action, "severity": severity, "rule": f"{action} {severity}"}
            self.firing |= dict.fromkeys(new, how)
            self._note(self.world.fire(*new, **how), new)

    def end(self, columns: list[str]) -> None:
        over = [column for column in columns if column in self.firing]
        for how in {str(self.firing[column]): self.firing[column] for column in over}.values():
            same = [column for column in over if self.firing[column] == how]
            self._note(self.world.end(*same, **how), same)
        for column in over:
            del self.firing[column]

    def wait(self, milliseconds: int) -> None:
        self.world.wait(milliseconds)

    def silence(self, matcher: str, milliseconds: int) -> None:
        self.silences.append(self.world.silence(matcher, milliseconds=milliseconds))

    def expire(self) -> None:
        for name in self.silences[-1:]:
            self.world.silences.expire(name, now_ms=self.world.now_ms)

    def restart(self) -> None:
        self.world.restart()

    def approve(self, column: str) -> None:
        if column in self.firing:
            self.world.decisions.approve(self.world.alert(column), now_ms=self.world.now_ms)

    def reject(self, column: str) -> None:
        if column in self.firing:
            self.world.decisions.reject(self.world.alert(column), now_ms=self.world.now_ms)

    def acknowledge(self, column: str) -> None:
        if column in self.firing:
            self.world.acknowledge(column)

    def letters(self) -> list[dict[str, Any]]:
        return self.world.history.deliveries(Query(limit=1000)).items[::-1]

    def _note(self, letters: list[Any], columns: list[str]) -> None:
        self.told.append((frozenset(map(self.world.alert, columns)), {letter.id for letter in letters}))


_ASKS, _TELLS = (("fire", ["a", "b"], action, "warning") for action in ("retrain", "notify"))
_SILENCED = ("silence", "column=a", DAY)


@settings(max_examples=80)
@example({"approval": "manual"}, _ASKS, [("end", ["a"]), ("end", ["b"])])
@example({"approval": "manual", "repeat": "1h"}, _ASKS, [("approve", "b"), ("end", ["a"]), ("reject", "b")])
@example({"quiet_hours": {"from": "10:00", "until": "11:30"}}, _TELLS, [("end", ["a"]), ("wait", DAY), ("end", ["b"])])
@example({"cooldown": "30d"}, _ASKS, [_SILENCED, ("end", ["a", "b"]), _ASKS, ("end", ["b"]), ("wait", DAY)])
@example({"min_severity": "critical", "repeat": "1h"}, _TELLS, [("end", ["a"]), ("restart",), ("end", ["b"])])
@given(_POLICIES, _FIRE, st.lists(_DEED, max_size=12))
def test_every_step_is_told_once_or_says_why_not(
    policies: dict[str, Any], first: tuple[Any, ...], deeds: list[tuple[Any, ...]]
) -> None:
    """No letter is both dropped and sent, none is lost, and no end is heard of what was never told."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder) / "state", target(**policies))
        done = Course(world)
        for deed in (first, *deeds, ("wait", 2 * DAY), ("wait", 2 * DAY)):
            done.do(deed)
        letters = done.letters()
        world.store.close()
        assert damage(world.directory) == []

    by_id = {item["id"]: item for item in letters}
    sent = [name.partition("_")[2].partition("_")[0] for name in world.ids]
    for name, states in done.been.items():
        assert not {"delivered", "dropped"} <= states, name
        was_sent = name.removeprefix("msg_") in sent
        assert was_sent == (by_id[name]["state"] == "delivered")
    for item in letters:
        if item["state"] == "dropped":
            assert Withheld(item["last_result"]) not in HOLDS
        elif item["state"] == "held":
            # After four days only what cannot be heard of waits: Mondays are over, and so are all silences.
            assert item["hold"] == "approval", "it waits for ever"
        assert item["state"] != "pending"
    _assert_complete(done, by_id, policies)
    _assert_in_order(world, letters)


def _assert_complete(done: Course, by_id: dict[str, dict[str, Any]], policies: dict[str, Any]) -> None:
    """Each step that the target takes stands in the letters of its group, be they sent or not."""
    if "notify" not in policies.get("actions", ["notify"]):
        return
    for alerts, names in done.told:
        assert alerts <= {alert for name in names for alert in by_id[name]["alerts"]}


def _assert_in_order(world: World, letters: list[dict[str, Any]]) -> None:
    """Whoever hears of an end has heard of a beginning of one of its alerts before."""
    by_id = {item["id"].removeprefix("msg_"): item for item in letters}
    heard: set[str] = set()
    for name in world.ids:
        item = by_id[name.partition("_")[2].partition("_")[0]]
        if item["type"].endswith("resolved"):
            assert heard.intersection(item["alerts"]), "an end without a beginning"
        else:
            heard.update(item["alerts"])
