"""The watch over the loss of each version and segment: each sees its own rows, in order, and so many are watched."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.errors import StateError
from driftwatch.quality import loss
from driftwatch.quality.loss import LEVELS, LossWatch
from driftwatch.statistics.concept import Terms
from driftwatch.stream.answers import outcomes_of, outputs_of
from driftwatch.stream.join.joined import Settled
from driftwatch.summaries.codec import pack, unpack
from driftwatch.summaries.evidence_state import CELL
from tests.labelled import DIMENSIONS, FORM

TERMS = Terms(run_length_rows=1_000.0)
NAMES = {0: "a", 1: "b"}


def settled(groups: np.ndarray, versions: np.ndarray | None = None) -> Settled:
    """Rows of these groups, (rows, dimensions), a millisecond each."""
    rows = len(groups)
    outputs = outputs_of(FORM, {"groups": groups}, rows)
    zeros = np.zeros(rows, dtype=np.int64)
    versions = zeros if versions is None else versions
    return Settled(zeros, versions, outputs, outcomes_of(FORM, {}, rows), zeros, np.arange(rows))


def groups_of(chance: np.random.Generator, rows: int) -> np.ndarray:
    return np.stack([chance.integers(-1, 3, rows), chance.integers(-1, 4, rows), np.full(rows, -1)], axis=1)


def watch() -> LossWatch:
    return LossWatch(TERMS, dimensions=DIMENSIONS)


def cells(target: LossWatch) -> dict[tuple[str, str], np.ndarray]:
    """Every stream's state."""
    meta, arrays = unpack(target.changes()[LEVELS])
    streams = zip(meta["versions"], meta["segments"], strict=True)
    return {stream: np.hstack([np.ravel(arrays[name][k]) for name in CELL.names]) for k, stream in enumerate(streams)}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1_000), st.lists(st.integers(0, 2_000), max_size=5))
def test_a_segment_is_watched_by_its_own_rows(seed: int, cuts: list[int]) -> None:
    """However rows are cut, a stream's state is that of a watch that has seen nothing but its rows, to the last bit."""
    chance = np.random.default_rng(seed)
    rows = 2_000
    groups, versions = groups_of(chance, rows), chance.integers(0, 2, rows)
    losses = (chance.random(rows) < np.where(np.arange(rows) > rows / 2, 0.6, 0.2)).astype(float)
    losses[chance.random(rows) < 0.1] = np.nan
    whole, target = settled(groups, versions), watch()
    for part in np.split(np.arange(rows), sorted(cuts)):
        target.see(whole.at(part), NAMES, losses[part])
    found = cells(target)
    for dimension, way in enumerate(DIMENSIONS.segments):
        for member, name in enumerate(way.members):
            own = np.flatnonzero((groups[:, dimension] == member) & (versions == 1))
            alone = LossWatch(TERMS)
            alone.see(whole.at(own), NAMES, losses[own])
            assert np.array_equal(found["b", name], cells(alone)["b", ""], equal_nan=True)
    assert len(found) == 2 * (1 + len(DIMENSIONS.segment_names))
    everything = LossWatch(TERMS)
    everything.see(whole, NAMES, losses)
    assert np.array_equal(found["a", ""], cells(everything)["a", ""], equal_nan=True)


def test_one_segment_gets_worse() -> None:
    """It says so; the others, and all rows together where they are many, do not."""
    chance = np.random.default_rng(1)
    rows = 40_000
    groups = np.stack([np.where(chance.random(rows) < 0.02, 1, 0), np.zeros(rows, int), np.full(rows, -1)], axis=1)
    worse = (groups[:, 0] == 1) & (np.arange(rows) > rows / 2)
    losses = (chance.random(rows) < np.where(worse, 0.9, 0.2)).astype(float)
    target = LossWatch(Terms(run_length_rows=1e6), dimensions=DIMENSIONS)
    target.see(settled(groups), NAMES, losses)
    lower = {name: [each.lower for each in target.readings("a", name)] for name in ("", *DIMENSIONS.segment_names)}
    assert lower["country=FR"][0] > 0.2
    assert lower["country=DE"][0] <= 0
    assert lower["country=_other"] == [], "nothing is said of what has no rows"
    assert target.readings("b", "country=FR") == ()


def test_it_goes_on_from_what_was_written() -> None:
    """Also from what was written before there were segments: versions go on, segments begin."""
    chance = np.random.default_rng(2)
    groups, losses = groups_of(chance, 500), (chance.random(500) < 0.3).astype(float)
    first = watch()
    first.see(settled(groups), NAMES, losses)
    again = watch()
    again.resume(dict(first.changes()))
    assert again.changes() == {}
    for target in (first, again):
        target.see(settled(groups), NAMES, losses)
    assert first.changes() == again.changes()

    meta, arrays = unpack(first.changes()[LEVELS])
    old = watch()
    old.resume({LEVELS: pack({"versions": ["a"]}, {name: array[:1] for name, array in arrays.items()})})
    assert repr(old.readings("a")) == repr(first.readings("a"))
    assert old.readings("a", "country=FR") == ()
    for versions, segments in ((["a"] * 3, [""] * 3), (["a"], ["", ""]), (meta["versions"], meta["segments"][:-1])):
        with pytest.raises(StateError, match="levels of the loss"):
            watch().resume({LEVELS: pack({"versions": versions, "segments": segments}, arrays)})


def versions_of(target: LossWatch) -> set[str]:
    return {version for version, _ in cells(target)}


def see_versions(target: LossWatch, versions: Iterable[str], groups: np.ndarray) -> None:
    for version in versions:
        target.see(settled(groups), {0: version}, np.zeros(len(groups)))


def test_so_many_are_watched(monkeypatch) -> None:
    """Beyond a number of versions, or of streams, the oldest version goes; one alone keeps the segments there are."""
    groups = groups_of(np.random.default_rng(3), 200)
    streams = 1 + len(DIMENSIONS.segment_names)
    monkeypatch.setattr(loss, "MOST_VERSIONS", 3)
    target = watch()
    see_versions(target, "abcde", groups)
    assert versions_of(target) == set("cde")
    monkeypatch.setattr(loss, "MOST_STREAMS", 2 * streams)
    see_versions(target, "f", groups)
    assert versions_of(target) == set("ef")
    assert len(cells(target)) == 2 * streams
    monkeypatch.setattr(loss, "MOST_STREAMS", 3)
    alone = watch()
    see_versions(alone, "aa", groups)
    assert len(cells(alone)) == 3
    assert ("a", "") in cells(alone)
