from hypothesis import given
from hypothesis import strategies as st

from driftwatch.sources.portions import MAX_BYTES, MAX_RECORDS, MAX_VALUES, portions, values_in

SIZES = st.integers(0, MAX_BYTES // 8) | st.integers(MAX_BYTES // 2, 5 * MAX_BYTES // 4)
VALUES = st.integers(0, 3 * MAX_VALUES // 2)


def record(size: int, values: int) -> bytes:
    """Bytes with so many commas among them, as far as there is room."""
    return b"," * min(size, values) + b"x" * (size - values)


@given(st.lists(st.builds(record, SIZES, VALUES), max_size=12))
def test_every_record_is_in_one_bounded_run(records):
    """The runs put together are the records, in order; a run is within the bounds or a single record."""
    runs = [records[run] for run in portions(records)]
    assert [record for run in runs for record in run] == records
    assert all(run for run in runs)
    assert all(sum(map(len, run)) <= MAX_BYTES or len(run) == 1 for run in runs)
    assert all(sum(map(values_in, run)) <= MAX_VALUES or len(run) == 1 for run in runs)


def test_many_small_records_are_cut_by_count():
    """Records without bytes still end a run."""
    assert [run.stop - run.start for run in portions([b""] * (2 * MAX_RECORDS + 1))] == [MAX_RECORDS, MAX_RECORDS, 1]


def test_runs_are_as_large_as_they_may_be():
    """A run is not cut before the next record would break a bound."""
    half = b"x" * (MAX_BYTES // 2)
    assert list(portions([half, half, b"x"])) == [slice(0, 2), slice(2, 3)]


def test_records_of_many_events_are_cut_by_their_values():
    """Lines and the elements of arrays count alike, whatever the bytes."""
    lines, array = b"{}\n" * (MAX_VALUES // 2), b"[" + b"1," * (MAX_VALUES // 2) + b"1]"
    assert list(portions([lines, array, b"1,1", array])) == [slice(0, 2), slice(2, 4)]
