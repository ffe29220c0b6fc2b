"""The laws of the budgeted rule: its alerts and its detectors of slow change, of versions and segments."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.daemon.snapshot import SLOW
from driftwatch.evaluation.alerts import State
from driftwatch.evaluation.budget import NAME
from driftwatch.monitor import Monitor, Outcome
from driftwatch.statistics.evidence import ABRUPT
from driftwatch.statistics.evidence import SLOW as SLOW_READING
from driftwatch.statistics.reading import Reading, Status
from driftwatch.stream.windows import WindowSpec
from tests.monitors import (
    SLIDING,
    SPECS,
    TUMBLING,
    Row,
    add,
    alarming,
    detectors_held,
    last_words,
    play,
    remembered,
    restarted,
    said,
    streams,
)

DRIFTED = [Row("a", time, "12"[time % 2], 7, 1) for time in range(200)]
"""Two versions whose numbers and words are always the same."""


def restart(target: Monitor, stored: dict[str, bytes]) -> Monitor:
    """Save what has changed, and make a monitor from all that was saved."""
    resumed = restarted(target, stored, alarming(target.windows.spec))
    target.saved()
    return resumed


@pytest.mark.parametrize("form", [TUMBLING, SLIDING])
def test_the_laws_are_about_something(form: WindowSpec) -> None:
    """Of rows that have drifted, the monitor of these laws tells: of both versions, all rows and segments."""
    target = alarming(form)
    outcome = play(target, DRIFTED)
    fired = {(step.version, step.segment) for step in outcome.transitions if step.state is State.FIRING}
    assert {step.rule for step in outcome.transitions} == {NAME}
    assert fired >= {("1", ""), ("2", "")}
    assert any(segment for _, segment in fired)
    slow = [each for report in outcome.reports for each in report.readings if each.statistic == SLOW_READING]
    assert any(each.beyond for each in slow)
    assert {version for version, _ in detectors_held(target)} == {"1", "2"}


@settings(max_examples=12)
@given(st.sampled_from(SPECS), streams(), st.sets(st.integers(0, 60)))
def test_batches(form: WindowSpec, arrivals: list, cut: set[int]) -> None:
    """The same arrivals in other batches give the same reports, transitions and detectors, to the bit."""
    whole, pieces, single = (alarming(form) for _ in range(3))
    expected = play(whole, arrivals)
    assert said(play(pieces, arrivals, cut=cut)) == said(expected)
    assert said(play(single, arrivals, cut=range(len(arrivals)))) == said(expected)
    assert remembered(pieces) == remembered(single) == remembered(whole)
    assert said(pieces.finish()) == said(single.finish()) == said(whole.finish())
    assert remembered(pieces) == remembered(single) == remembered(whole)


@settings(max_examples=12)
@given(st.sampled_from([TUMBLING, SLIDING]), streams(ticks=False, partitions="abc"), st.data())
def test_interleavings(form: WindowSpec, arrivals: list[Row], data) -> None:
    """The last word on a window's rows does not depend on how partitions interleave.

    What the detector of slow change had seen by then may, and so may a share: of versions some are late.
    """
    lanes = {name: [row for row in arrivals if row.partition == name] for name in "abc"}
    woven = [lanes[name].pop(0) for name in data.draw(st.permutations([row.partition for row in arrivals]))]
    last = []
    for stream in (arrivals, woven):
        target = alarming(form)
        target.announce("abc", now_ms=0)
        outcome = play(target, stream)
        add(outcome, target.finish())
        last.append(by_key(outcome))
    as_it_is, woven_anew = last
    assert as_it_is == woven_anew


def by_key(outcome: Outcome) -> dict:
    """What the last revision of each window and segment says of its rows alone."""
    latest = {}
    last_words(outcome.reports)
    for report in outcome.reports:
        key = (report.window.start_ms, report.version, report.segment)
        latest[key] = (
            report.window.rows,
            repr([_of_rows_alone(each) for each in report.readings if each.statistic != SLOW_READING]),
            report.drifting,
        )
    return latest


def _of_rows_alone(reading: Reading) -> Reading:
    if reading.statistic not in {"tv", ABRUPT}:
        return reading
    value = reading.value if reading.statistic == "tv" else 0.0  # the evidence is not shown of a window that is blind
    return reading._replace(value=value, status=Status.OK, limit=0.0, mde=0.0, beyond=False)


@settings(max_examples=12)
@given(st.sampled_from(SPECS), streams(ticks=False), st.sets(st.integers(1, 59), min_size=1, max_size=4))
def test_resume(form: WindowSpec, arrivals: list, stops: set[int]) -> None:
    """Any number of restarts changes no report, no identity and no detector; none is kept of a version that is gone."""
    steady = alarming(form)
    expected = play(steady, arrivals)
    target, found, stored = alarming(form), Outcome(), {}
    for start, stop in pairwise([0, *sorted(stops), len(arrivals)]):
        add(found, play(target, arrivals[start:stop]))
        target = restart(target, stored)
        assert len([name for name in stored if name.startswith(SLOW)]) == len(detectors_held(target))
    assert said(found) == said(expected)
    assert remembered(target) == remembered(steady)
    assert said(target.finish()) == said(steady.finish())


@settings(max_examples=12)
@given(st.sampled_from(SPECS), streams(ticks=False), st.integers(1, 50), st.integers(1, 50))
def test_crash(form: WindowSpec, arrivals: list[Row], saved: int, lost: int) -> None:
    """What was done since the last checkpoint is done again, from detectors as they stood at it."""
    target, stored = alarming(form), {}
    play(target, arrivals[:saved])
    resumed = restart(target, stored)
    before = play(target, arrivals[saved : saved + lost])
    assert said(play(resumed, arrivals[saved : saved + lost])) == said(before)
    assert remembered(resumed) == remembered(target)
