"""Versions that are told apart, and when each was first seen: bounded, and the same in whatever order rows come."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stream.versions import OTHER_VERSION, Versions
from tests.monitors import Row, batch_of

SIGHTINGS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 99)), min_size=1, max_size=20)


def see(versions: Versions, sightings: Sequence[tuple[str, int]], *, late: Sequence[int] = ()) -> None:
    """Rows of these versions and times come in one batch; late: the places of those that do not count."""
    batch = batch_of([Row("p", time, version, 0, 0) for version, time in sightings])
    counted = ~np.isin(np.arange(batch.rows), late)
    versions.names(batch, counted)


def test_the_earliest_row_that_counts_dates_a_version():
    """Neither the first to come nor a late one."""
    versions = Versions()
    see(versions, [("7", 30), ("8", 25), ("7", 20), ("7", 5)], late=[3])
    see(versions, [("8", 10), ("7", 40)])
    assert versions.first_ms == {"7": 20, "8": 10}


def test_rows_of_which_none_counts_date_nothing():
    """A batch may be late as a whole."""
    versions = Versions()
    see(versions, [("7", 30)], late=[0])
    assert versions == Versions()


def test_a_version_that_rests_is_no_new_one():
    """Its place among those told apart is given away, its date is not."""
    versions = Versions()
    see(versions, [("7", 30)])
    versions.keep(())
    assert versions.known == []
    see(versions, [("7", 90)])
    assert (versions.known, versions.first_ms) == (["7"], {"7": 30})


def test_the_versions_beyond_the_bound_have_one_date():
    """As they are counted together."""
    versions = Versions(2)
    see(versions, [("7", 1), ("8", 2), ("9", 4), ("10", 3)])
    assert versions.first_ms == {"7": 1, "8": 2, OTHER_VERSION: 3}


def test_the_oldest_that_is_gone_makes_room():
    """Never one that is still told apart, be it as old as it may."""
    versions = Versions(2)
    see(versions, [("7", 1), ("8", 2)])
    versions.keep(["7"])
    see(versions, [("9", 3)])
    assert versions.first_ms == {"7": 1, "9": 3}


@given(SIGHTINGS, st.data())
def test_the_order_of_rows_dates_nothing(sightings, data):
    """The same rows in another order, in any batches, give the same dates."""
    woven = data.draw(st.permutations(sightings))
    cut = data.draw(st.integers(0, len(woven)))
    whole, pieces = Versions(), Versions()
    see(whole, sightings)
    for part in (woven[:cut], woven[cut:]):
        if part:
            see(pieces, part)
    assert pieces.first_ms == whole.first_ms


@given(SIGHTINGS, st.integers(1, 2))
def test_dates_are_bounded(sightings, most):
    """At most so many, beside that of the others, and every version that is told apart has one."""
    versions = Versions(most)
    for sighting in sightings:
        see(versions, [sighting])
        assert set(versions.known) <= versions.first_ms.keys()
        assert len(versions.first_ms.keys() - {OTHER_VERSION}) <= most
        versions.keep(versions.known[1:])
