"""The label join as one would write it down first: lists and dictionaries, one row after the other."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from driftwatch.stream.join.labels import LabelJoin
from driftwatch.stream.join.waiting import PART
from driftwatch.stream.outputs import CANCELLED, LABELLED, WAITING, OutputForm
from driftwatch.stream.schema import Task

FORM = OutputForm(Task.BINARY, ("0", "1"), groups=2)


def groups_of(score: float) -> list[int]:
    """A row's groups, one of which needs two bytes now and then."""
    return [round(score * 10), 300 if score > 0.8 else -1]


@dataclass
class Prediction:
    id: int
    version: int
    pane: int
    time: int
    score: float
    state: int = WAITING
    label: int = 0
    label_time: int = 0


@dataclass
class Waiting:
    id: int
    time: int
    state: int
    label: int
    there: bool = True


class Book:
    """Everything by definition; rows are tuples."""

    def __init__(self, capacity: int, waiting_capacity: int) -> None:
        self.capacity, self.waiting_capacity = capacity, waiting_capacity
        self.rows: list[Prediction] = []
        self.room: list[Waiting] = []
        self.levels: dict[int, int] = {}
        self.others = 0
        self.before = -math.inf
        self.counts: Counter[str] = Counter()
        self.settled: list[tuple[int, int, float, int, int]] = []

    def predict(self, event: int, version: int, pane: int, time: int, score: float) -> None:
        if event == 0 or pane < self.before:
            self.counts["without_id" if event == 0 else "expired"] += 1
            return
        self.levels.setdefault(pane, self.others)
        while self.passes(event, self.levels[pane]) and len(self.rows) >= self.capacity:
            self.rise()
        if not self.passes(event, self.levels[pane]):
            self.counts["thinned"] += 1
            return
        self.counts["remembered"] += 1
        new = Prediction(event, version, pane, time, score)
        told = [row for row in self.rows if row.id == event and row.state != WAITING]
        known = [(row.state, row.label_time, row.label) for row in told]
        for entry in self.room:
            if entry.there and entry.id == event:
                known.append((entry.state, entry.time, entry.label))
                entry.there = False
        self.rows.append(new)
        if known:
            self.settle(new, *known[0])
            self.counts["matched" if new.state == LABELLED else "cancelled"] += 1

    def label(self, event: int, time: int, label: int | None) -> None:
        if event == 0:
            self.counts["without_id"] += 1
            return
        state, label = (CANCELLED, 0) if label is None else (LABELLED, label)
        rows = [row for row in self.rows if row.id == event]
        if rows:
            held = rows[0]
            kind = self.kind(held.state, held.label_time, held.label, state, time, label)
            for row in rows:
                if kind == "first" or time >= row.label_time:
                    self.settle(row, state, time, label)
            self.counts[kind.replace("first", "matched" if state == LABELLED else "cancelled")] += 1
        elif not self.passes(event, min([self.others, *self.levels.values()])):
            self.counts["sampled_out"] += 1
        else:
            self.wait(event, time, state, label)

    def wait(self, event: int, time: int, state: int, label: int) -> None:
        for entry in self.room:
            if entry.there and entry.id == event:
                self.counts[self.kind(entry.state, entry.time, entry.label, state, time, label)] += 1
                if time >= entry.time:
                    entry.time, entry.state, entry.label = time, state, label
                return
        self.counts["waiting"] += 1
        if not self.waiting_capacity:
            self.counts["crowded_out"] += 1
            return
        while self.room and not self.room[0].there:
            self.room.pop(0)
        if len(self.room) == self.waiting_capacity:
            part = max(1, self.waiting_capacity // PART)
            self.counts["crowded_out"] += sum(entry.there for entry in self.room[:part])
            self.room = self.room[part:]
        self.room.append(Waiting(event, time, state, label))

    def kind(self, held: int, held_time: int, held_label: int, state: int, time: int, label: int) -> str:
        if held == WAITING:
            return "first"
        if held == state and (state == CANCELLED or label == held_label):
            return "duplicate"
        return "corrected" if time >= held_time else "outdated"

    def settle(self, row: Prediction, state: int, time: int, label: int) -> None:
        if state == LABELLED != row.state:
            self.settled.append((row.pane, row.version, row.score, label, max(0, time - row.time)))
        row.state, row.label, row.label_time = state, label, time

    def passes(self, event: int, level: int) -> bool:
        return event % 2**level == 0

    def rise(self) -> None:
        raised = min(64, min([self.others, *self.levels.values()]) + 1)
        self.levels = {pane: max(level, raised) for pane, level in self.levels.items()}
        self.others = max(self.others, raised)
        kept = [row for row in self.rows if self.passes(row.id, self.levels[row.pane])]
        self.counts["thinned"] += len(self.rows) - len(kept)
        self.rows = kept
        lowest = min([self.others, *self.levels.values()])
        for entry in self.room:
            if entry.there and not self.passes(entry.id, lowest):
                entry.there = False
                self.counts["thinned_labels"] += 1

    def forget(self, before: int) -> int:
        self.before = max(self.before, before)
        gone = [row for row in self.rows if row.pane < self.before]
        self.rows = [row for row in self.rows if row.pane >= self.before]
        came = sum(2 ** self.levels[row.pane] for row in self.rows)
        self.levels = {pane: level for pane, level in self.levels.items() if pane >= self.before}
        while self.others and came <= 0.75 * self.capacity * 2 ** (self.others - 1):
            self.others -= 1
        return sum(row.state == WAITING for row in gone)

    def forget_labels(self, before: int) -> int:
        gone = [entry for entry in self.room if entry.there and entry.time < before]
        for entry in gone:
            entry.there = False
        return len(gone)

    def answers(self, windows: list[list[int]]) -> list[tuple]:
        found = []
        for window, panes in enumerate(windows):
            level = max([self.levels.get(pane, self.others) for pane in panes], default=0)
            rows = [row for row in self.rows if row.pane in panes and self.passes(row.id, level)]
            for version in sorted({row.version for row in rows}):
                some = sorted((row for row in rows if row.version == version), key=lambda r: (r.pane, r.id, r.time))
                found.append((window, version, 2.0**-level, [answer(row) for row in some]))
        return found


def answer(row: Prediction) -> tuple:
    if row.state != LABELLED:
        return row.score, row.state
    return row.score, row.state, row.label, max(0, row.label_time - row.time)


def told(join: LabelJoin, windows: list[list[int]]) -> list[tuple]:
    """The join's answers in the book's words."""
    found = []
    for part in join.answers(windows):
        assert_groups(part.answers.outputs)
        columns = (part.answers.outputs["score"], part.answers.state, part.answers.outcomes["label"])
        rows = zip(*(column.tolist() for column in (*columns, part.answers.delays_ms)), strict=True)
        lines = [row if row[1] == LABELLED else row[:2] for row in rows]
        found.append((part.window, part.version, part.rate, lines))
    return found


def assert_groups(outputs: np.ndarray) -> None:
    """Each row is in the groups that it was remembered with."""
    assert outputs["groups"].tolist() == [groups_of(score) for score in outputs["score"].tolist()]


def predict(join: LabelJoin, rows: list[tuple]):
    """Rows of (id, version, pane, time, score)."""
    outputs = np.zeros(len(rows), dtype=FORM.outputs)
    outputs["value"] = np.nan
    outputs["score"] = [row[4] for row in rows]
    outputs["groups"] = np.array([groups_of(row[4]) for row in rows]).reshape(-1, 2)
    return join.predict(
        panes=np.array([row[2] for row in rows], dtype=np.int64),
        versions=np.array([row[1] for row in rows], dtype=np.int32),
        times=np.array([row[3] for row in rows], dtype=np.int64),
        ids=np.array([row[0] for row in rows], dtype=np.uint64),
        outputs=outputs,
    )


def label(join: LabelJoin, rows: list[tuple]):
    """Rows of (id, time, label or None)."""
    outcomes = np.zeros(len(rows), dtype=FORM.outcomes)
    outcomes["value"] = np.nan
    outcomes["label"] = [row[2] or 0 for row in rows]
    return join.label(
        times=np.array([row[1] for row in rows], dtype=np.int64),
        ids=np.array([row[0] for row in rows], dtype=np.uint64),
        outcomes=outcomes,
        cancelled=np.array([row[2] is None for row in rows], dtype=np.bool_),
    )


def store(join: LabelJoin, stored: dict[str, bytes]) -> None:
    """A checkpoint."""
    for name, data in join.changes().items():
        if data is None:
            del stored[name]
        else:
            stored[name] = data
    join.saved()
