"""Labels that came before their prediction: a bounded room in which they wait for it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.stream.batch import Hashes, Ints
from driftwatch.stream.join.columns import Fields
from driftwatch.stream.join.journal import CHUNK, Changes, Journal
from driftwatch.stream.join.notes import check_notes, note_form, notes_of
from driftwatch.stream.join.ring import Ring, turns
from driftwatch.stream.join.sampling import passes
from driftwatch.stream.join.verdicts import Verdicts, weigh
from driftwatch.stream.outputs import OutputForm, Records

NAME = "waiting/"
PART = 8
"""When the room is full, the eighth that came first has to leave."""

_STATE, _CHANGED = np.uint8(3), np.uint8(4)
_LEFT = np.uint8(0)


class Entered(NamedTuple):
    """How many labels are new in the room, repeat, correct or fall behind one there; how many had to leave for them."""

    waiting: int = 0
    duplicate: int = 0
    corrected: int = 0
    outdated: int = 0
    crowded_out: int = 0


class WaitingRoom:
    """At most `capacity` events' labels, one for each; labels: how many are there.

    Those that have left take up room until all that came before them have left, too.
    """

    def __init__(self, form: OutputForm, capacity: int) -> None:
        self.capacity, self.labels = capacity, 0
        self.form = form
        self._journal = Journal(NAME, note_form(form))
        self._noted = np.zeros(0, dtype=np.int64)
        self._make(0)

    def _make(self, first: int) -> None:
        self.ring = Ring(self.capacity, first)
        self._times = np.empty(self.ring.size, dtype=np.int64)
        self._states = np.empty(self.ring.size, dtype=np.uint8)
        self._outcomes = Fields(self.form.outcomes, self.ring.size)

    def enter(self, verdicts: Verdicts) -> Entered:
        """Let labels wait. Law: what is there in the end depends on their order alone, not on how they are cut."""
        totals = [Entered()]
        while verdicts.rows:
            self._advance()
            places = self._find(verdicts.ids)
            fresh = _first_times(verdicts.ids, places < 0)
            room = self.capacity - self.ring.span
            stop = verdicts.rows if fresh.size <= room else int(fresh[room])
            totals.append(self._take_in(verdicts.at(slice(0, stop)), fresh[:room]))
            verdicts = verdicts.at(slice(stop, None))
            if verdicts.rows and self.capacity:
                totals.append(Entered(crowded_out=self._crowd_out()))
            elif verdicts.rows:
                totals.append(Entered(waiting=verdicts.rows, crowded_out=verdicts.rows))
                break
        return Entered(*(sum(column) for column in zip(*totals, strict=True)))

    def leave(self, ids: Hashes) -> tuple[Ints, Verdicts]:
        """The labels that wait for these ids, with the index of each id that has one; they leave the room."""
        places = self._find(ids) if self.labels else np.full(ids.size, -1)
        which = np.flatnonzero(places >= 0)
        places = places[which]
        verdicts = self._verdicts(places)
        self._dismiss(np.unique(places))
        return which, verdicts

    def forget(self, before_ms: int) -> int:
        """Labels from before this leave; how many."""
        places = self._present()
        return self._dismiss(places[self._times[places] < before_ms])

    def thin(self, level: int) -> int:
        """Labels whose ids do not pass the level leave; how many."""
        places = self._present()
        return self._dismiss(places[~passes(self.ring.ids[places], level)])

    def changes(self) -> Changes:
        """What a checkpoint writes; the same until `saved`."""
        self._advance()
        places = self.ring.places(self.ring.first, self.ring.next)
        self._noted = places[(self._states[places] & _CHANGED) > 0]
        return self._journal.changes(self._notes(self._noted), self.ring.first)

    def saved(self) -> None:
        """The changes have been written."""
        self._states[self._noted] &= _STATE
        self._noted = self._noted[:0]
        self._journal.saved()

    def resume(self, chunks: dict[str, bytes], *, first: int, stop: int) -> None:
        """Go on, in a new room, from the chunks that were written of the labels [first, stop)."""
        notes = self._journal.resume(chunks)
        notes = notes[notes["row"] >= first]
        last = notes.size - 1 - np.unique(notes["row"][::-1], return_index=True)[1]
        notes = notes[last]
        if first > stop or not np.array_equal(notes["row"], np.arange(first, stop)):
            raise StateError(f"waiting labels: {first} to {stop} are not what is stored")
        check_notes(notes[notes["state"] != _LEFT])
        # In a room that is smaller than before, those that came last find place.
        notes = notes[max(0, notes.size - self.capacity) :]
        self._make(stop - notes.size)
        places = self.ring.append(notes["id"])
        self._times[places], self._states[places] = notes["time"], notes["state"]
        self._outcomes.put(places, notes["outcome"])
        self.labels = int(np.count_nonzero(notes["state"] != _LEFT))

    def _take_in(self, verdicts: Verdicts, fresh: Ints) -> Entered:
        new = verdicts.at(fresh)
        places = self.ring.append(new.ids)
        self._write(places, new)
        self.labels += new.rows
        again = np.ones(verdicts.rows, dtype=np.bool_)
        again[fresh] = False
        duplicate = corrected = outdated = 0
        rest = verdicts.at(again)
        for turn in turns(rest.ids) if rest.rows else ():
            some = rest.at(turn)
            places = self._find(some.ids)
            found = weigh(
                some, states=self._states[places] & _STATE, times=self._times[places],
                same=self._outcomes.same(places, some.outcomes),
            )  # fmt: skip
            self._write(places[found.written], some.at(found.written))
            duplicate += int(np.count_nonzero(found.duplicate))
            corrected += int(np.count_nonzero(found.corrected))
            outdated += int(np.count_nonzero(found.outdated))
        return Entered(new.rows, duplicate, corrected, outdated)

    def _write(self, places: Ints, verdicts: Verdicts) -> None:
        self._times[places], self._states[places] = verdicts.times, verdicts.states | _CHANGED
        self._outcomes.put(places, verdicts.outcomes)

    def _find(self, ids: Hashes) -> Ints:
        """Where the label of each id waits, (ids,); -1 where none does."""
        queries, places = self.ring.find(ids)
        there = (self._states[places] & _STATE) != _LEFT
        found = np.full(ids.size, -1, dtype=np.int64)
        found[queries[there]] = places[there]
        return found

    def _present(self) -> Ints:
        places = self.ring.places(self.ring.first, self.ring.next)
        return np.compress((self._states[places] & _STATE) != _LEFT, places)

    def _dismiss(self, places: Ints) -> int:
        self._states[places] = _LEFT | _CHANGED
        self.labels -= places.size
        return int(places.size)

    def _crowd_out(self) -> int:
        places = self.ring.places(self.ring.first, self.ring.first + max(1, self.capacity // PART))
        there = int(np.count_nonzero(self._states[places] & _STATE))
        self.ring.first += places.size
        self.labels -= there
        return there

    def _advance(self) -> None:
        """Let go of the first ones as far as they have left."""
        ring, found = self.ring, False
        while ring.first < ring.next and not found:
            places = ring.places(ring.first, min(ring.first + CHUNK, ring.next))
            there = np.flatnonzero(self._states[places] & _STATE)
            found = there.size > 0
            ring.first += int(there[0]) if found else places.size

    def _verdicts(self, places: Ints) -> Verdicts:
        return Verdicts(
            self.ring.ids[places], self._times[places], self._states[places] & _STATE, self._outcomes.take(places)
        )

    def _notes(self, places: Ints) -> Records:
        return notes_of(self.form, self.ring.numbers(places), self._verdicts(places))


def _first_times(ids: Hashes, unknown: NDArray[np.bool_]) -> Ints:
    """Indices at which an unknown id stands for the first time, in order."""
    places = np.flatnonzero(unknown)
    return places[np.sort(np.unique(ids[places], return_index=True)[1])]
