"""The laws of cutting and resuming, of a model whose reference knows how many rows to expect when."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.evaluation.rules import RuleSpec
from driftwatch.monitor import Memory, Monitor, Outcome
from driftwatch.quality.attendance import Attendance
from driftwatch.statistics.drift import Baseline
from driftwatch.statistics.traffic import Usual
from driftwatch.stream.windows import Windows, WindowSpec
from driftwatch.summaries.rhythm import HOUR_MS, HOURS
from tests.monitors import (
    LAYOUT,
    MODEL,
    SLIDING,
    TUMBLING,
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

_ROWS_A_MS = 4
_USUAL = Usual(np.full(HOURS, float(_ROWS_A_MS * HOUR_MS)), np.zeros(HOURS))
_BASELINE = Baseline.of(LAYOUT, profile_of(batch_of([Row("r", n, "0", n % 8, n % 2) for n in range(40)]), LAYOUT))
_RULES = [RuleSpec.model_validate({"name": check, "statistic": check}) for check in ("volume", "freshness")]


def watched(form: WindowSpec) -> Monitor:
    """A new monitor that expects 40 rows in every 10 ms."""
    memory = Memory(attendance=Attendance(form, _USUAL))
    return Monitor(MODEL, windows=Windows(form), evaluator=Evaluator(_BASELINE, _RULES), memory=memory)


def known(target: Monitor) -> tuple[object, ...]:
    """All that a monitor knows, its attendance too."""
    return (*remembered(target), target.attendance.attended)


def restart(target: Monitor, stored: dict[str, bytes]) -> Monitor:
    """Go on from a checkpoint."""
    return restarted(target, stored, watched(target.windows.spec))


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([TUMBLING, SLIDING]), streams(), st.sets(st.integers(0, 60)))
def test_batches(form: WindowSpec, arrivals: list, cut: set[int]) -> None:
    """Windows without rows are reported at the same place among the others, whatever the batches."""
    whole, pieces = watched(form), watched(form)
    expected = said(play(whole, arrivals))
    assert said(play(pieces, arrivals, cut=cut)) == expected
    assert said(pieces.finish()) == said(whole.finish())
    assert known(pieces) == known(whole)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([TUMBLING, SLIDING]), streams(ticks=False), st.sets(st.integers(1, 59), min_size=1, max_size=4))
def test_resume(form: WindowSpec, arrivals: list, stops: set[int]) -> None:
    """Any number of restarts changes no report, no alert and no memory."""
    steady = watched(form)
    expected = play(steady, arrivals)
    target, found, stored = watched(form), Outcome(), {}
    for start, stop in pairwise([0, *sorted(stops), len(arrivals)]):
        add(found, play(target, arrivals[start:stop]))
        target = restart(target, stored)
    assert said(found) == said(expected)
    assert known(target) == known(steady)
    assert said(target.finish()) == said(steady.finish())


@pytest.mark.parametrize("form", [TUMBLING, SLIDING])
def test_a_stream_that_stops(form: WindowSpec) -> None:
    """Windows go on to close by the clock: the first empty one fires, and rows resolve it."""
    target = watched(form)
    full = [Row("a", n // _ROWS_A_MS, "1", n % 8, 0) for n in range(200 * _ROWS_A_MS)]
    outcome = play(target, [*full, Tick(1), *(Tick(1 + 50 + ms) for ms in range(1, 120))])
    empty = [report for report in outcome.reports if not report.window.rows]
    assert empty
    assert all(report.version == "1" for report in empty)
    begun = {(each.rule, each.state.value) for each in outcome.transitions}
    assert begun == {("volume", "firing"), ("freshness", "firing")}
    later = target.feed(batch_of([Row("a", 400 + n // _ROWS_A_MS, "1", n % 8, 0) for n in range(400)]), received_ms=300)
    ended = {(each.rule, each.state.value) for each in later.transitions}
    assert ended == {("volume", "resolved"), ("freshness", "resolved")}
