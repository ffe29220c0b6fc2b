"""What windows are, by definition: one row at a time, in plain Python, with nothing of the service's own code."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

NEVER = -(2**61)

Cell = tuple[int, str]
"""A pane's or a window's place, and the version."""


@dataclass(frozen=True, slots=True)
class Form:
    """A window's form. rows: 0 unless windows are counted."""

    size: int
    pane: int
    lateness: int
    keep: int
    idle_after: int
    rows: int


@dataclass(slots=True)
class Row:
    """One good event."""

    id: str | None
    version: str
    time: int


@dataclass(slots=True)
class Oracle:
    """One model. reported: (end, version) → start, rows and revision of the last report."""

    form: Form
    greatest: dict[str, int] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    idle: set[str] = field(default_factory=set)
    expected: dict[str, int] = field(default_factory=dict)
    closed: int = NEVER
    issued: int = NEVER
    panes: Counter[Cell] = field(default_factory=Counter)
    firsts: dict[Cell, int] = field(default_factory=dict)
    touched: set[Cell] = field(default_factory=set)
    revisions: Counter[Cell] = field(default_factory=Counter)
    reported: dict[Cell, tuple[int, int, int]] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)
    accepted: list[Row] = field(default_factory=list)

    def batch(self, partition: str, rows: Iterable[Row], *, heard_ms: int) -> Counter[str]:
        """Take the rows of one Raw; how many were accepted, late or duplicates."""
        self.heard[partition] = heard_ms
        return Counter(self._row(partition, row) for row in rows)

    def expect(self, families: Iterable[str], *, now_ms: int) -> None:
        """Partitions are to come; nothing closes before they do."""
        for family in families:
            self.expected[family] = now_ms

    def announce(self, partitions: Iterable[str], *, now_ms: int) -> None:
        """Partitions exist; one that has not spoken holds windows open."""
        for name in partitions:
            self.expected.pop(name, None)
            self.expected.pop(name.rpartition("/")[0], None)
            if name not in self.greatest:
                self.greatest[name], self.heard[name] = NEVER, now_ms

    def restart(self) -> None:
        """A new process listens anew to every partition."""
        self.heard.clear()
        self.expected.clear()

    def tick(self, *, now_ms: int) -> None:
        """Let partitions idle; when all do, the clock of the wall moves the windows on."""
        for family, since in list(self.expected.items()):
            if now_ms - since > self.form.idle_after:
                del self.expected[family]
        if self.form.rows or not self.greatest:
            return
        silent = {name: now_ms - self.heard.setdefault(name, now_ms) for name in self.greatest}
        self.idle = {name for name, since in silent.items() if since > self.form.idle_after}
        awake = [time for name, time in self.greatest.items() if name not in self.idle]
        if awake:
            frontier = min(awake)
        else:
            frontier = max(self.greatest.values())
            frontier += 0 if frontier == NEVER else min(silent.values()) - self.form.idle_after
        self._reach(frontier)

    def finish(self) -> None:
        """The input has ended."""
        if self.form.rows:
            self._close(len(self.accepted) // self.form.rows + 1)
            return
        reached = max(self.greatest.values(), default=NEVER)
        self.closed = max(self.closed, reached // self.form.pane * self.form.pane + self.form.pane)
        self._close(self.closed)

    def truth(self, start: int, version: str) -> int:
        """How many accepted rows a window of time must show."""
        return len(self.inside(start, version))

    def inside(self, start: int, version: str) -> list[str | None]:
        """Their events."""
        end = start + self.form.size
        return [row.id for row in self.accepted if start <= row.time < end and row.version == version]

    def _row(self, partition: str, row: Row) -> str:
        if row.id is not None:
            if (row.id, row.version) in self.seen:
                return "duplicate"
            self.seen.add((row.id, row.version))
        if self.form.rows:
            self._count(row)
            return "accepted"
        self.idle.discard(partition)
        form, before = self.form, self.closed
        own = max(self.greatest.get(partition, NEVER), row.time)
        self.greatest[partition] = own
        pane = row.time // form.pane * form.pane
        late = pane + form.pane + form.keep <= max(own - form.lateness, before)
        if not late:
            self._put((pane, row.version), row)
        self._reach(min(time for name, time in self.greatest.items() if name not in self.idle))
        return "late" if late else "accepted"

    def _count(self, row: Row) -> None:
        ordinal = len(self.accepted) // self.form.rows
        self._put((ordinal, row.version), row)
        if len(self.accepted) % self.form.rows == 0:
            self._close(ordinal + 1)

    def _put(self, cell: Cell, row: Row) -> None:
        self.accepted.append(row)
        self.panes[cell] += 1
        self.firsts[cell] = min(self.firsts.get(cell, row.time), row.time)
        self.touched.add(cell)

    def _reach(self, frontier: int) -> None:
        if self.expected:
            return
        due = (frontier - self.form.lateness) // self.form.pane * self.form.pane
        if due > self.closed:
            self.closed = due
            self._close(due)

    def _close(self, due: int) -> None:
        again = {(end, version) for pane, version in self.touched for end in self._ends(pane) if end <= self.issued}
        fresh = {(end, version) for pane, version in self.panes for end in self._ends(pane) if self.issued < end <= due}
        for end, version in sorted(again | fresh):
            self.revisions[end, version] += 1
            rows = sum(self.panes[pane, version] for pane in self._panes_of(end))
            start = self.firsts[end - 1, version] if self.form.rows else end - self.form.size
            self.reported[end, version] = start, rows, self.revisions[end, version]
        self.issued = max(self.issued, due)
        self.touched = set()

    def _ends(self, pane: int) -> range:
        if self.form.rows:
            return range(pane + 1, pane + 2)
        return range(pane + self.form.pane, pane + self.form.size + 1, self.form.pane)

    def _panes_of(self, end: int) -> range:
        return range(end - 1, end) if self.form.rows else range(end - self.form.size, end, self.form.pane)
