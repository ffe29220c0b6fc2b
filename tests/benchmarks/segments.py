"""Prints what segments cost: `python -m tests.benchmarks.segments [rows] [repeats]`; figures of CPU time.

First counting, by the number of ways to divide rows, of 26 columns: beside the whole, per event. Then one pane of 1 000
segments and 100 columns: its memory while it is open and once it is packed, a checkpoint of it, and the close of its
window with all reports, as they are written.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from driftwatch.daemon.memory import collect_less_often
from driftwatch.evaluation.baselines import SegmentBaselines
from driftwatch.evaluation.defaults import default_rules
from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.evaluation.report import Report
from driftwatch.kernels.tallying import Division
from driftwatch.monitor import Monitor
from driftwatch.statistics.drift import Baseline
from driftwatch.stream.batch import Batch
from driftwatch.stream.dimensions import ByCategory, ByRange, Dimensions
from driftwatch.stream.schema import Column, Kind
from driftwatch.stream.windows import Windows, WindowSpec
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile, profiles
from driftwatch.summaries.segmented import Segmented, segment_numbers
from driftwatch.summaries.survey import NumericSurvey

MEMBERS, MANY = 10, 1_000
HOUR_MS = 3_600_000
BATCH = 4_096
SPEC = WindowSpec.model_validate({"size": "1h", "lateness": "10s", "keep": "1h"})


def made(rows: int, *, numeric: int, categorical: int, seed: int = 3) -> tuple[Layout, Batch]:
    """Rows of one hour, and the layout of their columns; the first category column has MANY values."""
    dice = np.random.default_rng(seed)
    words = [tuple(f"v{value}" for value in range(MANY if column == 0 else MEMBERS)) for column in range(categorical)]
    numbers = dice.normal(size=(numeric, rows))
    codes = np.stack([dice.integers(0, len(known), rows) for known in words]).astype(np.int32)
    survey = NumericSurvey(numeric)
    survey.add(numbers[:, :20_000], first_row=0)
    layout = build_layout(
        [Column(f"n{column}", Kind.NUMERIC) for column in range(numeric)],
        [Column(f"c{column}", Kind.CATEGORICAL, known) for column, known in enumerate(words)],
        survey,
    )
    times, zeros = np.arange(rows) * HOUR_MS // rows, np.zeros(rows, dtype=np.int32)
    return layout, Batch("p", times, np.zeros(rows, dtype=np.uint64), zeros, ("",), numbers, codes)


def monitor(layout: Layout, reference: Batch, dimensions: Dimensions) -> Monitor:
    """A monitor whose reference is these rows, of all of them and of each segment."""
    numbers = segment_numbers(dimensions, dimensions.codes(reference.numeric, reference.categorical))
    state = Segmented(layout, len(dimensions.segment_names))
    cells = np.zeros(reference.rows, dtype=np.int64)
    members = state.place(numbers, reference.times)
    (whole,) = profiles(reference, cells, count=1, layout=layout, division=Division(members, [state.tally]))
    parts = SegmentBaselines(layout, dimensions.segment_names, _Profiles(state))
    evaluator = Evaluator(Baseline.of(layout, whole), default_rules("none"), segments=parts)
    return Monitor("m", windows=Windows(SPEC), evaluator=evaluator, dimensions=dimensions)


class _Profiles(Sequence[Profile]):
    """The profiles of a state, made when they are asked for."""

    def __init__(self, state: Segmented) -> None:
        self._state = state

    def __len__(self) -> int:
        return self._state.count

    def __getitem__(self, number):
        return self._state.profile(number)


def seconds(work: Callable[[], object]) -> float:
    """CPU time."""
    began = time.process_time()
    work()
    return time.process_time() - began


def feed(target: Monitor, batch: Batch) -> None:
    """In batches as the Kafka source hands them over; nothing closes."""
    for start in range(0, batch.rows, BATCH):
        target.feed(batch.between(start, min(batch.rows, start + BATCH)), received_ms=0)


def counting(rows: int, repeats: int) -> None:
    """By the number of dimensions of ten members."""
    layout, batch = made(rows, numeric=21, categorical=5)
    edges = tuple(np.quantile(batch.numeric[0], np.linspace(0, 1, MEMBERS + 1)[1:-1]).tolist())
    vocabulary = layout.categorical[1].vocabulary
    ways = [
        ByCategory.of("c1", 1, vocabulary, kept=vocabulary[:-1]),
        ByRange("n0", 0, edges),
        ByCategory.of("c2", 2, vocabulary, kept=vocabulary[:-1]),
    ]
    costs: dict[int, list[float]] = {count: [] for count in range(4)}
    for _ in range(repeats):
        for count, found in costs.items():
            target = monitor(layout, batch, Dimensions(tuple(ways[:count])))
            found.append(seconds(lambda target=target: feed(target, batch)) / rows * 1e6)
    print(f"counting {rows} events of 26 columns; µs per event, median and least of {repeats}")
    for count, found in costs.items():
        print(f"  {count} dimensions: {statistics.median(found):6.2f} {min(found):6.2f}")


def crowded(rows: int) -> None:
    """One pane of a thousand segments."""
    layout, batch = made(rows, numeric=90, categorical=10)
    vocabulary = layout.categorical[0].vocabulary
    target = monitor(layout, batch, Dimensions((ByCategory.of("c0", 0, vocabulary, kept=vocabulary[:-1]),)))
    print(f"one pane of {MANY} segments, 100 columns and {rows} events")
    print(f"  counting         {seconds(lambda: feed(target, batch)) / rows * 1e6:8.2f} µs per event")
    opened, _ = target.segments.size_bytes
    print(f"  open             {opened / 1e6:8.1f} MB")
    print(f"  checkpoint       {seconds(target.segments.changes):8.2f} s, when every segment has changed")
    size = sum(len(chunk or b"") for chunk in target.segments.changes().values())
    reports: list[Report] = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"  window's close   {seconds(lambda: reports.extend(target.finish().reports)):8.2f} s")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1_000
    print(f"    memory         {grown:8.0f} MB more, reports and references together")
    print(f"    reports        {len(reports):8}")
    print(f"    readings       {sum(len(report.readings) for report in reports):8}")
    print(f"    written as     {seconds(lambda: [report.line() for report in reports]):8.2f} s")
    print(f"  packed           {target.segments.size_bytes[1] / 1e6:8.1f} MB ({size / rows / 100:.1f} bytes a value)")


def main() -> None:
    """Time, and print."""
    collect_less_often()  # as `driftwatch run` does
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    counting(rows, repeats)
    crowded(rows)


if __name__ == "__main__":
    main()
