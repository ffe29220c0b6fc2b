"""The laws of cutting and resuming, of a model with a unique column; and what it counts, against a plain count."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.evaluation.report import Report
from driftwatch.evaluation.rules import RuleSpec
from driftwatch.kernels.hashing import hash_texts
from driftwatch.monitor import Memory, Monitor, Outcome
from driftwatch.quality.attendance import Attendance
from driftwatch.quality.repeats import Repeats
from driftwatch.statistics.drift import Baseline
from driftwatch.statistics.reading import Reading
from driftwatch.stream.batch import Batch, Hashes
from driftwatch.stream.windows import Windows, WindowSpec
from tests.monitors import (
    LAYOUT,
    MODEL,
    SPECS,
    Row,
    Tick,
    add,
    batch_of,
    play,
    remembered,
    restarted,
    said,
    streams,
)
from tests.strategies import profile_of

_BASELINE = Baseline.of(LAYOUT, profile_of(batch_of([Row("r", n, "0", n % 8, n % 2) for n in range(40)]), LAYOUT))
_RULE = RuleSpec.model_validate({"name": "twice", "statistic": "duplicates"})
_COLUMNS = ("order", "ticket")
capacities = st.sampled_from([2, 6, 1_000])


def order(row: Row) -> str:
    """The row's value of the first unique column, "" for none."""
    return f"{row.amount}/{row.time % 3}" if row.amount else ""


def hashed(values: list[str]) -> Hashes:
    """As decode gives them: 0 where there is none."""
    return np.where([bool(value) for value in values], hash_texts(values), np.uint64(0))


class Selling(Monitor):
    """A monitor of rows that have orders, and tickets of three countries."""

    def feed(self, batch: Batch, *, received_ms: int) -> Outcome:
        """Give each row the values that follow from it."""
        rows = zip(batch.times.tolist(), batch.numeric[0].astype(int).tolist(), strict=True)
        orders = hashed([order(Row("", time, "", amount, 0)) for time, amount in rows])
        tickets = hashed([str(country) for country in batch.categorical[0].tolist()])
        return super().feed(replace(batch, uniques=np.stack([orders, tickets])), received_ms=received_ms)


def selling(form: WindowSpec, *, most: int) -> Monitor:
    """A new monitor that remembers so many values."""
    windows = Windows(form)
    memory = Memory(attendance=Attendance(form, None, Repeats(_COLUMNS, windows, most=most)))
    return Selling(MODEL, windows=windows, evaluator=Evaluator(_BASELINE, [_RULE]), memory=memory)


def held(target: Monitor) -> tuple[object, ...]:
    """All that is remembered of values, however it is stored."""
    repeats = target.attendance.repeats
    assert repeats is not None
    piles = {
        key: (pile.level, sorted(pile.counts(pile.level)[0].tolist()), pile.counts(pile.level)[1])
        for key, pile in repeats._piles.items()
    }
    return repeats.repeated, repeats.held, piles


def known(target: Monitor) -> tuple[object, ...]:
    """All that a monitor knows."""
    return (*remembered(target), held(target))


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(SPECS), capacities, streams(), st.sets(st.integers(0, 60)))
def test_batches(form: WindowSpec, most: int, arrivals: list, cut: set[int]) -> None:
    """Where rows are cut into batches decides nothing, not even what is left out when memory is short."""
    whole, pieces, single = (selling(form, most=most) for _ in range(3))
    expected = said(play(whole, arrivals))
    assert said(play(pieces, arrivals, cut=cut)) == expected
    assert said(play(single, arrivals, cut=range(len(arrivals)))) == expected
    assert known(pieces) == known(single) == known(whole)
    assert said(pieces.finish()) == said(single.finish()) == said(whole.finish())


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(SPECS), capacities, streams(ticks=False), st.sets(st.integers(1, 59), min_size=1, max_size=4))
def test_resume(form: WindowSpec, most: int, arrivals: list, stops: set[int]) -> None:
    """Any number of restarts changes no report, no alert and no memory."""
    steady = selling(form, most=most)
    expected = play(steady, arrivals)
    target, found, stored = selling(form, most=most), Outcome(), dict[str, bytes]()
    for start, stop in pairwise([0, *sorted(stops), len(arrivals)]):
        add(found, play(target, arrivals[start:stop]))
        target = restarted(target, stored, selling(form, most=most))
    assert said(found) == said(expected)
    assert known(target) == known(steady)
    assert said(target.finish()) == said(steady.finish())


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(SPECS), streams(ticks=False, partitions="a"), st.sets(st.integers(1, 59), max_size=3))
def test_crash(form: WindowSpec, arrivals: list, stops: set[int]) -> None:
    """What was done since the last checkpoint is done again, to the same end, whatever was written before."""
    target, stored = selling(form, most=6), dict[str, bytes]()
    start = 0
    for stop in sorted(stops):
        play(target, arrivals[start:stop])
        resumed = restarted(target, stored, selling(form, most=6))
        again = said(play(target, arrivals[stop : stop + 9]))
        assert said(play(resumed, arrivals[stop : stop + 9])) == again
        assert known(resumed) == known(target)
        target, start = restarted(resumed, stored, selling(form, most=6)), stop + 9


def orders(report: Report) -> Reading:
    """What it says of the first column."""
    return next(each for each in report.readings if each.column == "order")


def ordered(arrivals: list[Row]) -> Iterator[Row]:
    """The same rows in the order of their times: none is late."""
    yield from sorted(arrivals, key=lambda row: row.time)


def repeats_in(report: Report, rows: list[Row], most: Mapping[str, int] | None = None) -> tuple[int, int]:
    """Rows of a window with a value, and those of them that repeat one, counted plainly; most: values to look at."""
    window = report.window
    values = Counter(
        order(row)
        for row in rows
        if row.version == report.version and window.start_ms <= row.time < window.end_ms and order(row)
        if most is None or order(row) in most
    )
    return sum(values.values()), sum(values.values()) - len(values)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(SPECS[:2]), streams(ticks=False, partitions="a"))
def test_plain_count(form: WindowSpec, arrivals: list[Row]) -> None:
    """The share is that of rows whose value came before in the window and version, and one is too many."""
    rows = list(ordered(arrivals))
    target = selling(form, most=1_000)
    outcome = play(target, rows)
    add(outcome, target.finish())
    for report in outcome.reports:
        found, (given_rows, again) = orders(report), repeats_in(report, rows)
        assert (found.status.value == "ok") == (given_rows > 0)
        if given_rows:
            assert found.value == again / given_rows
            assert found.beyond == (again > 0)
            assert found.at != found.at, "nothing was left out"


@settings(deadline=None, max_examples=40)
@given(streams(ticks=False, partitions="a"), st.integers(1, 8))
def test_sampled_count(arrivals: list[Row], most: int) -> None:
    """With less memory the share is that of some values, all rows of which count; it says of how many."""
    rows = list(ordered(arrivals))
    target = selling(SPECS[0], most=most)
    outcome = play(target, rows)
    for report in outcome.reports:
        found = orders(report)
        if found.status.value != "ok":
            continue
        level = 0 if found.at != found.at else int(str(found.at).split()[0].removeprefix("1/")).bit_length() - 1
        names = {order(row) for row in rows if order(row)}
        low = {name: 1 for name in names if not level or int(hashed([name])[0]) >> (64 - level) == 0}
        given_rows, again = repeats_in(report, rows, low)
        assert found.value == again / given_rows
    assert target.attendance.repeats is not None
    assert target.attendance.repeats.held <= most


def test_memory_recovers() -> None:
    """After a burst all values are looked at again, a power of two a window."""
    target = selling(SPECS[0], most=8)
    burst = [Row("a", n % 10, "1", 1 + n, n % 3) for n in range(60)]
    calm = [Row("a", 10 * window + 5, "1", 1, 0) for window in range(1, 30)]
    told = [orders(report).at for report in play(target, [*burst, *calm]).reports]
    assert str(told[0]).startswith("1/")
    assert told[-1] != told[-1]


def test_silence_by_the_clock() -> None:
    """Windows that close by the clock say the same."""
    target = selling(SPECS[0], most=100)
    outcome = play(target, [Row("a", 1, "1", 4, 0), Row("a", 4, "1", 4, 0), Tick(1), Tick(200), Tick(400)])
    assert [orders(report).value for report in outcome.reports] == [0.5]
    assert {step.column for step in outcome.transitions if step.state.value == "firing"} == {"order", "ticket"}


def test_saved() -> None:
    """Once a checkpoint is written the next one writes only what has changed since."""
    target = selling(SPECS[0], most=1_000)
    target.feed(batch_of([Row("a", 1, "1", amount, 0) for amount in range(1, 9)]), received_ms=0)
    repeats = target.attendance.repeats
    assert repeats is not None
    written = [chunk for chunk in repeats.changes().values() if chunk]
    assert len(written) == 3, "two columns, and that a value of one came again"
    target.saved()
    assert repeats.changes() == {}
    target.feed(batch_of([Row("a", 1, "1", 1, 0)]), received_ms=0)
    assert len([chunk for chunk in repeats.changes().values() if chunk]) == 2, "the long runs stay as they are"
