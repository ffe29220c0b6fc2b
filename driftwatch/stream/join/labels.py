"""Predictions and their labels, joined by the id of the event: which come late, twice, corrected, first or never."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Codes, Hashes, Ints
from driftwatch.stream.join.head import Head
from driftwatch.stream.join.joined import Joined, Settled, Tally, Totals
from driftwatch.stream.join.journal import Changes
from driftwatch.stream.join.recall import Recalled, recall
from driftwatch.stream.join.remember import NO_PANE, Remembered
from driftwatch.stream.join.ring import turns
from driftwatch.stream.join.sampling import Levels, passes
from driftwatch.stream.join.verdicts import Verdicts, weigh
from driftwatch.stream.join.waiting import WaitingRoom
from driftwatch.stream.outputs import CANCELLED, LABELLED, WAITING, OutputForm, Records

HEAD = "head"


@dataclass(frozen=True, slots=True)
class _Predictions:
    """Rows of one batch. numbers: (rows,) places in that batch."""

    numbers: Ints
    panes: Ints
    versions: Codes
    times: Ints
    ids: Hashes
    outputs: Records

    @property
    def rows(self) -> int:
        return int(self.ids.size)

    def at(self, which: "Ints | slice | NDArray[np.bool_]") -> Self:
        return type(self)(
            self.numbers[which], self.panes[which], self.versions[which], self.times[which], self.ids[which],
            self.outputs[which],
        )  # fmt: skip


class LabelJoin:
    """Remembers at most `capacity` predictions and `waiting_capacity` labels without one."""

    def __init__(self, form: OutputForm, *, capacity: int, waiting_capacity: int) -> None:
        self.form, self.capacity = form, capacity
        self._memory = Remembered(form, capacity)
        self._room = WaitingRoom(form, waiting_capacity)
        self._levels = Levels()
        self._head = self._head_then = b""

    @property
    def rate(self) -> float:
        """The share of predictions that panes to come begin to remember: 1, 1/2, 1/4 …."""
        return float(2.0**-self._levels.others)

    @property
    def waiting_labels(self) -> int:
        """Labels that wait for their prediction."""
        return self._room.labels

    @property
    def nbytes(self) -> int:
        """Bytes of a full memory of predictions, with all that finds them."""
        return self._memory.nbytes

    def predict(
        self, *, panes: Ints, versions: Codes, times: Ints, ids: Hashes, outputs: Records
    ) -> Joined:  # fmt: skip
        """Remember predictions, (rows,), and join those whose label has come already.

        panes: start in ms, or ordinal. versions: 0 … 16 383. times: ms. ids: 0 for none, which is not remembered.
        Law: what is remembered depends on the order of rows alone, not on how they are cut into batches.
        """
        tally = Tally()
        expired = (panes < self._memory.before) & (ids != 0)
        tally.add(without_id=np.count_nonzero(ids == 0), expired=np.count_nonzero(expired))
        rest = _Predictions(np.arange(ids.size), panes, versions, times, ids, outputs)
        if expired.any() or not ids.all():
            rest = rest.at((ids != 0) & ~expired)
        while rest.rows:
            kept = self._passing(rest)
            room = self.capacity - self._memory.rows
            fits = int(np.count_nonzero(kept)) <= room
            # The row that finds no room makes the levels rise; those after it are looked at again.
            stop = rest.rows if fits else int(np.flatnonzero(kept)[room])
            now = rest.at(kept[:stop].nonzero()[0]) if not kept[:stop].all() else rest.at(slice(0, stop))
            self._see(rest.panes[:stop])
            tally.add(thinned=stop - now.rows, remembered=now.rows)
            if now.rows:
                self._remember(tally, now)
            rest = rest.at(slice(stop, None))
            if rest.rows:
                self._see(rest.panes[:1])
                tally.add(**self._rise())
        return tally.joined(self._nothing())

    def label(
        self, *, times: Ints, ids: Hashes, outcomes: Records, cancelled: NDArray[np.bool_]
    ) -> Joined:  # fmt: skip
        """Give labels, (rows,), to all remembered predictions of their events; the others wait."""
        states = np.where(cancelled, np.uint8(CANCELLED), np.uint8(LABELLED))
        verdicts = Verdicts(ids, times, states, outcomes)
        tally = Tally()
        queries, places = self._memory.find(ids)
        unknown = np.ones(ids.size, dtype=np.bool_)
        unknown[queries] = False
        known = np.flatnonzero(~unknown)
        parts = turns(ids[known])
        if len(parts) == 1:
            self._settle(tally, verdicts, queries, places)
        for part in parts if len(parts) > 1 else ():
            now = np.isin(queries, known[part])
            self._settle(tally, verdicts, queries[now], places[now])
        if known.size < ids.size:
            self._wait(tally, verdicts.at(unknown))
        return tally.joined(self._nothing())

    def answers(self, windows: Sequence[Collection[int]]) -> list[Recalled]:
        """What is remembered of each window, given by its panes, for each version; see `recall`."""
        return recall(self._memory, self._levels, windows)

    def totals(self) -> dict[int, Totals]:
        """Version → its remembered predictions."""
        cells = self._memory.cells
        numbers = cells.since(NO_PANE)
        totals = {}
        for version in np.unique(cells.versions[numbers]).tolist():
            counts = cells.counts[numbers[cells.versions[numbers] == version]].sum(axis=0)
            if counts.any():
                totals[version] = Totals(int(counts[LABELLED]), int(counts[CANCELLED]), int(counts[WAITING]))
        return totals

    def forget(self, before_pane: int) -> int:
        """Forget the panes that start before this; how many of their remembered predictions never got a label."""
        unlabelled = self._memory.forget(before_pane)
        self._levels.forget(self._memory.before, self._memory.cells.rows(), self.capacity)
        return unlabelled

    def forget_labels(self, before_ms: int) -> int:
        """Forget the labels from before this that still wait for a prediction; how many."""
        return self._room.forget(before_ms)

    def changes(self) -> dict[str, bytes | None]:
        """What a checkpoint writes: chunks by name, None for those that are gone; the same until `saved`."""
        changes: Changes = self._memory.changes() | self._room.changes()
        self._head_then = self._head_bytes()
        return changes | ({HEAD: self._head_then} if self._head_then != self._head else {})

    def saved(self) -> None:
        """The changes have been written."""
        self._memory.saved()
        self._room.saved()
        self._head = self._head_then

    def resume(self, chunks: Mapping[str, bytes]) -> None:
        """Go on, in a new join, from the chunks that were written; StateError when they do not fit together."""
        if not chunks:
            return
        head = Head.read(chunks.get(HEAD, b""))
        self._levels = Levels(head.others, head.panes)
        rest = {name: data for name, data in chunks.items() if name != HEAD}
        self._memory.resume(rest, first=head.rows[0], stop=head.rows[1], before=head.before)
        self._room.resume(rest, first=head.labels[0], stop=head.labels[1])
        self._head = chunks[HEAD]
        while self._memory.rows > self.capacity:
            self._rise()

    def _passing(self, rows: _Predictions) -> NDArray[np.bool_]:
        levels = self._levels
        if not levels.any:
            return np.ones(rows.rows, dtype=np.bool_)
        unique, which = np.unique(rows.panes, return_inverse=True)
        return passes(rows.ids, np.array([levels.of(pane) for pane in unique.tolist()], dtype=np.int64)[which])

    def _see(self, panes: Ints) -> None:
        """The panes of these rows have their level from now on."""
        if panes.size and (panes[0] != panes[-1] or (panes != panes[0]).any()):
            seen = np.unique(panes).tolist()
        else:
            seen = panes[:1].tolist()
        for pane in seen:
            self._levels.panes.setdefault(pane, self._levels.others)

    def _rise(self) -> dict[str, int]:
        """Remember less; how many predictions and waiting labels that drops."""
        self._levels.rise()
        return {
            "thinned": self._memory.thin(self._levels),
            "thinned_labels": self._room.thin(self._levels.lowest),
        }

    def _remember(self, tally: Tally, rows: _Predictions) -> None:
        memory = self._memory
        told = [self._known(rows.ids), self._room.leave(rows.ids)]
        places = memory.append(rows.ids, rows.panes, versions=rows.versions, times=rows.times, outputs=rows.outputs)
        # An event's label is never in both places, for it leaves the room with the first prediction.
        for which, verdicts in told:
            if which.size:
                self._settle(tally, verdicts, np.arange(which.size), places[which], order=rows.numbers[which])

    def _known(self, ids: Hashes) -> tuple[Ints, Verdicts]:
        """The labels that predictions of other versions hold of these events already, with the index of each."""
        memory = self._memory
        queries, places = memory.find(ids) if memory.settled else (np.zeros(0, dtype=np.int64),) * 2
        if queries.size:
            settled = memory.states(places) != WAITING
            queries, first = np.unique(queries[settled], return_index=True)
            places = places[settled][first]
        return queries, memory.verdicts(places)

    def _settle(
        self, tally: Tally, verdicts: Verdicts, queries: Ints, places: Ints, *, order: Ints | None = None
    ) -> None:  # fmt: skip
        """Give predictions the labels of their events, each event once; order: (pairs,) of what is settled."""
        if not places.size:
            return
        memory = self._memory
        labels, held = verdicts.at(queries), memory.states(places)
        weighed = weigh(
            labels, states=held, times=memory.label_times(places), same=memory.same(places, labels.outcomes)
        )  # fmt: skip
        # All predictions of an event hold the same label, so that the first one's answer is the label's.
        leads = np.concatenate([[True], queries[1:] != queries[:-1]])
        cancels = labels.states == CANCELLED
        tally.add(
            matched=np.count_nonzero(leads & weighed.first & ~cancels),
            cancelled=np.count_nonzero(leads & weighed.first & cancels),
            duplicate=np.count_nonzero(leads & weighed.duplicate),
            corrected=np.count_nonzero(leads & weighed.corrected),
            outdated=np.count_nonzero(leads & weighed.outdated),
        )
        if not weighed.written.all():
            labels, places = labels.at(weighed.written), places[weighed.written]
        memory.settle(places, labels)
        new = (weighed.written & (held != LABELLED) & ~cancels)[weighed.written]
        if new.any():
            order = queries if order is None else order
            if not new.all():
                places, labels = places[new], labels.at(new)
            tally.settle(order[weighed.written][new], self._settled(places, labels))

    def _wait(self, tally: Tally, verdicts: Verdicts) -> None:
        named = verdicts.at(verdicts.ids != 0)
        passed = passes(named.ids, self._levels.lowest)
        entered = self._room.enter(named if passed.all() else named.at(passed))
        tally.add(
            without_id=verdicts.rows - named.rows,
            sampled_out=named.rows - np.count_nonzero(passed),
            **entered._asdict(),
        )

    def _settled(self, places: Ints, labels: Verdicts) -> Settled:
        memory = self._memory
        return Settled(
            memory.panes(places), memory.versions(places), memory.outputs.take(places), labels.outcomes,
            np.maximum(memory.delays(places), 0), labels.times,
        )  # fmt: skip

    def _nothing(self) -> Settled:
        none = np.zeros(0, dtype=np.int64)
        form = self.form
        return Settled(none, none, np.zeros(0, dtype=form.outputs), np.zeros(0, dtype=form.outcomes), none, none)

    def _head_bytes(self) -> bytes:
        rows, labels, levels = self._memory.ring, self._room.ring, self._levels
        return Head(
            rows=(rows.first, rows.next), labels=(labels.first, labels.next), before=self._memory.before,
            others=levels.others, panes=tuple(levels.panes.items()),
        ).write()  # fmt: skip
