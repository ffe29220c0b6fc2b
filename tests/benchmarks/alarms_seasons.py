"""Prints how often a window is called changed beside its season: `python -m tests.benchmarks.alarms_seasons [columns]`.

The one p-value of the abrupt test of windows that are compared with their own slots of a week of 168 hours, as the
service compares them: rows taken as independent, told of over-dispersion by all that rows vary (season included), and
by what their season leaves. Null streams of four rows an hour, so many columns (200 unless told), each with a
reference of its own and 20 windows of each length from what follows. Per 1 000 window-columns at 10 and at 1.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from driftwatch.statistics.abrupt import Abrupt
from driftwatch.stream.batch import Batch
from driftwatch.stream.dimensions import UNDIVIDED
from driftwatch.stream.schema import Column, Kind
from driftwatch.stream.season import WEEK_MS, Season
from driftwatch.summaries.blocks import BlockCounter
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.coarsening import cuts_of
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.pyramid import Pyramid
from driftwatch.summaries.pyramid_counter import PyramidCounter
from driftwatch.summaries.pyramid_season_counter import season_pyramid
from driftwatch.summaries.seasonal import Seasonal
from driftwatch.summaries.segment_profiles import SegmentCounter
from driftwatch.summaries.survey import NumericSurvey
from tests.benchmarks.alarms_dispersion import autoregressive, independent, sessions

HOURS = Season(WEEK_MS, 168)
STEP_MS = 900_000
PERIOD = WEEK_MS // STEP_MS
BEGIN_MS = 4 * 86_400_000
REPEATS = 20
_BLOCK = 50

Drawn = Callable[[np.random.Generator, int, int], np.ndarray]


def seasonal(noise: Drawn, *, amplitude: float = 1.0) -> Drawn:
    """A day's wave and a quieter weekend over noise of variance 1."""

    def drawn(rng: np.random.Generator, columns: int, rows: int) -> np.ndarray:
        at = np.arange(rows)
        wave = np.sin(2 * np.pi * (at / (PERIOD / 7) + rng.random((columns, 1)))) + (at % PERIOD >= PERIOD * 5 // 7)
        return noise(rng, columns, rows) + amplitude * wave

    return drawn


def days(rng: np.random.Generator, columns: int, rows: int) -> np.ndarray:
    """Days differ by more than their rows do, and one resembles the next, as weather does."""
    each = rows // (PERIOD // 7) + 1
    return np.repeat(autoregressive(rng, columns, each, 0.6), PERIOD // 7, axis=1)[:, :rows] + rng.normal(
        size=(columns, rows)
    )


STREAMS = {
    "season, independent": seasonal(independent),
    "strong season, independent": seasonal(independent, amplitude=4.0),
    "season, AR(0.9)": seasonal(autoregressive),
    "season, sessions": seasonal(sessions),
    "season, days alike": seasonal(days),
    "strong season, days alike": seasonal(days, amplitude=4.0),
    "no season, independent": independent,
}
KINDS = ("independent", "all", "beside")


def batch_of(values: np.ndarray, first: int) -> Batch:
    """Rows from the `first` on, one every STEP_MS."""
    rows = values.shape[1]
    nothing = np.zeros(rows, dtype=np.int32)
    times = BEGIN_MS + STEP_MS * np.arange(first, first + rows, dtype=np.int64)
    return Batch("t/0", times, nothing.astype(np.uint64), nothing, ("",), values, np.zeros((0, rows), dtype=np.int32))


def counted(values: np.ndarray) -> tuple[Layout, Pyramid, Seasonal]:
    """What a reference of these rows (columns, rows) holds."""
    survey = NumericSurvey(len(values))
    survey.add(values, first_row=0)
    layout = build_layout([Column(f"n{place}", Kind.NUMERIC) for place in range(len(values))], [], survey)
    segments, batch, rows = SegmentCounter(layout, UNDIVIDED, HOURS), batch_of(values, 0), values.shape[1]
    cuts = cuts_of(layout, survey.excerpt(8192))
    counter, pyramid = BlockCounter(layout, segments), PyramidCounter(layout, cuts, rows=rows)
    counter.add(batch)
    pyramid.add(batch)
    parts, whole = segments.season, counter.profile
    assert parts is not None
    made = replace(pyramid.pyramid, apart=season_pyramid([batch], parts, cuts, rows=rows))
    return layout, made, Seasonal(parts, whole, first_ms=whole.first_ms, last_ms=whole.last_ms)


def p_values(
    rng: np.random.Generator, draw: Drawn, *, columns: int, weeks: int, windows: tuple[int, ...]
) -> Iterator[tuple[int, str, np.ndarray]]:  # fmt: skip
    """Window length, which rows are believed to depend how, and the p-values of some windows."""
    rows = weeks * PERIOD
    for _ in range(max(1, columns // _BLOCK)):
        values = draw(rng, min(columns, _BLOCK), rows + 500 + 20 * max(windows))
        layout, pyramid, against = counted(values[:, :rows])
        for window in windows:
            for begin in rng.integers(rows + 500, values.shape[1] - window, REPEATS).tolist():
                seen = BlockCounter(layout)
                seen.add(batch_of(values[:, begin : begin + window], begin))
                start_ms = BEGIN_MS + STEP_MS * begin
                reference = against.of(start_ms, start_ms + STEP_MS * window)
                over = {
                    "independent": None,
                    "all": pyramid.over,
                    "beside": partial(pyramid.over_season, reference_rows=reference.rows),
                }
                for kind in KINDS:
                    yield window, kind, Abrupt.of(layout, reference, over[kind]).p_values(seen.profile)


def main(columns: int = 200) -> None:
    """Print the table."""
    windows = (24, 96, 672)
    print("| stream | weeks | window | " + " | ".join(KINDS) + " |")
    print("|---|---:|---:|" + "---:|" * len(KINDS))
    for place, (stream, draw) in enumerate(STREAMS.items()):
        for weeks in (8, 52):
            found: dict[tuple[int, str], list[np.ndarray]] = {}
            for window, kind, values in p_values(
                np.random.default_rng([7, place]), draw, columns=columns, weeks=weeks, windows=windows
            ):
                found.setdefault((window, kind), []).append(values)
            for window in windows:
                rates = [
                    "{:.1f} · {:.2f}".format(
                        *(1000 * np.mean(np.array(found[window, kind]) <= at) for at in (0.01, 0.001))
                    )
                    for kind in KINDS
                ]
                print(f"| {stream} | {weeks} | {window} | " + " | ".join(rates) + " |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
