"""What windows are compared with, other than the file: cuts and restarts of the stream change none of it."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.monitor import Memory, Monitor, Outcome
from driftwatch.statistics.drift import Baseline
from driftwatch.stream.dimensions import UNDIVIDED
from driftwatch.stream.season import Season
from driftwatch.stream.windows import Windows, WindowSpec
from driftwatch.summaries.against import Against
from driftwatch.summaries.blocks import BlockCounter
from driftwatch.summaries.rolling import Rolling
from driftwatch.summaries.seasonal import Seasonal
from driftwatch.summaries.segment_profiles import SegmentCounter
from tests.monitors import (
    COUNTED,
    LAYOUT,
    MODEL,
    RULES,
    SLIDING,
    TUMBLING,
    Row,
    add,
    batch_of,
    play,
    remembered,
    restarted,
    said,
    streams,
)

_ROWS = batch_of([Row("reference", time, "0", (time // 30 + time) % 8, time % 2) for time in range(300)])


def _seasonal() -> Seasonal:
    counter = SegmentCounter(LAYOUT, UNDIVIDED, Season(60, 3))
    blocks = BlockCounter(LAYOUT, counter)
    blocks.add(_ROWS)
    assert counter.season is not None
    return Seasonal(counter.season, blocks.profile, first_ms=0, last_ms=299)


def _against(kind: str, form: WindowSpec) -> Against:
    if kind == "season":
        return _seasonal()
    panes = {"previous": (form.size or 0) // form.pane_ms, "rolling": 3, "long": 40}[kind]
    return Rolling(LAYOUT, period_ms=panes * form.pane_ms, pane_ms=form.pane_ms)


def _monitor(kind: str, form: WindowSpec) -> Monitor:
    counter = BlockCounter(LAYOUT)
    counter.add(_ROWS)
    evaluator = Evaluator(Baseline.of(LAYOUT, counter.profile), RULES)
    return Monitor(MODEL, windows=Windows(form), evaluator=evaluator, memory=Memory(against=_against(kind, form)))


def _known(target: Monitor) -> tuple[object, ...]:
    against = target.memory.against
    held = {
        group: repr(sorted((k, v.tobytes()) for k, v in each.arrays().items()))
        for group, each in against.held().items()
    }
    return *remembered(target), against.since, held


_FAST = WindowSpec.model_validate({"size": "4ms", "slide": "2ms", "lateness": "1ms", "keep": "6ms"})
KINDS = st.sampled_from(
    [
        *((kind, form) for kind in ("previous", "rolling", "season") for form in (TUMBLING, SLIDING)),
        ("long", _FAST),
        ("season", COUNTED),
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(KINDS, streams(), st.sets(st.integers(0, 60)))
def test_batches(kind: tuple[str, WindowSpec], arrivals: list, cut: set[int]) -> None:
    """The same arrivals in other batches are compared with the same, to the bit, and leave the same behind."""
    whole, pieces, single = (_monitor(*kind) for _ in range(3))
    expected = said(play(whole, arrivals))
    assert said(play(pieces, arrivals, cut=cut)) == expected
    assert said(play(single, arrivals, cut=range(len(arrivals)))) == expected
    assert said(pieces.finish()) == said(single.finish()) == said(whole.finish())
    assert _known(pieces) == _known(single) == _known(whole)


@settings(deadline=None, max_examples=30)
@given(KINDS, streams(ticks=False), st.sets(st.integers(1, 59), min_size=1, max_size=4))
def test_resume(kind: tuple[str, WindowSpec], arrivals: list[Row], stops: set[int]) -> None:
    """Any number of restarts changes no report and no memory; nothing is left in the store that nothing needs."""
    steady, target = _monitor(*kind), _monitor(*kind)
    expected = said(play(steady, arrivals))
    found, stored = Outcome(), {}
    for start, stop in pairwise([0, *sorted(stops), len(arrivals)]):
        add(found, play(target, arrivals[start:stop]))
        target = restarted(target, stored, _monitor(*kind))
        assert len(stored) == len(target.memory.panes) + len(target.memory.against.held())
    assert said(found) == expected
    assert _known(target) == _known(steady)
    assert said(target.finish()) == said(steady.finish())


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([("rolling", TUMBLING), ("long", _FAST)]), streams(ticks=False), st.integers(1, 50))
def test_crash(kind: tuple[str, WindowSpec], arrivals: list[Row], saved: int) -> None:
    """What was done since the last checkpoint is done again, compared with the same."""
    target, stored = _monitor(*kind), {}
    play(target, arrivals[:saved])
    resumed = restarted(target, stored, _monitor(*kind))
    before = said(play(target, arrivals[saved:]))
    assert said(play(resumed, arrivals[saved:])) == before
    assert _known(resumed) == _known(target)


@pytest.mark.parametrize("form", [TUMBLING, SLIDING])
def test_a_step_is_seen_until_it_is_the_past(form: WindowSpec) -> None:
    """Against the previous window a lasting change is one change; against the file it would never end."""
    size = form.size or 0
    rows = [Row("a", time, "1", time % 4 + 4 * (time >= 20 * size), 0) for time in range(40 * size)]
    reports = play(_monitor("previous", form), rows).reports
    changed = []
    for report in reports:
        value = next(
            each.value for each in report.readings if (each.column, each.statistic) == ("amount", "mean_shift")
        )
        if report.window.start_ms >= size and value > 1:
            changed.append(report.window)
    assert changed
    assert all(19 * size < each.start_ms < 21 * size for each in changed)
    assert {report.reference_rows for report in reports if report.window.start_ms >= size} == {size}


def test_all_versions_are_what_came_before() -> None:
    """A new version is compared with the rows of the one before it."""
    rows = [Row("a", time, "1" if time < 100 else "2", time % 8, 0) for time in range(200)]
    reports = play(_monitor("previous", TUMBLING), rows).reports
    first = next(report for report in reports if report.version == "2")
    assert (first.window.start_ms, first.reference_rows) == (100, 10)
    assert all(abs(each.value) < 1 for each in first.readings if each.statistic == "mean_shift")
