"""The merge laws (design section 4) over every mergeable summary."""

import copy
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.errors import StateError
from driftwatch.stream.batch import Batch
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.codec import profile_bytes, profile_from_bytes
from driftwatch.summaries.profile import Profile, profiles
from tests.strategies import assert_profiles_equal, batches, layouts, profile_of, profiles_over, taken


def over_one_layout(*parts):
    """Tuples (layout, part, …) whose parts are drawn over the layout."""
    return layouts().flatmap(lambda layout: st.tuples(st.just(layout), *(part(layout) for part in parts)))


@settings(deadline=None)
@given(over_one_layout(profiles_over))
def test_empty_is_the_identity(drawn):
    """Adding nothing changes nothing, on either side."""
    layout, a = drawn
    assert_profiles_equal(Profile.empty(layout).merge(a), a, exact=True)
    assert_profiles_equal(a.merge(Profile.empty(layout)), a, exact=True)


@settings(deadline=None)
@given(over_one_layout(profiles_over, profiles_over))
def test_merge_is_commutative(drawn):
    """The order of two profiles does not matter."""
    _, a, b = drawn
    assert_profiles_equal(a.merge(b), b.merge(a), exact=True)


@settings(deadline=None)
@given(over_one_layout(profiles_over, profiles_over, profiles_over))
def test_merge_is_associative(drawn):
    """Nor does it matter which two are added first."""
    _, a, b, c = drawn
    assert_profiles_equal(a.merge(b).merge(c), a.merge(b.merge(c)))


@settings(deadline=None)
@given(over_one_layout(batches, batches))
def test_profile_of_all_is_the_sum_of_the_parts(drawn):
    """Rows may be cut into batches anywhere."""
    layout, a, b = drawn
    whole = profile_of(Batch.joined([a, b]), layout)
    assert_profiles_equal(profile_of(a, layout).merge(profile_of(b, layout)), whole)


@settings(deadline=None)
@given(over_one_layout(batches), st.integers(0, 2**32))
def test_order_of_rows_does_not_matter(drawn, seed):
    """A profile is of a set of rows."""
    layout, batch = drawn
    shuffled = taken(batch, np.random.default_rng(seed).permutation(batch.rows))
    assert_profiles_equal(profile_of(shuffled, layout), profile_of(batch, layout))


@settings(deadline=None)
@given(over_one_layout(batches), st.integers(1, 9), st.integers(0, 2**32))
def test_cells_are_profiles_of_their_rows(drawn, count, seed):
    """Counting many cells at once is counting each alone; rows of cell -1 are in none."""
    layout, batch = drawn
    cells = np.random.default_rng(seed).integers(-1, count, batch.rows)
    together = profiles(batch, cells, count=count, layout=layout)
    for cell, profile in enumerate(together):
        assert_profiles_equal(profile, profile_of(taken(batch, cells == cell), layout))


@settings(deadline=None)
@given(over_one_layout(profiles_over))
def test_arrays_and_bytes_give_back_the_profile(drawn):
    """What is stored is what is read."""
    layout, a = drawn
    assert_profiles_equal(Profile.from_arrays(layout, a.arrays()), a, exact=True)
    assert_profiles_equal(profile_from_bytes(layout, profile_bytes(a)), a, exact=True)


@settings(deadline=None)
@given(over_one_layout(profiles_over, profiles_over))
def test_merge_leaves_its_arguments_alone(drawn):
    """A pane that was added to a window is still itself."""
    _, a, b = drawn
    before = copy.deepcopy((a, b))
    a.merge(b)
    assert_profiles_equal(a, before[0], exact=True)
    assert_profiles_equal(b, before[1], exact=True)


@settings(deadline=None)
@given(over_one_layout(profiles_over))
def test_a_row_is_counted_once_in_every_column(drawn):
    """Every column's slots add up to the number of rows, missing and invalid values included."""
    layout, a = drawn
    assert (a.numeric.counts.sum(axis=1) == a.rows).all()
    sums = np.add.reduceat(np.append(a.categories, 0), layout.offsets[:-1]) if layout.categorical else np.empty(0)
    assert (sums == a.rows).all()


@settings(deadline=None)
@given(over_one_layout(profiles_over))
def test_another_layout_is_refused(drawn):
    """Profiles counted over different grids do not add, and bytes of one do not read as the other."""
    layout, a = drawn
    other = replace(layout, categorical=(*layout.categorical, Column("one more", Kind.BOOLEAN, ("false", "true"))))
    assert other.fingerprint != layout.fingerprint
    with pytest.raises(StateError, match="do not add"):
        a.merge(Profile.empty(other))
    with pytest.raises(StateError, match="does not fit layout"):
        profile_from_bytes(other, profile_bytes(a))
    with pytest.raises(StateError, match="do not fit layout"):
        Profile.from_arrays(other, a.arrays())


@settings(deadline=None)
@given(layouts())
def test_fingerprint_follows_what_decides_the_counting(layout):
    """The same grid has the same fingerprint; a moved edge, another name or word another one."""
    assert replace(layout).fingerprint == layout.fingerprint
    changed = []
    if layout.numeric:
        changed.append(replace(layout, edges=np.nextafter(layout.edges, np.inf)))
        changed.append(replace(layout, numeric=(replace(layout.numeric[0], name="other"), *layout.numeric[1:])))
    if layout.categorical:
        first = replace(layout.categorical[0], vocabulary=(*layout.categorical[0].vocabulary, "new"))
        changed.append(replace(layout, categorical=(first, *layout.categorical[1:])))
    assert all(other.fingerprint != layout.fingerprint for other in changed)


def test_a_summary_forgets_no_field():
    """A field added to Profile has to be compared by these laws."""
    assert {field.name for field in fields(Profile)} == {
        "fingerprint", "rows", "first_ms", "last_ms", "numeric", "categories",
    }  # fmt: skip
