"""Prints the cost of the label join: `python -m tests.benchmarks.join [waiting predictions] [repeats]`.

Joins per second in batches of 512 and of 4096 with that many predictions waiting, beside a dictionary of Python that
does the same, timed in turn in the same run; bytes per prediction; the cost of remembering one; and what it takes to
read windows. CPU time of one core.
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from driftwatch.daemon.memory import collect_less_often
from driftwatch.stream.join.labels import LabelJoin
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.schema import Task

FORM = OutputForm(Task.BINARY, ("0", "1"))
BATCH, LARGE = 512, 4_096
MINUTE = 60_000
WINDOWS, PANES = 100, 20
"""Windows, and panes of each."""
JOINS = 1 << 19
"""Labels of one timed round."""


def main() -> None:
    """Time, and print."""
    waiting = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    ids, scores = events(waiting)
    before = resident_bytes()
    join = LabelJoin(FORM, capacity=waiting, waiting_capacity=waiting // 10)
    filling = fill(join, ids, scores)
    each = (resident_bytes() - before) / waiting
    print(f"{waiting:,} predictions: {each:.1f} bytes each resident, {join.nbytes / waiting:.1f} in a full ring")
    print(f"remember one, batches of {BATCH}: {filling:.2f} µs; at 1,000,000 with labels: {labelled():.2f} µs")
    collect_less_often()  # as `driftwatch run` does
    dictionary = {one: [score, 0, -1, 0] for one, score in zip(ids.tolist(), scores.tolist(), strict=True)}
    order = np.random.default_rng(1).permutation(waiting)
    rounds = []
    for number in range(repeats):
        some = np.take(order, np.arange(number * 2 * JOINS, (number + 1) * 2 * JOINS), mode="wrap")
        rounds.append(
            (
                cost(lambda ids=ids[some[:JOINS]]: label(join, ids, BATCH), JOINS),
                cost(lambda ids=ids[some[JOINS:]]: label(join, ids, LARGE), JOINS),
                cost(lambda ids=ids[some[:JOINS]]: label_dictionary(dictionary, ids), JOINS),
            )
        )
    report(f"join, batches of {BATCH}", [one for one, _, _ in rounds], [plain for _, _, plain in rounds])
    report(f"join, batches of {LARGE}", [one for _, one, _ in rounds], [plain for _, _, plain in rounds])
    for share in (1, WINDOWS // 10, WINDOWS):
        windows = [range(first * PANES * MINUTE, (first + 1) * PANES * MINUTE, MINUTE) for first in range(share)]
        spent = statistics.median(cost(lambda windows=windows: join.answers(windows), 1) for _ in range(repeats))
        print(f"read {share} of {WINDOWS} windows: {spent / 1000:.0f} ms")


def events(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids and scores."""
    generator = np.random.default_rng(0)
    return generator.integers(1, 2**64, count, dtype=np.uint64), generator.random(count)


def fill(join: LabelJoin, ids: np.ndarray, scores: np.ndarray) -> float:
    """Remember predictions; µs each."""
    panes = np.arange(ids.size) * WINDOWS * PANES // ids.size * MINUTE
    outputs = np.zeros(BATCH, dtype=FORM.outputs)
    outputs["value"] = np.nan

    def work() -> None:
        for start in range(0, ids.size, BATCH):
            some = slice(start, start + BATCH)
            rows = outputs[: ids[some].size]
            rows["score"] = scores[some]
            versions = np.zeros(rows.size, dtype=np.int32)
            join.predict(panes=panes[some], versions=versions, times=panes[some] + 5, ids=ids[some], outputs=rows)

    return cost(work, ids.size)


def labelled() -> float:
    """The same in a memory of a million, half full and half of that labelled; µs each."""
    ids, scores = events(1_000_000)
    join, half = LabelJoin(FORM, capacity=ids.size, waiting_capacity=ids.size), ids.size // 2
    fill(join, ids[:half], scores[:half])
    label(join, ids[: half // 2], LARGE)
    return fill(join, ids[half:], scores[half:])


def label(join: LabelJoin, ids: np.ndarray, batch: int) -> None:
    """Give a label to each id."""
    outcomes = np.zeros(batch, dtype=FORM.outcomes)
    outcomes["value"] = np.nan
    for start in range(0, ids.size, batch):
        some = ids[start : start + batch]
        join.label(
            times=np.full(some.size, 200 * MINUTE), ids=some, outcomes=outcomes[: some.size],
            cancelled=np.zeros(some.size, dtype=np.bool_),
        )  # fmt: skip


def label_dictionary(rows: dict[int, list], ids: np.ndarray) -> None:
    """The same with a dictionary from id to row."""
    for one in ids.tolist():
        row = rows.get(one)
        if row is not None:
            row[1], row[2], row[3] = 1, 0, 200 * MINUTE


def report(name: str, ours: list[float], plain: list[float]) -> None:
    """One line: medians of µs."""
    each = statistics.median(ours)
    ratio = statistics.median(other / one for one, other in zip(ours, plain, strict=True))
    print(f"{name}: {each:.2f} µs, {1e6 / each:,.0f} joins/s, {ratio:.2f} times a dictionary's speed")


def cost(work: Callable[[], object], times: int) -> float:
    """µs of CPU time, divided by `times`."""
    began = time.process_time()
    work()
    return (time.process_time() - began) / times * 1e6


def resident_bytes() -> int:
    """What the process holds in memory."""
    with open("/proc/self/statm") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * 4096


if __name__ == "__main__":
    main()
