"""Which of the versions that are live at once is the better one: every challenger beside the champion.

When a window's last labels have come, its rows of both are added to a contest of each segment that has any. The bounds
hold at all times at once, so that anybody may look after every window and stop whenever they like: of contests between
versions that are alike, at most 5 % ever come to a ruling, by each metric. Nothing is corrected for several metrics,
segments and pairs. A ruling stands, with the rows that it took; the bounds go on, about the mean difference so far.
Versions that are given the same events err together: bounds are then wider than need be.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from driftwatch.errors import StateError
from driftwatch.kernels.confidence_sequence import Difference
from driftwatch.quality.segments import WHOLE, segments_of
from driftwatch.quality.yardsticks import Measure
from driftwatch.statistics.comparison import FAMILY, Arrays, Side, added, differences, ruling_of, shared, side_of
from driftwatch.statistics.contrast import Contrast, Ruling
from driftwatch.statistics.performance import METRICS
from driftwatch.statistics.reading import Reading, Status
from driftwatch.stream.dimensions import UNDIVIDED, Dimensions
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import LABELLED, Answers
from driftwatch.summaries.codec import pack, unpack

MOST_CONTESTS = 128
"""Contests of one model; segments beyond it are not compared."""
MOST_BYTES = 64_000_000
"""What their states may take: models of many classes have fewer contests."""

_NAN = float("nan")

Key = tuple[str, str, str]
"""Champion, challenger, segment."""
Named = tuple[str, str]
"""Class, or "" for all, and metric."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A ruling as it was made: after so many rows of the challenger and of the champion."""

    ruling: Ruling
    rows: int
    versus_rows: int


@dataclass(slots=True)
class Contest:
    """Two versions in one segment. end: of the last window that was added. number: of its chunk."""

    number: int
    champion: Side
    challenger: Side
    end: int
    decisions: dict[Named, Decision] = field(default_factory=dict)


class Contests:
    """All contests of one model. champion: the version that others are compared with; else the one seen first.

    refused: contests for which there was no room, since the start and of versions that are still there.
    """

    def __init__(self, measure: Measure, *, dimensions: Dimensions = UNDIVIDED, champion: str | None = None) -> None:
        self._measure, self._dimensions, self._champion = measure, dimensions, champion
        self._contests: dict[Key, Contest] = {}
        self._said: dict[Key, dict[Named, Difference]] = {}
        self._unsaved: dict[int, Key | None] = {}
        self.refused: set[Key] = set()

    def add(self, recalled: Mapping[str, Recalled], end: int) -> None:
        """All labels of a pane have come. recalled: by version, those first that were seen first; end: of its window.

        A window that was added before, or that is older than the last one, is left out.
        """
        labelled = {version: rows for version, rows in recalled.items() if _count(rows.answers)}
        champion = self._champion or next(iter(labelled), "")
        if champion not in labelled or len(labelled) == 1:
            return
        parts = {version: self._parts(rows) for version, rows in labelled.items()}
        keys = [
            (champion, challenger, segment)
            for segment in parts[champion]
            for challenger in labelled
            if challenger != champion and segment in parts[challenger]
        ]
        moved = [key for key in keys if self._add(key, parts, end)]
        self._say(moved)
        for key in moved:
            self._decide(key)

    def readings(self, version: str, segment: str = WHOLE) -> tuple[Reading, ...]:
        """How a challenger does beside the champion of its last contest; nothing where it has not been compared."""
        keys = [key for key in self._contests if key[1:] == (version, segment)]
        if not keys:
            return ()
        latest = max(keys, key=lambda key: (self._contests[key].end, self._contests[key].number))
        if latest not in self._said:
            self._say([latest])
        return tuple(self._reading(latest, name) for name in _ordered(self._said[latest]))

    def standing(self, version: str) -> dict[str, tuple[Reading, ...]]:
        """How a challenger does in each segment in which it is compared."""
        segments = dict.fromkeys(key[2] for key in self._contests if key[1] == version)
        return {segment: self.readings(version, segment) for segment in segments}

    def keep(self, versions: Collection[str]) -> None:
        """Let go of the contests of versions that are gone."""
        for key in [key for key in self._contests if not {key[0], key[1]} <= set(versions)]:
            self._unsaved[self._contests.pop(key).number] = None
            self._said.pop(key, None)
        self.refused = {key for key in self.refused if {key[0], key[1]} <= set(versions)}

    @property
    def held(self) -> int:
        """Number of contests."""
        return len(self._contests)

    def changes(self) -> dict[str, bytes | None]:
        """Chunks by name, None for those that are gone; the same until `saved`."""
        return {
            str(number): None if key is None else _packed(key, self._contests[key])
            for number, key in self._unsaved.items()
        }

    def saved(self) -> None:
        """The changes have been written."""
        self._unsaved = {}

    def resume(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from what was written; StateError when it cannot be read."""
        if not all(name.isdigit() for name in chunks):
            raise StateError(f"contests are called {sorted(chunks)}")
        for number in sorted(int(name) for name in chunks):
            key, contest = _unpacked(number, chunks[str(number)])
            if not all(self._measure.fits(side.arrays) for side in (contest.champion, contest.challenger)):
                raise StateError("a contest of versions was counted over other bins or classes")
            self._contests[key] = contest

    def _parts(self, recalled: Recalled) -> dict[str, Answers]:
        """The answers of each segment that has labels."""
        whole = {WHOLE: recalled.answers}
        segments = {name: part.answers for name, part in segments_of(recalled, self._dimensions)}
        return {name: answers for name, answers in (whole | segments).items() if _count(answers)}

    def _add(self, key: Key, parts: Mapping[str, Mapping[str, Answers]], end: int) -> bool:
        """Add a window to a contest, which begins with it if there is room for one more."""
        known = self._contests.get(key)
        if known is not None and end <= known.end:
            return False
        answers = parts[key[0]][key[2]], parts[key[1]][key[2]]
        rows = tuple(_count(each) for each in answers)
        weights = shared(rows[0], rows[1])
        one, other = (
            side_of(self._measure.count(each), count, weight=weight)
            for each, count, weight in zip(answers, rows, weights, strict=True)
        )
        if known is None:
            if not self._has_room(one):
                self.refused.add(key)
                return False
            self.refused.discard(key)
            number = 1 + max((contest.number for contest in self._contests.values()), default=0)
            self._contests[key] = known = Contest(number, one, other, end)
        else:
            yardstick = self._measure.yardstick
            known.champion, known.challenger = (
                added(known.champion, one, yardstick), added(known.challenger, other, yardstick),
            )  # fmt: skip
            known.end = end
        self._unsaved[known.number] = key
        return True

    def _has_room(self, side: Side) -> bool:
        size = 2 * sum(array.nbytes for array in side.arrays.values())
        return len(self._contests) < min(MOST_CONTESTS, max(1, MOST_BYTES // size))

    def _say(self, keys: Collection[Key]) -> None:
        """Take all differences of some contests at once."""
        if not keys:
            return
        pairs = [(self._contests[key].champion, self._contests[key].challenger) for key in keys]
        found = differences(pairs, self._measure.yardstick)
        for place, key in enumerate(keys):
            self._said[key] = {
                name: Difference(
                    said.value[place], said.lower[place], said.upper[place], said.seen[place]
                )
                for name, said in found.items()
            }  # fmt: skip

    def _decide(self, key: Key) -> None:
        contest = self._contests[key]
        for name, said in self._said[key].items():
            ruling = ruling_of(name[1], float(said.lower), float(said.upper))
            if ruling is not Ruling.UNDECIDED and name not in contest.decisions:
                contest.decisions[name] = Decision(ruling, contest.challenger.rows, contest.champion.rows)

    def _reading(self, key: Key, name: Named) -> Reading:
        contest, said = self._contests[key], self._said[key][name]
        decision = contest.decisions.get(name)
        value, lower, upper, seen = (float(part) for part in (said.value, said.lower, said.upper, said.seen))
        status = Status.OK if np.isfinite(value) else Status.TOO_FEW
        if status is not Status.OK:
            value = lower = upper = seen = _NAN
        contrast = Contrast(
            versus=key[0],
            ruling=Ruling.UNDECIDED if decision is None else decision.ruling,
            rows=contest.challenger.rows,
            versus_rows=contest.champion.rows,
            mde=seen,
            decided_rows=None if decision is None else decision.rows,
            decided_versus_rows=None if decision is None else decision.versus_rows,
        )
        column, metric = name
        return Reading(
            column, FAMILY, metric, value, _NAN, lower, upper, _NAN, status,
            limit=0.0, beyond=contrast.ruling is Ruling.WORSE, contrast=contrast,
        )  # fmt: skip


def _count(answers: Answers) -> int:
    return int(np.count_nonzero(answers.state == LABELLED))


def _ordered(said: Iterable[Named]) -> list[Named]:
    """The whole model's metrics first, in the order of the contract."""
    places = {name: place for place, name in enumerate(METRICS)}
    known = [name for name in said if name[1] in places]
    return sorted(known, key=lambda name: (bool(name[0]), places[name[1]]))


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _packed(key: Key, contest: Contest) -> bytes:
    sides = {"champion": contest.champion, "challenger": contest.challenger}
    meta: dict[str, Any] = {
        "key": list(key),
        "end": contest.end,
        "sides": {name: [side.rows, side.weight, side.square] for name, side in sides.items()},
        "decisions": [
            [*name, decision.ruling.value, decision.rows, decision.versus_rows]
            for name, decision in contest.decisions.items()
        ],
    }
    arrays = {f"{which}/{name}": array for which, side in sides.items() for name, array in side.arrays.items()}
    return pack(meta, arrays)


def _unpacked(number: int, data: bytes) -> tuple[Key, Contest]:
    meta, arrays = unpack(data)
    sides = {
        which: Side(rows, weight, square, _under(f"{which}/", arrays))
        for which, (rows, weight, square) in meta["sides"].items()
    }
    decisions = {
        (column, metric): Decision(Ruling(ruling), rows, versus_rows)
        for column, metric, ruling, rows, versus_rows in meta["decisions"]
    }
    champion, challenger, segment = meta["key"]
    contest = Contest(number, sides["champion"], sides["challenger"], meta["end"], decisions)
    return (champion, challenger, segment), contest
