"""Resume law: stop after any batch, restore what was saved, replay the rest: nothing tells the difference."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.monitor import Monitor, Outcome
from driftwatch.stream.windows import WindowSpec
from tests.monitors import SPECS, Row, add, monitor, play, remembered, restarted, said, streams


def restart(target: Monitor, stored: dict[str, bytes]) -> Monitor:
    """Save as a checkpoint does, only what changed; forget the monitor; make one from what was saved."""
    return restarted(target, stored, monitor(target.windows.spec))


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(SPECS), streams(), st.sets(st.integers(1, 59), min_size=1, max_size=4))
def test_resume(form: WindowSpec, arrivals: list, stops: set[int]) -> None:
    """Any number of restarts changes no report, no identity and no memory."""
    # Silence is measured anew after a restart, so no ticks from there on.
    first = min(stops)
    arrivals = [*arrivals[:first], *(arrival for arrival in arrivals[first:] if isinstance(arrival, Row))]
    steady = monitor(form)
    expected = play(steady, arrivals)
    target, found, stored = monitor(form), Outcome(), {}
    ends = [0, *sorted(stops), len(arrivals)]
    for start, stop in pairwise(ends):
        add(found, play(target, arrivals[start:stop]))
        target = restart(target, stored)
        assert len(stored) == len(target.memory.panes)
    assert said(found) == said(expected)
    assert remembered(target) == remembered(steady)
    assert said(target.finish()) == said(steady.finish())


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(SPECS), streams(ticks=False), st.integers(1, 50), st.integers(1, 50))
def test_crash(form: WindowSpec, arrivals: list[Row], saved: int, lost: int) -> None:
    """What was done since the last checkpoint is done again, with the same identities."""
    target, stored = monitor(form), {}
    play(target, arrivals[:saved])
    resumed = restart(target, stored)
    before = play(target, arrivals[saved : saved + lost])
    assert said(play(resumed, arrivals[saved : saved + lost])) == said(before)
    assert remembered(resumed) == remembered(target)
