"""The predictions that wait for their labels, and what has become of each: columns beside a ring of ids.

A binary prediction takes 37 bytes: id 8, links 6, cell 4, time 4, score 8, class 1, state 1, label 1, delay 4. A
sixteenth more is held ready, so that forgotten rows in the ring need not be moved often. A business value takes 8, and
a group 1, so that 3 dimensions make it 40; 2 where one of the dimensions has more than 128 members.
"""

import numpy as np

from driftwatch.errors import StateError
from driftwatch.stream.batch import Codes, Hashes, Ints
from driftwatch.stream.join.cells import Cells
from driftwatch.stream.join.columns import Fields, Narrow
from driftwatch.stream.join.journal import CHUNK, Blocks, Changes, Journal
from driftwatch.stream.join.notes import check_notes, check_rows, note_form, notes_of, row_form
from driftwatch.stream.join.ring import Ring
from driftwatch.stream.join.sampling import Levels, passes
from driftwatch.stream.join.verdicts import Flags, States, Verdicts
from driftwatch.stream.outputs import WAITING, OutputForm, Records

ROWS, NOTES = "rows/", "notes/"
NO_PANE = -(1 << 62)

_STATE, _CHANGED = np.uint8(3), np.uint8(4)


class Remembered:
    """At most `capacity` predictions that count, and in the ring some that are forgotten already.

    cells: their panes and versions. before: panes that start before this are forgotten. rows: predictions that count.
    """

    def __init__(self, form: OutputForm, capacity: int) -> None:
        self.form, self.capacity = form, capacity
        self.cells = Cells()
        self.before, self.rows = NO_PANE, 0
        self._blocks, self._journal = Blocks(ROWS, row_form(form)), Journal(NOTES, note_form(form))
        self._noted = np.zeros(0, dtype=np.int64)
        self._make(_size(capacity), 0)

    def _make(self, size: int, first: int) -> None:
        self.ring = Ring(size, first)
        self._cell = np.empty(size, dtype=np.int32)
        self._states = np.empty(size, dtype=np.uint8)
        self._times, self._delays = Narrow(size), Narrow(size)
        self.outputs, self.outcomes = Fields(self.form.outputs, size), Fields(self.form.outcomes, size)

    @property
    def nbytes(self) -> int:
        """Bytes of all that grows with the rows, when the ring is full."""
        parts = (self.ring, self._cell, self._states, self._times, self._delays, self.outputs, self.outcomes)
        return sum(part.nbytes for part in parts)

    @property
    def settled(self) -> bool:
        """Whether any prediction does no longer wait."""
        return bool(self.cells.counts[:, WAITING + 1 :].any())

    def append(self, ids: Hashes, panes: Ints, *, versions: Codes, times: Ints, outputs: Records) -> Ints:
        """Remember predictions, for which there is room; where they lie, (rows,)."""
        if self.ring.span + ids.size > self.ring.size:
            self._compact(self._counting())
        cells = self.cells.of(panes, versions, times)
        places = self.ring.append(ids)
        self._cell[places] = cells
        self._states[places] = WAITING
        self._times.put(places, times - self.cells.origins[cells])
        self.outputs.put(places, outputs)
        self.cells.lay(cells, 1)
        counting = cells if self.before == NO_PANE else cells[self.cells.panes[cells] >= self.before]
        self.cells.add(counting, WAITING, 1)
        self.rows += counting.size
        return places

    def find(self, ids: Hashes) -> tuple[Ints, Ints]:
        """All pairs (index into `ids`, place of a prediction with that id) that count, by index and then by age."""
        queries, places = self.ring.find(ids)
        counting = self.panes(places) >= self.before
        return (queries, places) if counting.all() else (queries[counting], places[counting])

    def panes(self, places: Ints) -> Ints:
        """The pane of each place."""
        return self.cells.panes[self._cell[places]]

    def cells_at(self, places: Ints | slice) -> Codes:
        """The cell of each place."""
        return self._cell[places]

    def versions(self, places: Ints) -> Ints:
        """The version of each place."""
        return self.cells.versions[self._cell[places]]

    def states(self, places: Ints) -> States:
        """What has become of the prediction at each place."""
        return self._states[places] & _STATE

    def times(self, places: Ints) -> Ints:
        """When each prediction was made, ms."""
        return self._times.take(places) + self.cells.origins[self._cell[places]]

    def delays(self, places: Ints) -> Ints:
        """From each prediction to its label, ms; below 0 where the label's clock is behind."""
        return self._delays.take(places)

    def label_times(self, places: Ints) -> Ints:
        """When the label of each prediction was given, ms; meaningless while it waits."""
        return self.times(places) + self.delays(places)

    def same(self, places: Ints, outcomes: Records) -> Flags:
        """Whether each prediction holds this outcome; False while it waits."""
        same: Flags = self.states(places) != WAITING
        if same.any():
            same[same] = self.outcomes.same(places[same], outcomes[same])
        return same

    def verdicts(self, places: Ints) -> Verdicts:
        """The labels of predictions that no longer wait."""
        return Verdicts(
            self.ring.ids[places], self.label_times(places),
            self.states(places), self.outcomes.take(places),
        )  # fmt: skip

    def settle(self, places: Ints, verdicts: Verdicts) -> None:
        """Write labels to their predictions; each place once."""
        cells = self._cell[places].astype(np.int64)
        self.cells.add(cells, self.states(places), -1)
        self.cells.add(cells, verdicts.states, 1)
        self._states[places] = verdicts.states | _CHANGED
        self._delays.put(places, verdicts.times - self.times(places))
        self.outcomes.put(places, verdicts.outcomes)

    def forget(self, before_pane: int) -> int:
        """Drop the panes that start before this; how many predictions among them still waited."""
        self.before = max(self.before, before_pane)
        gone = self.cells.before(self.before)
        unlabelled = int(self.cells.counts[gone, WAITING].sum())
        self.rows -= int(self.cells.counts[gone].sum())
        self.cells.counts[gone] = 0
        self._advance()
        return unlabelled

    def thin(self, levels: Levels) -> int:
        """Drop what does not pass its pane's level; how many predictions those are."""
        counting = self._counting()
        places = counting % self.ring.size
        of_cell = np.array([levels.of(pane) for pane in self.cells.panes.tolist()], dtype=np.int64)
        kept = passes(self.ring.ids[places], of_cell[self._cell[places]])
        dropped = int(kept.size - np.count_nonzero(kept))
        if dropped:
            lost = places[~kept]
            self.cells.add(self._cell[lost].astype(np.int64), self.states(lost), -1)
            self.rows -= dropped
            self._compact(counting[kept])
        return dropped

    def changes(self) -> Changes:
        """What a checkpoint writes; the same until `saved`."""
        first, stop = self.ring.first, self.ring.next
        changes = self._blocks.changes(first, stop, self._records)
        states = np.concatenate([self._states[piece] for piece in self.ring.pieces(first, stop)])
        self._noted = (first + np.flatnonzero(states & _CHANGED)) % self.ring.size
        return changes | self._journal.changes(self._notes(self._noted), first)

    def saved(self) -> None:
        """The changes have been written."""
        self._states[self._noted] &= _STATE
        self._noted = self._noted[:0]
        self._blocks.saved()
        self._journal.saved()

    def resume(self, chunks: "dict[str, bytes]", *, first: int, stop: int, before: int) -> None:
        """Go on, in a new memory, from the chunks that were written of the rows [first, stop)."""
        self.before = before
        start, rows = self._blocks.resume(chunks)
        notes = self._journal.resume(chunks)
        if not start <= first <= stop or (rows.size and start + rows.size != stop) or (not rows.size and first != stop):
            raise StateError(f"remembered predictions: rows {first} to {stop} are not what is stored")
        rows = rows[first - start :] if rows.size else rows
        check_rows(rows)
        self._make(max(_size(self.capacity), rows.size), first)
        if rows.size:
            self.append(
                rows["id"], rows["pane"], versions=rows["version"], times=rows["time"], outputs=rows["output"]
            )  # fmt: skip
        self._apply(notes[(notes["row"] >= first)])
        self._advance()

    def _apply(self, notes: Records) -> None:
        if (notes["row"] >= self.ring.next).any():
            raise StateError("remembered predictions: a label belongs to none of them")
        last = notes.size - 1 - np.unique(notes["row"][::-1], return_index=True)[1]
        notes = notes[last]
        places = notes["row"] % self.ring.size
        if (self.ring.ids[places] != notes["id"]).any():
            raise StateError("remembered predictions: a label belongs to another one")
        check_notes(notes)
        counting = self.panes(places) >= self.before
        notes, places = notes[counting], places[counting]
        self.settle(places, Verdicts(notes["id"], notes["time"], notes["state"], notes["outcome"]))
        self._states[places] &= _STATE

    def _counting(self) -> Ints:
        """Numbers of the rows that count."""
        cells = np.concatenate([self._cell[piece] for piece in self.ring.pieces(self.ring.first, self.ring.next)])
        return self.ring.first + np.flatnonzero(self.cells.panes[cells] >= self.before)

    def _advance(self) -> None:
        """Let go of the oldest rows that no longer count."""
        ring, found = self.ring, False
        while ring.first < ring.next and not found:
            places = ring.places(ring.first, min(ring.first + CHUNK, ring.next))
            counting = np.flatnonzero(self.panes(places) >= self.before)
            found = counting.size > 0
            gone = int(counting[0]) if found else places.size
            if gone:
                self.cells.lay(self._cell[places[:gone]], -1)
                ring.first += gone

    def _compact(self, kept: Ints) -> None:
        """Move the rows with these numbers together, in a new ring; they get new numbers, and all is to be written."""
        old_ring, size = self.ring, _size(self.capacity)
        lost = np.ones(old_ring.span, dtype=np.bool_)
        lost[kept - old_ring.first] = False
        self.cells.lay(self._cell[(old_ring.first + np.flatnonzero(lost)) % old_ring.size], -1)
        first = -(-old_ring.next // CHUNK) * CHUNK
        old, new = kept % old_ring.size, np.arange(first, first + kept.size) % size
        self.ring = Ring(size, first)
        self.ring.append(old_ring.ids[old])
        cell, states = self._cell[old], self._states[old] & _STATE
        self._cell, self._states = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.uint8)
        self._cell[new] = cell
        self._states[new] = np.where(states == WAITING, states, states | _CHANGED)
        self._times, self._delays = self._times.moved(old, new, size), self._delays.moved(old, new, size)
        self.outputs, self.outcomes = self.outputs.moved(old, new, size), self.outcomes.moved(old, new, size)

    def _records(self, first: int, stop: int) -> Records:
        """Rows [first, stop) as they are written; those that have left the ring are blank."""
        records = np.zeros(stop - first, dtype=self._blocks.form)
        begin = max(first, self.ring.first)
        places, kept = self.ring.places(begin, stop), records[begin - first :]
        kept["id"], kept["time"] = self.ring.ids[places], self.times(places)
        kept["pane"], kept["version"] = self.panes(places), self.versions(places)
        kept["output"] = self.outputs.take(places)
        return records

    def _notes(self, places: Ints) -> Records:
        """The labels at these places as they are written."""
        return notes_of(self.form, self.ring.numbers(places), self.verdicts(places))


def _size(capacity: int) -> int:
    """Places in the ring for so many rows that count."""
    return capacity + capacity // 16 + CHUNK
