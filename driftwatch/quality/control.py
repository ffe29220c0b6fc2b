"""Golden sets: the same events sent through every version of a model, whose answers are known and must not change.

What is known of an event is its label, and where it has none the first answer that any version gave to it. A version's
answer is its last one. Which came first and last is told by the events' times, so that neither the order in which
partitions are read nor an event that is sent again makes a difference.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from driftwatch.evaluation.rules import RuleSpec
from driftwatch.stream.batch import Batch, Labels
from driftwatch.stream.control import Controls
from driftwatch.stream.outputs import OutputForm, Records
from driftwatch.stream.schema import Task

MOST_ANSWERS = 100_000
"""Answers that a model keeps, of all sets and versions."""
MOST_VERSIONS = 16
"""Versions of which answers are kept; the one that answered longest ago makes room. What is known stays."""
MOST_IDS = 20
"""Changed events that are named."""
CHUNKS = 64
"""Parts of a set that are written apart."""

_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")]


def _apart(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("every golden set is named once")
    return names


ControlNames = Annotated[list[_Name], Field(max_length=100), AfterValidator(_apart)]
"""`control = [...]` of a model: the golden sets that are followed. They become labels of metrics."""

Answer = tuple[int, str, bytes]
"""When, by which version, and the record of what it said: the order decides between two of one time."""
Key = tuple[str, int]
"""The set, and the hash of the event's id."""


@dataclass(slots=True)
class Item:
    """One event of a golden set.

    label: when it became known, and its record. first: the first answer. last: of each version. changed: versions
    whose last answer is not what is known.
    """

    text: str
    label: tuple[int, bytes] | None = None
    first: Answer | None = None
    last: dict[str, Answer] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class ControlStanding:
    """How one version stands in one set: answers kept, changed ones among them, and some of their ids."""

    name: str
    version: str
    answers: int
    changed: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Touched:
    """An answer that an event was about, and how its version stands in its set after the event.

    changed: answers of the version that are not what is known. at_ms: of the event. answered_ms: of the answer.
    facts: the answer and what is known of it, whichever of the two came first.
    """

    name: str
    version: str
    changed: int
    at_ms: int
    answered_ms: int
    facts: tuple[str | int, ...]


class ControlSets:
    """The golden sets of one model. names: those that are followed. tolerance: see `Comparison`. rules: on them."""

    def __init__(
        self, form: OutputForm, names: Collection[str], *, tolerance: float = 1e-6, rules: Collection[RuleSpec] = ()
    ) -> None:
        self.names, self.rules = tuple(names), tuple(rules)
        self.unknown: dict[str, bool] = {}
        self._standings: tuple[ControlStanding, ...] | None = None
        self.left_out = 0
        self.items: dict[Key, Item] = {}
        self.unsaved: set[tuple[str, int]] = set()
        self.form = replace(form, groups=0)
        self._comparison = Comparison(self.form, tolerance)
        self._answers: dict[str, int] = {}
        self._latest_ms: dict[str, int] = {}
        self._changed: Counter[tuple[str, str]] = Counter()
        self._touched: list[Touched] = []

    def add(self, controls: Controls) -> list[Touched]:
        """Take answers, or labels, of golden sets; those of sets that are not followed are only remembered by name.

        Returns what each event touched, in their order, so that where they are cut into batches decides nothing.
        """
        rows = controls.rows
        if isinstance(rows, Batch):
            rows = replace(rows, outputs=self._plain(rows.outputs))
        beside = {place: number for number, place in enumerate(controls.labelled)}
        for place, (name, text) in enumerate(zip(controls.sets, controls.ids, strict=True)):
            identity = int(rows.ids[place])
            if name not in self.names:
                if len(self.unknown) < MOST_IDS:
                    self.unknown.setdefault(name, False)
            elif not identity:
                self.left_out += 1
            elif isinstance(rows, Batch):
                # First what is known: the answer is not for a moment compared with what was known before.
                if controls.labels is not None and place in beside:
                    self._label((name, identity), text, controls.labels, place=beside[place])
                self._answer((name, identity), text, rows, place=place)
            elif not rows.cancelled[place]:
                self._label((name, identity), text, rows, place=place)
        touched, self._touched = self._touched, []
        return touched

    def changed(self, name: str, version: str) -> int:
        """Answers of a version to a set that are not what is known."""
        return self._changed[name, version]

    def saved(self) -> None:
        """The changes have been written."""
        self.unsaved.clear()

    def newly_unknown(self) -> list[str]:
        """Sets that are sent and not followed, each told once, MOST_IDS of them at most."""
        new = [name for name, told in self.unknown.items() if not told]
        self.unknown |= dict.fromkeys(new, True)
        return new

    @property
    def standings(self) -> tuple[ControlStanding, ...]:
        """Every set that is followed and every version that has answered it."""
        if self._standings is None:
            self._standings = tuple(self._stand())
        return self._standings

    def _stand(self) -> Iterator[ControlStanding]:
        found: dict[tuple[str, str], list[int]] = {}
        ids: dict[tuple[str, str], list[str]] = {}
        for (name, _), item in self.items.items():
            for version in item.last:
                total = found.setdefault((name, version), [0, 0])
                total[0] += 1
                if version in item.changed:
                    total[1] += 1
                    ids.setdefault((name, version), []).append(item.text)
        for key in sorted(found):
            answers, changed = found[key]
            yield ControlStanding(*key, answers, changed, tuple(sorted(ids.get(key, ()))[:MOST_IDS]))

    def adopt(self, items: Mapping[Key, Item]) -> None:
        """Go on with what was stored, of the sets that are still followed."""
        self._standings = None
        for key, item in items.items():
            if key[0] not in self.names:
                self.unsaved.add(_chunk(key))
                continue
            self.items[key] = item
            for version, (time, _, _) in item.last.items():
                self._answers[version] = self._answers.get(version, 0) + 1
                self._latest_ms[version] = max(self._latest_ms.get(version, time), time)
            self._judge(key[0], item)

    def _plain(self, outputs: Records) -> Records:
        """What was said, without the groups that the rows are in: these change with the configuration."""
        plain = np.empty(len(outputs), dtype=self.form.outputs)
        for name in plain.dtype.names or ():
            plain[name] = outputs[name]
        return plain

    def _answer(self, key: Key, text: str, rows: Batch, *, place: int) -> None:
        version = rows.version_names[rows.versions[place]]
        answer = int(rows.times[place]), version, rows.outputs[place].tobytes()
        item = self.items.get(key)
        if (item is None or version not in item.last) and not self._has_room(version):
            self.left_out += 1
            return
        item = self.items.setdefault(key, Item(text))
        if version not in item.last:
            self._answers[version] = self._answers.get(version, 0) + 1
        self._latest_ms[version] = max(self._latest_ms.get(version, answer[0]), answer[0])
        item.first = answer if item.first is None else min(item.first, answer)
        item.last[version] = max(item.last.get(version, answer), answer)
        self._note(key, item, at_ms=answer[0])

    def _label(self, key: Key, text: str, rows: Labels, *, place: int) -> None:
        if key not in self.items and len(self.items) >= MOST_ANSWERS:
            self.left_out += 1
            return
        item = self.items.setdefault(key, Item(text))
        label = int(rows.times[place]), rows.outcomes[place].tobytes()
        item.label = label if item.label is None else max(item.label, label)
        self._note(key, item, at_ms=label[0])

    def _has_room(self, version: str) -> bool:
        """Let go of the versions that answered longest ago until there is room; False where there is none to make."""
        while sum(self._answers.values()) >= MOST_ANSWERS or (
            version not in self._answers and len(self._answers) >= MOST_VERSIONS
        ):
            others = [(self._latest_ms[known], known) for known in self._answers if known != version]
            if not others:
                return False
            self._forget(min(others)[1])
        return len(self.items) < MOST_ANSWERS

    def _forget(self, version: str) -> None:
        self._standings = None
        del self._answers[version]
        latest_ms = self._latest_ms.pop(version)
        for key, item in self.items.items():
            if item.last.pop(version, None) is not None:
                item.changed.discard(version)
                self.unsaved.add(_chunk(key))
        for name in self.names:
            if self._changed.pop((name, version), 0):
                self._touched.append(Touched(name, version, 0, latest_ms, latest_ms, ()))

    def _note(self, key: Key, item: Item, *, at_ms: int) -> None:
        self._standings = None
        name, identity = key
        self._judge(name, item)
        self.unsaved.add(_chunk(key))
        known = item.label or item.first
        assert known is not None
        for version, last in sorted(item.last.items()):
            facts = identity, *last[:-1], last[-1].hex(), known[0], known[-1].hex()
            self._touched.append(Touched(name, version, self.changed(name, version), at_ms, last[0], facts))

    def _judge(self, name: str, item: Item) -> None:
        before = item.changed
        item.changed = {
            version for version, (_, _, said) in item.last.items() if self._comparison.has_changed(item, said)
        }
        self._changed.update((name, version) for version in item.changed - before)
        self._changed.subtract((name, version) for version in before - item.changed)


class Comparison:
    """Says whether an answer is what is known.

    A class, or a list of items, must be the same; numbers (scores, and predictions of a regression) may move by
    `tolerance`, times the known number where that is greater than 1. Against a label it is the prediction that counts;
    a ranking's label says nothing of the places, so that it is compared with the first answer all the same.
    """

    def __init__(self, form: OutputForm, tolerance: float) -> None:
        self._form, self._tolerance = form, tolerance

    def has_changed(self, item: Item, said: bytes) -> bool:
        """Whether what was said of an item is not what is known of it."""
        answer = np.frombuffer(said, self._form.outputs)
        if item.label is not None and self._form.task not in {Task.RANKING, Task.NONE}:
            label = np.frombuffer(item.label[1], self._form.outcomes)["label"]
            return self._are_apart(label, answer["prediction"])
        assert item.first is not None
        first: Records = np.frombuffer(item.first[2], self._form.outputs)
        names = [name for name in self._form.outputs.names or () if name != "value"]
        return any(self._are_apart(first[name], answer[name]) for name in names)

    def _are_apart(self, known: Records, said: Records) -> bool:
        if known.dtype.kind != "f":
            return bool((known != said).any())
        allowed = self._tolerance * np.maximum(np.abs(np.nan_to_num(known)), 1.0)
        near = np.abs(known - said) <= allowed
        return not bool((near | (np.isnan(known) & np.isnan(said))).all())


def _chunk(key: Key) -> tuple[str, int]:
    return key[0], key[1] % CHUNKS
