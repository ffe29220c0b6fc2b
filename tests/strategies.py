"""Hypothesis strategies for layouts, batches and profiles, for whoever tests a law over them."""

import numpy as np
from hypothesis import strategies as st

from driftwatch.stream.batch import Batch
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile, profiles
from driftwatch.summaries.survey import NumericSurvey

PARTITION = "test/0"


@st.composite
def layouts(draw, *, numeric=3, categorical=2) -> Layout:
    """A layout of up to so many columns, made from few or many, smooth or repeated values."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    columns = draw(st.integers(0, numeric))
    values = rng.normal(size=(columns, draw(st.integers(1, 400)))) * 10.0 ** rng.integers(-3, 6, (columns, 1))
    repeated = rng.random(columns) < 0.5
    values[repeated] = np.round(values[repeated])
    values[rng.random(values.shape) < 0.1] = np.nan
    survey = NumericSurvey(columns)
    survey.add(values, first_row=0)
    sizes = draw(st.lists(st.integers(0, 6), max_size=categorical))
    vocabularies = [tuple(f"c{text}" for text in range(size)) for size in sizes]
    return build_layout(
        [Column(f"n{place}", Kind.NUMERIC) for place in range(columns)],
        [Column(f"t{place}", Kind.CATEGORICAL, words) for place, words in enumerate(vocabularies)],
        survey,
    )


@st.composite
def batches(draw, layout: Layout, *, max_rows=120) -> Batch:
    """Rows for a layout: values on, between and beyond its edges, missing and invalid ones, every category."""
    rows = draw(st.integers(0, max_rows))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    near = layout.edges[:, rng.integers(0, layout.edges.shape[1], rows)]
    numeric = np.where(rng.random(near.shape) < 0.3, near, near + layout.scale[:, None] * rng.normal(size=near.shape))
    numeric[rng.random(numeric.shape) < 0.1] = np.nan
    numeric[rng.random(numeric.shape) < 0.05] = np.inf
    widths = np.diff(layout.offsets)[:, None]
    return Batch(
        partition=PARTITION,
        times=rng.integers(0, 10**12, rows),
        ids=rng.integers(1, 2**63, rows).astype(np.uint64),
        versions=np.zeros(rows, dtype=np.int32),
        version_names=("",),
        numeric=numeric,
        categorical=(rng.random((widths.size, rows)) * widths).astype(np.int32),
    )


def profile_of(batch: Batch, layout: Layout) -> Profile:
    """Count all rows of a batch into one profile."""
    return profiles(batch, np.zeros(batch.rows, dtype=np.int64), count=1, layout=layout)[0]


def profiles_over(layout: Layout) -> st.SearchStrategy[Profile]:
    """Profiles of one layout."""
    return batches(layout).map(lambda batch: profile_of(batch, layout))


def taken(batch: Batch, rows) -> Batch:
    """The rows at these places, in this order."""
    return Batch(
        batch.partition, batch.times[rows], batch.ids[rows], batch.versions[rows], batch.version_names,
        batch.numeric[:, rows], batch.categorical[:, rows], batch.outputs[rows],
    )  # fmt: skip


def assert_profiles_equal(got: Profile, expected: Profile, *, exact: bool = False) -> None:
    """Integers and extremes exactly; sums to 1e-9 of what was added, or to the bit."""
    assert (got.fingerprint, got.rows, got.first_ms, got.last_ms) == (
        expected.fingerprint, expected.rows, expected.first_ms, expected.last_ms,
    )  # fmt: skip
    np.testing.assert_array_equal(got.categories, expected.categories)
    np.testing.assert_array_equal(got.numeric.counts, expected.numeric.counts)
    np.testing.assert_array_equal(got.numeric.minima, expected.numeric.minima)
    np.testing.assert_array_equal(got.numeric.maxima, expected.numeric.maxima)
    # A sum of terms of both signs may be near zero: its error is relative to the terms, whose size squares give.
    size = np.sqrt(expected.numeric.squares * max(1, expected.rows))
    bound = 0.0 if exact else 1e-9
    assert (np.abs(got.numeric.sums - expected.numeric.sums) <= bound * size[:, None]).all()
    np.testing.assert_allclose(got.numeric.squares, expected.numeric.squares, rtol=bound)
