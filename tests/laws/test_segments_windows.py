"""The laws of a monitor that divides its rows: cutting, resuming, conservation; what a change of segments leaves."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.daemon.snapshot import SEGMENTS
from driftwatch.evaluation.report import Report
from driftwatch.monitor import Monitor, Outcome
from driftwatch.stream.dimensions import ByRange, Dimensions
from driftwatch.stream.windows import WindowSpec
from tests.monitors import (
    DIVIDED,
    SLIDING,
    SPECS,
    TUMBLING,
    Row,
    add,
    dividing,
    interleaved,
    monitor,
    play,
    remembered,
    restarted,
    said,
    streams,
)

COUNTRY, AMOUNT = (dimension.members for dimension in DIVIDED.segments)


@settings(max_examples=12)
@given(st.sampled_from(SPECS), streams(), st.sets(st.integers(0, 60)))
def test_batches(form: WindowSpec, arrivals: list, cut: set[int]) -> None:
    """The same arrivals in other batches give the same reports of segments and the same state, to the bit."""
    whole, pieces, single = (dividing(form) for _ in range(3))
    expected = play(whole, arrivals)
    assert said(play(pieces, arrivals, cut=cut)) == said(expected)
    assert said(play(single, arrivals, cut=range(len(arrivals)))) == said(expected)
    assert said(pieces.finish()) == said(single.finish()) == said(whole.finish())
    assert remembered(pieces) == remembered(single) == remembered(whole)


@settings(max_examples=12)
@given(st.sampled_from([TUMBLING, SLIDING]), streams(ticks=False, partitions="abc"), st.data())
def test_interleavings(form: WindowSpec, arrivals: list[Row], data) -> None:
    """Announced partitions may interleave anyhow: the last word on each segment is the same."""
    order = data.draw(st.permutations([row.partition for row in arrivals]))
    as_it_is, woven = interleaved(lambda: dividing(form), arrivals, order)
    assert as_it_is == woven


@settings(max_examples=12)
@given(st.sampled_from(SPECS), streams())
def test_segments_add_up_and_change_nothing(form: WindowSpec, arrivals: list) -> None:
    """What is said of the whole is said as if nothing were divided; each dimension has all rows of each revision."""
    plain, divided = monitor(form), dividing(form)
    expected, found = play(plain, arrivals), play(divided, arrivals)
    add(expected, plain.finish())
    add(found, divided.finish())
    wholes = [report for report in found.reports if not report.segment]
    assert [report.line() for report in wholes] == [report.line() for report in expected.reports]
    parts: dict[tuple[object, ...], dict[str, int]] = {}
    for report in found.reports:
        parts.setdefault(place(report), {})[report.segment] = report.window.rows
    for rows in parts.values():
        for members in (COUNTRY, AMOUNT):
            assert sum(rows.get(name, 0) for name in members) == rows[""]
    assert all(report.window.rows for report in found.reports if report.segment)


def place(report: Report) -> tuple[object, ...]:
    """Which look at which window a report is of."""
    return report.version, report.window.start_ms, report.window.ordinal, report.revision


def restart(target: Monitor, stored: dict[str, bytes], dimensions: Dimensions = DIVIDED) -> Monitor:
    """Save what has changed, and make a monitor from all that was saved."""
    resumed = restarted(target, stored, dividing(target.windows.spec, dimensions))
    target.saved()
    return resumed


@settings(max_examples=12)
@given(st.sampled_from(SPECS), streams(ticks=False), st.sets(st.integers(1, 59), min_size=1, max_size=4))
def test_resume(form: WindowSpec, arrivals: list, stops: set[int]) -> None:
    """Any number of restarts changes no report, no identity and no memory; nothing stays of panes that are gone."""
    steady = dividing(form)
    expected = play(steady, arrivals)
    target, found, stored = dividing(form), Outcome(), {}
    for start, stop in pairwise([0, *sorted(stops), len(arrivals)]):
        add(found, play(target, arrivals[start:stop]))
        target = restart(target, stored)
        panes = {name for name in stored if not name.startswith(SEGMENTS)}
        assert {name for name in stored if name.startswith(SEGMENTS)} == {
            f"{SEGMENTS}{start}/0/{version}" for start, _, version in (name.partition("/") for name in panes)
        }
    assert said(found) == said(expected)
    assert remembered(target) == remembered(steady)
    assert said(target.finish()) == said(steady.finish())


@settings(max_examples=12)
@given(st.sampled_from(SPECS), streams(ticks=False), st.integers(1, 40))
def test_other_segments_begin_with_the_next_pane(form: WindowSpec, arrivals: list, stop: int) -> None:
    """What was divided otherwise is left out and deleted; the whole goes on; no report lacks a row of its window."""
    other = Dimensions((ByRange("amount", 0, (3.0,)),))
    target, stored = dividing(form), {}
    play(target, arrivals[:stop])
    before = restart(target, stored)
    changed = restart(target, stored, other)
    old = set(changed.memory.panes)
    assert all(changed.segments.window([key]) is None for key in old)
    expected, found = play(before, arrivals[stop:]), play(changed, arrivals[stop:])
    add(expected, before.finish())
    add(found, changed.finish())
    assert [each.line() for each in found.reports if not each.segment] == [
        each.line() for each in expected.reports if not each.segment
    ]
    rows: dict[tuple[object, ...], dict[str, int]] = {}
    for report in found.reports:
        rows.setdefault(place(report), {})[report.segment] = report.window.rows
    for each in rows.values():
        assert len(each) == 1 or sum(each.values()) == 2 * each[""]
    restart(changed, stored, other)
    assert {name for name in stored if name.startswith(SEGMENTS)} == {
        f"{SEGMENTS}{name}" for name in kept_chunks(changed)
    }


def kept_chunks(target: Monitor) -> set[str]:
    """The names of the chunks of all panes that are divided."""
    return {
        f"{start}/0/{version}"
        for start, version in target.memory.panes
        if target.segments.window([(start, version)]) is not None
    }


def test_a_segment_is_compared_with_its_own_past() -> None:
    """A window of the reference's own rows of one country differs from the whole, and from that country not at all."""
    target = dividing(TUMBLING)
    outcome = play(target, [Row("p", 5, "1", amount, 0) for amount in (0, 2, 4, 6) * 20])
    add(outcome, target.finish())
    (whole,) = (each for each in outcome.reports if not each.segment)
    (part,) = (each for each in outcome.reports if each.segment == "country=DE")
    values = {
        report.segment: next(
            each.value for each in report.readings if (each.column, each.statistic) == ("country", "tv")
        )
        for report in (whole, part)
    }
    assert values == {"": 0.5, "country=DE": 0.0}
    assert part.reference_rows == 20
    assert np.isclose(whole.reference_rows, 40)
