"""Where detectors of slow change stand, by version and segment, and what is written of them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from driftwatch.errors import StateError
from driftwatch.evaluation.alerts import Cell
from driftwatch.evaluation.detectors import Detectors, check
from driftwatch.statistics.slow import SlowState
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.codec import pack
from tests.monitors import LAYOUT

WHOLE, PART, OTHER = (Cell("fraud", *place) for place in (("1", ""), ("1", "country=DE"), ('a"/ü', "")))


def state(seed: int = 0) -> SlowState:
    """One with numbers that no other seed has."""
    rng = np.random.default_rng(seed)
    arrays = {name: rng.random(array.shape) for name, array in SlowState.empty(LAYOUT).arrays().items()}
    return SlowState.from_arrays(LAYOUT, arrays)


def bits(found: SlowState | None) -> Mapping[str, bytes] | None:
    """All of a state, comparable."""
    return found and {name: array.tobytes() for name, array in found.arrays().items()}


def filled() -> Detectors:
    """Detectors of three cells, none of them saved."""
    detectors = Detectors()
    for number, cell in enumerate((WHOLE, PART, OTHER)):
        detectors.put(cell, state(number))
    return detectors


def chunks(detectors: Detectors) -> dict[str, bytes]:
    """What they would have stored."""
    return {name: data for name, data in detectors.changes(LAYOUT).items() if data is not None}


def test_each_cell_has_its_own() -> None:
    """A version, and a segment of it, are told apart; of another one nothing is known."""
    detectors = filled()
    assert [bits(detectors.of(cell)) for cell in (WHOLE, PART, OTHER)] == [bits(state(number)) for number in range(3)]
    assert detectors.of(Cell("fraud", "2", "")) is None


def test_what_comes_back_is_what_went_in() -> None:
    """To the last bit, whatever a version is called."""
    detectors, resumed = filled(), Detectors()
    assert resumed.resume(LAYOUT, chunks(detectors)) == []
    assert [bits(resumed.of(cell)) for cell in (WHOLE, PART, OTHER)] == [bits(state(number)) for number in range(3)]
    assert resumed.changes(LAYOUT) == {}


def test_only_what_has_moved_is_written() -> None:
    """Again and again until it is saved; a window that moves nothing writes nothing."""
    detectors = filled()
    assert len(detectors.changes(LAYOUT)) == 3
    assert detectors.changes(LAYOUT) == detectors.changes(LAYOUT)
    detectors.saved()
    detectors.put(WHOLE, detectors.of(WHOLE))
    detectors.put(PART, None)
    assert detectors.changes(LAYOUT) == {}
    detectors.put(PART, state(7))
    assert list(detectors.changes(LAYOUT)) == ['["1", "country=DE"]']


def test_a_version_that_is_gone_is_named() -> None:
    """With its segments, so that the next checkpoint deletes them; a version that stays is not touched."""
    detectors = filled()
    detectors.saved()
    detectors.keep({'a"/ü'})
    assert detectors.changes(LAYOUT) == {'["1", ""]': None, '["1", "country=DE"]': None}
    assert detectors.of(WHOLE) is None
    assert bits(detectors.of(OTHER)) == bits(state(2))


def test_what_was_learnt_against_another_reference_is_of_no_use() -> None:
    """It is named, for it has to be deleted; the rest is gone on with."""
    other = replace(LAYOUT, categorical=(Column("country", Kind.CATEGORICAL, ("DE", "IT")),))
    foreign = Detectors()
    foreign.put(OTHER, SlowState.empty(other))
    stored = chunks(filled()) | foreign.changes(other)
    resumed = Detectors()
    assert resumed.resume(LAYOUT, stored) == ['["a\\"/ü", ""]']
    assert resumed.of(OTHER) is None
    assert bits(resumed.of(PART)) == bits(state(1))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ('["1", ""]', lambda data: data[:-1] + b"\x00", "damaged"),
        ('["1", ""]', lambda data: data[:20], "cut off"),
        ('["1", ""]', lambda _: pack({"kind": "profile"}, {}), "holds a profile, not a detector"),
        ("1/", lambda data: data, "is called '1/'"),
    ],
)
def test_damage_is_found(name, data, words) -> None:
    """By whoever goes on from it, and by whoever only verifies it."""
    chunk = data(chunks(filled())['["1", ""]'])
    with pytest.raises(StateError, match=words):
        Detectors().resume(LAYOUT, {name: chunk})
    with pytest.raises(StateError, match=words):
        check(name, chunk)


def test_arrays_that_do_not_fit_are_refused() -> None:
    """One that is missing, though the layout is the same."""
    data = pack({"kind": "slow", "layout": LAYOUT.fingerprint}, {"recent": np.zeros(1)})
    with pytest.raises(StateError, match="does not fit layout"):
        Detectors().resume(LAYOUT, {'["1", ""]': data})
