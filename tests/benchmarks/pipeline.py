"""Prints the table of stage costs: `python -m tests.benchmarks.pipeline [events] [repeats]`.

Every stage and the naive loop are timed in turn within each repeat, so that a noisy machine slows all of them alike;
medians of CPU time, ratios against the naive loop of the same run.
"""

import statistics
import sys
import time
from collections.abc import Callable

from driftwatch.daemon.memory import collect_less_often
from tests.benchmarks.naive import naive
from tests.benchmarks.test_bench_pipeline import run
from tests.benchmarks.workload import Workload, make

STATISTICS = "statistics of one window"


def main() -> None:
    """Time, and print."""
    collect_less_often()  # as `driftwatch run` does
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    workload, few = make(events), make(events // 10)
    rounds = [measure(workload, few) for _ in range(repeats)]
    print(f"{events} events in 24 windows, {repeats} repeats; µs of CPU time per event: median, least, greatest")
    for name in rounds[0]:
        values = [costs[name] for costs in rounds]
        print(f"{name:40} {statistics.median(values):9.2f} {min(values):9.2f} {max(values):9.2f}")
    whole = statistics.median(costs["whole"] for costs in rounds)
    ratio = statistics.median(costs["naive loop"] / costs["whole"] for costs in rounds)
    print(f"whole: {1e6 / whole:,.0f} events/s on one core, {ratio:.1f} times the naive loop")


def measure(workload: Workload, few: Workload) -> dict[str, float]:
    """One round: µs per event of each stage, and of the statistics per window."""
    decoder, monitor, windows, baseline = (
        workload.decoder(), workload.monitor(), workload.monitor().windows, workload.baseline(),
    )  # fmt: skip
    batches = [decoder.decode(raw).batches["fraud"] for raw in workload.raws]
    return {
        "decode": cost(lambda: [workload.decoder().decode(raw) for raw in workload.raws], workload.events),
        "windows": cost(
            lambda: [list(windows.place(b.times, b.partition, received_ms=0)) for b in batches], workload.events
        ),
        "windows, profiles, statistics, rules": cost(
            lambda: [monitor.feed(b, received_ms=0) for b in batches], workload.events
        ),
        STATISTICS: cost(lambda: [baseline.readings(workload.reference) for _ in range(20)], 20),
        "whole": cost(lambda: run(workload), workload.events),
        "naive loop": cost(lambda: naive(few), few.events),
    }


def cost(work: Callable[[], object], times: int) -> float:
    """µs of CPU time, divided by `times`."""
    began = time.process_time()
    work()
    return (time.process_time() - began) / times * 1e6


if __name__ == "__main__":
    main()
