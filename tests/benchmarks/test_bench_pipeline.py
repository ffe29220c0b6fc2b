"""JSON bytes to closed windows on one core, stage by stage, beside a naive loop in the same run.

`pytest tests/benchmarks --benchmark-enable` times each stage; `python -m tests.benchmarks.pipeline` prints the table.
Without that option each runs once, as a test that it works.
"""

import pytest

from driftwatch.stream.batch import Batch
from tests.benchmarks.naive import naive
from tests.benchmarks.workload import Workload, make

EVENTS = 20_480


@pytest.fixture(scope="module")
def workload() -> Workload:
    return make(EVENTS)


@pytest.fixture(scope="module")
def batches(workload: Workload) -> list[Batch]:
    decoder = workload.decoder()
    return [decoder.decode(raw).batches["fraud"] for raw in workload.raws]


def test_decode(benchmark, workload):
    """Bytes to columns."""
    decoder = workload.decoder()
    found = benchmark(lambda: [decoder.decode(raw) for raw in workload.raws])

    assert sum(decoded.batches["fraud"].rows for decoded in found) == EVENTS


def test_whole(benchmark, workload):
    """Bytes to closed windows and judged rules."""
    reports = benchmark(lambda: run(workload))

    assert sum(report.window.rows for report in reports) == EVENTS


def test_naive(benchmark, workload):
    """The loop that one would write first: json, lists, numpy at the window's end."""
    windows = benchmark(lambda: naive(workload))

    assert sum(rows for rows, _ in windows) == EVENTS


def test_close(benchmark, workload, batches):
    """All statistics of all columns for one window."""
    baseline = workload.baseline()
    readings = benchmark(lambda: baseline.readings(workload.reference))

    assert {reading.column for reading in readings} >= {"f0", "c0", "score", "prediction"}


def run(workload):
    """Decode, count, close and judge everything."""
    decoder, monitor, reports = workload.decoder(), workload.monitor(), []
    for raw in workload.raws:
        batch = decoder.decode(raw).batches["fraud"]
        reports += monitor.feed(batch, received_ms=raw.received_ms).reports
    return reports + monitor.finish().reports
