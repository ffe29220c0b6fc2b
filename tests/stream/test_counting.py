"""How much a text holds, without reading it: the same as reading it would tell."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from driftwatch.stream import counting
from driftwatch.stream.counting import MAX_EVENTS, MAX_VALUES, count_elements, count_rows, has_too_many_values

TEXT = st.text(st.sampled_from('a"\\[]{},:é\n\x00 '), max_size=8)
VALUE = st.recursive(
    st.none() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
STEPS = range(2, 12)


@given(
    array=st.lists(VALUE, max_size=12),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
    step=st.sampled_from(STEPS),
)
@example(array=["\\", '\\"', "\\\\", "a\\"], ascii_only=True, indent=None, step=2)
@example(array=[], ascii_only=False, indent=None, step=2)
def test_elements_are_counted_as_a_reader_counts_them(array, ascii_only, indent, step):
    """Whatever is in the strings and wherever the text is cut for counting."""
    text = json.dumps(array, ensure_ascii=ascii_only, indent=indent).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_STEP_BYTES", step)
        assert count_elements(text, limit=len(text)) == len(array)


def test_counting_ends_soon_after_the_limit():
    """More than the limit is all that is told of a long array."""
    assert 1_000 < count_elements(b"[" + b",".join([b"1"] * 1_000_000) + b"]", limit=1_000) < 200_000


@pytest.mark.parametrize(
    ("event", "rows"),
    [
        ('{"columns": {"id": [1, 2, 3]}}', 3),
        ('{"columns": {"id": [1, 2, 3], "time": [1]}}', 3),
        ('{"columns": {"id": [[1, 2], ",,"]}}', 2),
        ('{"c\\u006flumns": {"id": [1, 2]}}', 2),
        ('{"columns": {"id": [1, NaN, 3]}}', 3),
        ('{"columns": {"id": 7}}', 1),
        ('{"columns": {"id": "[,,,]"}}', 1),
        ('{"columns": [1, 2]}', 1),
        ('{"columns": {}}', 1),
        ('{"columns": {"id": []}}', 1),
        ('{"x": {"columns": {"id": [1, 2]}}}', 1),
        ('{"columns": {"id": [1, 2', 1),
        ("[1, 2]", 1),
        ('{"columns": null, "x": NaN}', 1),
    ],
)
def test_rows_of_an_event(event, rows):
    """A columnar batch is as many events as its longest column is long, everything else is one."""
    assert count_rows(event.encode()) == rows


def test_values_are_bounded_at_their_number():
    """So many commas are taken, and not one more."""
    assert not has_too_many_values(b"[1" + b",1" * MAX_VALUES + b"]")
    assert has_too_many_values(b"[1" + b",1" * (MAX_VALUES + 1) + b"]")


def test_a_small_text_is_never_counted():
    """The shortest texts that hold too much are longer than what is passed over."""
    assert len(b"[1" + b",1" * MAX_EVENTS + b"]") > counting.SMALL_BYTES
    assert len(b"1" + b"\n1" * MAX_EVENTS) > counting.SMALL_BYTES
    assert MAX_VALUES > counting.SMALL_BYTES
