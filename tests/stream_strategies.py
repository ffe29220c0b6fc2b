"""Hypothesis strategies for events and for rows in time, and the comparisons that go with them."""

import numpy as np
from hypothesis import strategies as st

from driftwatch.stream.batch import Batch
from driftwatch.stream.decode import Decoded
from driftwatch.stream.schema import Column, Kind, Schema, Task

RECEIVED_MS = 1_767_607_200_000

SCHEMA = Schema(
    "fraud",
    Task.BINARY,
    (
        Column("amount", Kind.NUMERIC),
        Column("cents", Kind.NUMERIC, coerce=True),
        Column("score", Kind.NUMERIC, minimum=0.0, maximum=1.0),
    ),
    (
        Column("country", Kind.CATEGORICAL, ("DE", "FR", "7", "0.5", "true", "Ö")),
        Column("vip", Kind.BOOLEAN, ("false", "true")),
    ),
)
"""A model with every kind of column."""

_texts = st.text(max_size=3) | st.sampled_from(["DE", "Ö", "7", "0.5", "true", "nan", "1_0", "\ud800", "2026"])
_values = (
    st.none()
    | st.booleans()
    | st.integers(-2, 9)
    | st.sampled_from([0.5, -0.0, 7.0, 1e300, float("nan"), float("inf"), 2**63, 10**309, 10**30])
    | st.floats(0, 1)
    | _texts
    | st.just([1])
    | st.just({})
)
_times = _values | st.sampled_from([
    "2026-01-05T10:00:00Z", "2026-01-05T12:00:00.1239+02:00", "2026-01-05T10:00:00", RECEIVED_MS - 1,
    RECEIVED_MS + 600_000, RECEIVED_MS + 600_001, RECEIVED_MS - 0.5,
])  # fmt: skip


def events() -> st.SearchStrategy[dict]:
    """One prediction event that has every key, with right and wrong values in each."""
    return st.fixed_dictionaries(
        {
            "model": st.just("fraud"),
            "id": _texts | _values,
            "time": _times,
            "version": st.sampled_from(["1", "2", 1, 1.0, None]) | _values,
            "score": _values,
            "note": _values,
            "features": st.fixed_dictionaries(dict.fromkeys(["amount", "cents", "country", "vip", "other"], _values)),
        }
    )


def assert_batches_equal(got: Batch | None, expected: Batch | None) -> None:
    """Every array to the bit, the names too."""
    assert (got is None) == (expected is None)
    if got is None or expected is None:
        return
    assert (got.partition, got.version_names) == (expected.partition, expected.version_names)
    for name in ("times", "ids", "versions", "numeric", "categorical"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name, strict=True)
    assert_records_equal(got.outputs, expected.outputs)


def assert_records_equal(got: np.ndarray, expected: np.ndarray) -> None:
    """The same fields and values; a NaN equals a NaN, which it does not in whole records."""
    assert got.dtype == expected.dtype
    for name in expected.dtype.names:
        np.testing.assert_array_equal(got[name], expected[name], err_msg=name, strict=True)


def assert_decoded_equal(got: Decoded, expected: Decoded) -> None:
    """The same rows, the same rejections, the same counts."""
    assert got.rejected == expected.rejected
    assert (got.received, got.unknown_keys) == (expected.received, expected.unknown_keys)
    assert_batches_equal(got.batches.get("fraud"), expected.batches.get("fraud"))


def cuts(size: int) -> st.SearchStrategy[list[int]]:
    """Where to cut so many rows, the ends included."""
    return st.lists(st.integers(0, size), max_size=5).map(lambda places: [0, *sorted(places), size])
