from hypothesis import given
from hypothesis import strategies as st

from driftwatch.sources.portions import MAX_BYTES, MAX_RECORDS, portions


@given(st.lists(st.integers(0, 2 * MAX_BYTES), max_size=200))
def test_every_record_is_in_one_bounded_run(sizes):
    """The runs put together are the records, in order; a run is within the bounds or a single record."""
    runs = [sizes[run] for run in portions(sizes)]
    assert [size for run in runs for size in run] == sizes
    assert all(run for run in runs)
    assert all(sum(run) <= MAX_BYTES or len(run) == 1 for run in runs)


def test_many_small_records_are_cut_by_count():
    """Records without bytes still end a run."""
    assert [run.stop - run.start for run in portions([0] * (2 * MAX_RECORDS + 1))] == [MAX_RECORDS, MAX_RECORDS, 1]


def test_runs_are_as_large_as_they_may_be():
    """A run is not cut before the next record would break a bound."""
    half = MAX_BYTES // 2
    assert list(portions([half, half, 1])) == [slice(0, 2), slice(2, 3)]
