"""Whether tests that are told of over-dispersion keep their level on rows that depend on each other.

python -m tests.benchmarks.alarms_dispersion [scale]: false alarms per 1 000 window-columns, as a table in Markdown; two
minutes of CPU time at the default scale.
"""

import sys
from collections.abc import Callable

import numpy as np
from scipy import special, stats
from scipy.signal import lfilter

from driftwatch.stream.batch import Batch
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.coarsening import cuts_of
from driftwatch.summaries.pyramid import Pyramid
from driftwatch.summaries.pyramid_counter import PyramidCounter
from driftwatch.summaries.survey import NumericSurvey

WINDOWS = (100, 500, 1_000, 5_000)
SIZES = {1_000: (1_500, 8), 10_000: (300, 40), 100_000: (60, 120)}
"""Rows of the reference: columns of their own, and windows that each of them is tested on."""
LEVELS = (0.01, 0.001)
BINS, CELLS = 128, 12


def independent(rng, columns, rows):
    """Independent normal rows."""
    return rng.normal(size=(columns, rows))


def autoregressive(rng, columns, rows, share=0.9):
    """Each row is nine tenths of the one before: factor 19."""
    noise = rng.normal(size=(columns, rows + 300))
    return lfilter([np.sqrt(1 - share**2)], [1, -share], noise, axis=1)[:, 300:]


def sessions(rng, columns, rows, *, most=39):
    """Sessions of 1 to 39 rows that share four fifths of their variance: factor 0.2 + 0.8 · E s² / E s = 21.3."""
    found = np.empty((columns, rows))
    for line in found:
        lengths = rng.integers(1, most + 1, rows // 10 + 50)
        shared = np.repeat(rng.normal(size=lengths.size), lengths)[most : most + rows]
        line[:] = np.sqrt(0.8) * shared + np.sqrt(0.2) * rng.normal(size=rows)
    return found


def season(period: int) -> Callable:
    """A wave of one standard deviation of noise, and of so many rows."""

    def drawn(rng, columns, rows):
        start = rng.random((columns, 1)) * period
        return rng.normal(size=(columns, rows)) + np.sin(2 * np.pi * (np.arange(rows) + start) / period)

    return drawn


STREAMS = {
    "independent": independent,
    "AR(0.9)": autoregressive,
    "AR(0.3)": lambda rng, columns, rows: autoregressive(rng, columns, rows, 0.3),
    "sessions": sessions,
    "season of 400": season(400),
    "season of 4 000": season(4_000),
}


def pyramid_of(values: np.ndarray, *, codes: np.ndarray | None = None, categories: int = 0) -> Pyramid:
    """The pyramid of columns of numbers (columns, rows), and of codes of so many categories."""
    columns, rows = values.shape
    codes = np.zeros((0, rows), dtype=np.int32) if codes is None else codes
    survey = NumericSurvey(columns)
    survey.add(values, first_row=0)
    words = tuple(f"c{place}" for place in range(categories))
    layout = build_layout(
        [Column(f"n{place}", Kind.NUMERIC) for place in range(columns)],
        [Column(f"t{place}", Kind.CATEGORICAL, words) for place in range(len(codes))],
        survey,
    )
    counter = PyramidCounter(layout, cuts_of(layout, survey.excerpt(8192)), rows=rows)
    nothing = np.zeros(rows, dtype=np.int32)
    whole = Batch(
        "test/0", np.arange(rows), nothing.astype(np.uint64), nothing, ("",), values, codes.astype(np.int32)
    )  # fmt: skip
    for start in range(0, rows, 65_536):
        counter.add(whole.between(start, min(rows, start + 65_536)))
    return counter.pyramid


def counts_of(reference: np.ndarray, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts over the reference's quantiles: (BINS,) and (windows, BINS)."""
    edges = np.quantile(reference, np.arange(1, BINS) / BINS)
    of_windows = np.searchsorted(edges, windows) + BINS * np.arange(len(windows))[:, None]
    counts = np.bincount(of_windows.ravel(), minlength=BINS * len(windows)).reshape(-1, BINS)
    return np.bincount(np.searchsorted(edges, reference), minlength=BINS), counts


def p_values(reference: np.ndarray, current: np.ndarray, factors: list[float]) -> dict[str, np.ndarray]:
    """(windows,) each of four tests, told of its factor and of the degrees of freedom behind it.

    reference: (BINS,) counts; current: (windows, BINS). factors: location, scale, cells, path, freedom.
    """
    location, scale, cells, path, freedom = factors
    n, m = reference.sum(), current[0].sum()
    before, now = reference / n, current / m
    weight = n * m / (n + m)
    pooled = (n * before + m * now) / (n + m)
    score = special.ndtri(np.cumsum(pooled, axis=1) - pooled / 2)
    found = {}
    for name, scores, factor in (("location", score, location), ("scale", score**2, scale)):
        variance = (pooled * scores**2).sum(axis=1) - (pooled * scores).sum(axis=1) ** 2
        z = ((now - before) * scores).sum(axis=1) / np.sqrt(variance * factor / weight)
        found[name] = 2 * stats.t.sf(abs(z), freedom) if np.isfinite(freedom) else 2 * stats.norm.sf(abs(z))
    merged = np.arange(CELLS) * BINS // CELLS
    difference, wide = np.add.reduceat(now - before, merged, axis=1), np.add.reduceat(pooled, merged, axis=1)
    square = weight * (difference**2 / wide).sum(axis=1) / cells / (CELLS - 1)
    found["cells"] = stats.f.sf(square, CELLS - 1, freedom) if np.isfinite(freedom) else stats.chi2.sf(square * 11, 11)
    distance = abs(np.cumsum(now - before, axis=1)).max(axis=1)
    plain = special.kolmogorov(np.sqrt(weight / path) * distance)
    found["path"] = 2 * stats.t.sf(stats.norm.isf(plain / 2), freedom) if np.isfinite(freedom) else plain
    return found


def measured(rng, draw: Callable, size: int, *, scale: float) -> list[list[str]]:
    """Rows of the table for one stream and one size of reference."""
    columns, repeats = max(10, int(SIZES[size][0] * scale)), SIZES[size][1]
    alarms = {window: {} for window in WINDOWS}
    factors = {window: [] for window in WINDOWS}
    for start in range(0, columns, 100):
        some = min(100, columns - start)
        # Windows of all lengths are cut from one stream, apart from each other and from the reference.
        stream = draw(rng, some, size + 500 + 6_000 * repeats // (1 if size < 100_000 else 2))
        pyramid = pyramid_of(stream[:, :size])
        for window in WINDOWS:
            over = pyramid.over(window)
            begins = np.sort(rng.integers(size + 500, stream.shape[1] - window, repeats))
            for column in range(some):
                told = [float(x[column]) for x in (over.location, over.scale, over.cells, over.path, over.freedom)]
                windows = np.stack([stream[column, begin : begin + window] for begin in begins])
                before, now = counts_of(stream[column, :size], windows)
                factors[window].append([told[0], told[2], told[4]])
                for name, p in p_values(before, now, told).items():
                    alarms[window].setdefault(name, []).append(p)
    lines = []
    for window in WINDOWS:
        location, cells, freedom = np.median(factors[window], axis=0)
        rates = [
            "{:.1f}, {:.1f}".format(*(1000 * np.mean(np.array(alarms[window][name]) < level) for level in LEVELS))
            for name in ("location", "scale", "cells", "path")
        ]
        lines.append([str(window), f"{location:.3g}", f"{cells:.3g}", f"{freedom:.3g}", *rates])
    return lines


def main(scale: float = 0.6) -> None:
    """Print the table."""
    rng = np.random.default_rng(20261123)
    head = ["stream", "reference", "window", "factor of location", "of cells", "freedom"]
    print("|", " | ".join([*head, *(f"{name} at 10, at 1" for name in ("location", "scale", "cells", "KS"))]), "|")
    print("|" + "---|" * (len(head) + 4))
    for name, draw in STREAMS.items():
        for size in SIZES:
            for line in measured(rng, draw, size, scale=scale):
                print("|", " | ".join([name, str(size), *line]), "|", flush=True)


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
