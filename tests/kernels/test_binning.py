"""Binning against a slow and obvious loop."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.kernels import binning
from driftwatch.kernels.binning import Z_LIMIT, Binned, Scales, bin_counts, category_counts


def binned(values, cells, *, count, edges, centre, scale, division=None):
    """Count, given the scales one by one."""
    return bin_counts(values, cells, count=count, scales=Scales(edges, centre, scale), division=division)


def slow_bin_counts(values, cells, *, count, edges, centre, scale):
    """Follow the definition, value by value."""
    columns, marks = edges.shape
    out = Binned(
        counts=np.zeros((count, columns, marks + 3), dtype=np.int64),
        sums=np.zeros((count, columns, marks + 1)),
        squares=np.zeros((count, columns)),
        minima=np.full((count, columns), np.inf),
        maxima=np.full((count, columns), -np.inf),
    )
    for column, line in enumerate(values.tolist()):
        for cell, x in zip(cells.tolist(), line, strict=True):
            if cell < 0:
                continue
            if math.isnan(x):
                out.counts[cell, column, -2] += 1
            elif math.isinf(x):
                out.counts[cell, column, -1] += 1
            else:
                slot = sum(edge < x for edge in edges[column].tolist())
                z = (x - float(centre[column])) / float(scale[column])
                z = max(-Z_LIMIT, min(Z_LIMIT, z))
                out.counts[cell, column, slot] += 1
                out.sums[cell, column, slot] += z
                out.squares[cell, column] += z * z
                out.minima[cell, column] = min(out.minima[cell, column], x)
                out.maxima[cell, column] = max(out.maxima[cell, column], x)
    return out


def assert_binned_equal(got, expected, *, largest):
    """Integers and extremes exactly, sums to 1e-9 of what was added; `largest` is the greatest |z| that occurs."""
    rows = max(1, int(expected.counts.sum()))
    np.testing.assert_array_equal(got.counts, expected.counts)
    np.testing.assert_array_equal(got.minima, expected.minima)
    np.testing.assert_array_equal(got.maxima, expected.maxima)
    np.testing.assert_allclose(got.sums, expected.sums, rtol=1e-9, atol=1e-12 * rows * largest)
    np.testing.assert_allclose(got.squares, expected.squares, rtol=1e-9, atol=1e-12 * rows * largest**2)


def draw(seed, *, columns, rows, count, edges=9):
    """Random values on and between few edges, with missing and invalid ones, and rows that are not counted."""
    rng = np.random.default_rng(seed)
    values = np.where(
        rng.random((columns, rows)) < 0.3, rng.integers(-4, 5, (columns, rows)), rng.normal(size=(columns, rows)) * 3
    )
    values[rng.random((columns, rows)) < 0.1] = np.nan
    values[rng.random((columns, rows)) < 0.05] = np.inf
    return {
        "values": values,
        "cells": rng.integers(-1, count, rows) if count else np.full(rows, -1),
        "count": count,
        "edges": np.sort(rng.integers(-4, 5, (columns, edges)), axis=1).astype(float),
        "centre": rng.normal(size=columns),
        "scale": rng.random(columns) + 0.5,
    }


@pytest.mark.parametrize(
    ("columns", "rows", "count"),
    [(3, 0, 2), (0, 10, 2), (0, 0, 0), (2, 5, 0), (1, 1, 1), (3, 400, 1), (2, 3000, 3), (2, 1500, 40), (3, 900, 400)],
)
def test_counts_equal_the_definition(columns, rows, count):
    """Whatever the number of columns, rows and cells."""
    case = draw(columns + rows + count, columns=columns, rows=rows, count=count)
    assert_binned_equal(binned(**case), slow_bin_counts(**case), largest=20)


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(0, 400),
    count=st.integers(1, 12),
    width=st.sampled_from([1, 2, 7, 4096]),
)
def test_neither_blocks_nor_the_tables_width_change_a_count(seed, rows, count, width):
    """A table so narrow that all values have to be searched, or wide: the integers are the same."""
    case = draw(seed, columns=2, rows=rows, count=count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(binning, "_WIDTH", width)
        patch.setattr(binning, "_BLOCK_VALUES", 0)
        binning._table.cache_clear()
        got = binned(**case)
        binning._table.cache_clear()
    assert_binned_equal(got, slow_bin_counts(**case), largest=20)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(
    marks=st.lists(FLOATS, min_size=2, max_size=9),
    values=st.lists(st.floats(allow_nan=True).map(lambda x: math.inf if x == -math.inf else x), max_size=40),
)
def test_any_float_is_counted_without_a_warning(marks, values):
    """Huge, tiny, neighbouring and signed-zero values find their slot; z is cut, so that sums stay finite."""
    # The edges themselves and their neighbours are the values that a wrong rounding would misplace.
    near = [math.nextafter(mark, side) for mark in marks for side in (0.0, math.inf)]
    values = np.array([*values, *marks, *(x for x in near if math.isfinite(x))])
    case = {
        "values": values[None, :],
        "cells": np.zeros(values.size, dtype=np.int64),
        "count": 1,
        "edges": np.sort(np.array([marks]), axis=1),
        "centre": np.array([marks[0]]),
        "scale": np.array([1e-3]),
    }
    got = binned(**case)
    with np.errstate(over="ignore"):
        expected = slow_bin_counts(**case)
    np.testing.assert_array_equal(got.counts, expected.counts)
    np.testing.assert_array_equal(got.minima, expected.minima)
    np.testing.assert_array_equal(got.maxima, expected.maxima)
    assert np.isfinite(got.sums).all()
    assert np.isfinite(got.squares).all()


@pytest.mark.parametrize("shape", ["normal", "lognormal", "cauchy", "integers", "steps"])
def test_quantile_edges_of_real_shapes(shape):
    """128 bins over smooth, skewed, heavy-tailed and repeated values, as layouts have them."""
    rng = np.random.default_rng(8)
    values = {
        "normal": rng.normal(size=20_000),
        "lognormal": np.exp(5 * rng.normal(size=20_000)),
        "cauchy": rng.standard_cauchy(20_000),
        "integers": rng.integers(0, 50, 20_000).astype(float),
        "steps": np.where(rng.random(20_000) < 0.5, 0.0, rng.normal(size=20_000) * 1e-9),
    }[shape]
    ordered = np.unique(values)
    inner = ordered[np.unique(np.linspace(0, ordered.size - 1, 128).astype(int))]
    edges = np.concatenate([[np.nextafter(ordered[0], -np.inf)], inner])
    edges = np.concatenate([edges, np.full(129 - edges.size, edges[-1])])
    rows = values[:4000]
    cells = np.zeros(rows.size, dtype=np.int64)
    got = binned(rows[None], cells, count=1, edges=edges[None], centre=np.zeros(1), scale=np.ones(1))
    np.testing.assert_array_equal(got.counts[0, 0, :-2], np.bincount(np.searchsorted(edges, rows), minlength=130))


def test_the_arrays_order_in_memory_does_not_matter():
    """Columns of a transposed table, every second row of one."""
    case = draw(9, columns=3, rows=1000, count=1)
    case["cells"] = np.zeros(1000, dtype=np.int64)
    expected = slow_bin_counts(**case)
    assert_binned_equal(binned(**{**case, "values": np.asfortranarray(case["values"])}), expected, largest=20)
    doubled = np.repeat(case["values"], 2, axis=1)[:, ::2]
    assert_binned_equal(binned(**{**case, "values": doubled}), expected, largest=20)


def test_bins_are_closed_on_the_right_and_padding_stays_empty():
    """A value on an edge belongs to the bin that it closes; repeated edges enclose nothing."""
    case = {"cells": np.zeros(5, dtype=np.int64), "count": 1, "centre": np.zeros(1), "scale": np.ones(1)}
    got = binned(np.array([[0.0, 1.0, 1.5, 2.0, 2.1]]), edges=np.array([[0.0, 1.0, 2.0, 2.0, 2.0]]), **case)
    assert got.counts[0, 0].tolist() == [1, 1, 2, 0, 0, 1, 0, 0]
    assert got.sums[0, 0].tolist() == pytest.approx([0.0, 1.0, 3.5, 0, 0, 2.1])


def test_arguments_are_left_alone():
    """Shifts and marks work on copies."""
    case = draw(5, columns=2, rows=2000, count=2)
    before = {name: np.copy(value) for name, value in case.items()}
    binned(**case)
    one = {**case, "cells": np.zeros(2000, dtype=np.int64)}
    binned(**one)
    for name, value in before.items():
        np.testing.assert_array_equal(case[name], value)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), rows=st.integers(0, 200), count=st.integers(1, 9))
def test_categories_equal_the_definition(seed, rows, count):
    """Each code adds one to its column's slot of its row's cell."""
    rng = np.random.default_rng(seed)
    widths = np.array([4, 3, 7])
    offsets = np.concatenate([[0], np.cumsum(widths)]).astype(np.int64)
    codes = (rng.random((3, rows)) * widths[:, None]).astype(np.int32)
    cells = rng.integers(-1, count, rows)
    expected = np.zeros((count, 14), dtype=np.int64)
    for row, cell in enumerate(cells.tolist()):
        for column in range(3 if cell >= 0 else 0):
            expected[cell, offsets[column] + codes[column, row]] += 1
    np.testing.assert_array_equal(category_counts(codes, cells, count=count, offsets=offsets), expected)


def test_no_categorical_columns_is_no_special_case():
    """The result has no slots then."""
    got = category_counts(
        np.zeros((0, 3), dtype=np.int32), np.zeros(3, dtype=np.int64), count=2, offsets=np.zeros(1, dtype=np.int64)
    )
    assert got.shape == (2, 0)
