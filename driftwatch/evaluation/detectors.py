"""How each cell's detector of slow change stands, and what a checkpoint holds of it: those that have moved."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.evaluation.alerts import Cell
from driftwatch.statistics.slow import SlowState
from driftwatch.summaries.codec import pack, unpack
from driftwatch.summaries.layout import Layout

_KIND = "slow"

Place = tuple[str, str]
"""Version and segment."""


class Detectors:
    """A model's detectors, by version and segment."""

    def __init__(self) -> None:
        self._states: dict[Place, SlowState] = {}
        self._unsaved: set[Place] = set()

    def of(self, cell: Cell) -> SlowState | None:
        """How a cell's detector stands; None before its first window."""
        return self._states.get((cell.version, cell.segment))

    def put(self, cell: Cell, state: SlowState | None) -> None:
        """It stands so now; None for what has no detector."""
        place = cell.version, cell.segment
        if state is not None and state is not self._states.get(place):
            self._states[place] = state
            self._unsaved.add(place)

    def keep(self, versions: Collection[str]) -> None:
        """Forget those of all other versions."""
        for place in [place for place in self._states if place[0] not in versions]:
            del self._states[place]
            self._unsaved.add(place)

    def changes(self, layout: Layout) -> dict[str, bytes | None]:
        """What has moved, by name, None for what is gone; the same until `saved`."""
        return {_name(place): self._bytes(place, layout) for place in sorted(self._unsaved)}

    def saved(self) -> None:
        """What had moved has been saved."""
        self._unsaved.clear()

    def resume(self, layout: Layout, stored: Mapping[str, bytes]) -> list[str]:
        """Go on from what was written; the names of what is of no use any more. StateError when it is damaged.

        That is what was learnt with another layout, which is to say against another reference.
        """
        useless = []
        for name, data in stored.items():
            place, learnt_with, arrays = _read(name, data)
            if learnt_with != layout.fingerprint:
                useless.append(name)
                continue
            self._states[place] = SlowState.from_arrays(layout, arrays)
        return useless

    def _bytes(self, place: Place, layout: Layout) -> bytes | None:
        state = self._states.get(place)
        return None if state is None else pack({"kind": _KIND, "layout": layout.fingerprint}, state.arrays())


def _name(place: Place) -> str:
    return json.dumps(place, ensure_ascii=False)


def check(name: str, data: bytes) -> None:
    """Refuse what was not written for a detector, whatever it was learnt against: StateError."""
    _read(name, data)


def _read(name: str, data: bytes) -> tuple[Place, str, dict[str, NDArray[Any]]]:
    """Where it stands, the fingerprint of its layout, and its arrays."""
    meta, arrays = unpack(data)
    if meta.get("kind") != _KIND:
        raise StateError(f"holds a {meta.get('kind')}, not a detector of slow change")
    return _place(name), str(meta["layout"]), arrays


def _place(name: str) -> Place:
    try:
        version, segment = json.loads(name)
    except (TypeError, ValueError) as error:
        raise StateError(f"a detector of slow change is called {name!r}") from error
    return version, segment
