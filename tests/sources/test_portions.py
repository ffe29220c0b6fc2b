from hypothesis import example, given
from hypothesis import strategies as st

from driftwatch.sources.portions import MAX_BYTES, MAX_RECORDS, further_events, portions
from driftwatch.stream.counting import MAX_EVENTS
from driftwatch.stream.split import split

SIZES = st.integers(0, MAX_BYTES // 8) | st.integers(MAX_BYTES // 2, 5 * MAX_BYTES // 4)
EVENTS = st.integers(0, 3 * MAX_EVENTS // 2)
TEXTS = st.lists(
    st.sampled_from([b"{}", b"[", b"]", b",", b"\n", b" ", b"1", b"NaN", b'"a[,"', b'{"a": [1, 2]}']), max_size=12
)


def record(size: int, events: int) -> bytes:
    """Bytes with so many line ends among them, as far as there is room."""
    return b"\n" * min(size, events) + b"x" * (size - events)


@given(st.lists(st.builds(record, SIZES, EVENTS), max_size=8))
def test_every_record_is_in_one_bounded_run(records):
    """The runs put together are the records, in order; a run is within the bounds or a single record."""
    runs = [records[run] for run in portions(records)]
    assert [record for run in runs for record in run] == records
    assert all(run for run in runs)
    assert all(sum(map(len, run)) <= MAX_BYTES or len(run) == 1 for run in runs)
    assert all(sum(map(further_events, run)) <= MAX_EVENTS or len(run) == 1 for run in runs)


@given(TEXTS.map(b"".join))
@example(b"[{},{},{}]")
@example(b"{}\n{}\n{}")
def test_no_record_holds_more_events_than_are_expected(text):
    """Whatever it is, valid or not."""
    assert len(split(text)) <= 1 + further_events(text)


def test_one_event_is_one_however_wide_it_is():
    """A row of many columns does not make its run shorter."""
    assert further_events(b'{"features": {' + b",".join(b'"f%d": 1' % place for place in range(100)) + b"}}") == 0


def test_many_small_records_are_cut_by_count():
    """Records without bytes still end a run."""
    assert [run.stop - run.start for run in portions([b""] * (2 * MAX_RECORDS + 1))] == [MAX_RECORDS, MAX_RECORDS, 1]


def test_runs_are_as_large_as_they_may_be():
    """A run is not cut before the next record would break a bound."""
    half = b"x" * (MAX_BYTES // 2)
    assert list(portions([half, half, b"x"])) == [slice(0, 2), slice(2, 3)]


def test_records_of_many_events_are_cut_by_them():
    """Lines, elements of arrays and rows of columns count alike, whatever the bytes."""
    half = MAX_EVENTS // 2
    lines, array, columns = b"{}\n" * half, b"[" + b"1," * half + b"1]", b'{"columns":{"x":[' + b"1," * half + b"1]}}"
    assert list(portions([lines, array, b"[1,1]", columns, lines])) == [slice(0, 2), slice(2, 4), slice(4, 5)]
