"""The laws of the whole pipeline with labels: cutting, resuming, conservation, and what is final in the end."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.daemon.snapshot import encode
from driftwatch.monitor import Monitor, Outcome
from driftwatch.quality.standing import RECEIVED, WAITED
from driftwatch.stream.windows import WindowSpec
from tests.labelled import (
    NARROW,
    ROOM,
    Prediction,
    Verdict,
    assert_remembers,
    assert_said,
    monitor,
    play,
    quality_of,
    small,
    streams,
)
from tests.monitors import SPECS, Tick, add, remembered, restarted

places = st.sets(st.integers(0, 150))
capacities = st.sampled_from([ROOM, NARROW])


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    with small():
        yield


@settings(max_examples=40)
@given(st.sampled_from(SPECS), capacities, streams(), places)
def test_batches(form: WindowSpec, capacity: int, arrivals: list, cut: set[int]) -> None:
    """Where predictions and labels are cut into batches changes no report, revision, alert or memory."""
    check_batches([monitor(form, capacity=capacity) for _ in range(3)], arrivals, cut)


@settings(max_examples=4)
@given(st.sampled_from(SPECS), streams(), places)
def test_batches_with_every_metric(form: WindowSpec, arrivals: list, cut: set[int]) -> None:
    """The same with all readings of performance, to 1e-9."""
    check_batches([monitor(form, real=True) for _ in range(3)], arrivals, cut)


def check_batches(targets: list[Monitor], arrivals: list, cut: set[int]) -> None:
    """Feed them otherwise, each."""
    whole, pieces, single = targets
    expected = play(whole, arrivals)
    assert_said(play(pieces, arrivals, cut=cut), expected)
    assert_said(play(single, arrivals, cut=range(len(arrivals))), expected)
    for target in (pieces, single):
        assert remembered(target) == remembered(whole)
        assert_remembers(target, whole)
    last = whole.finish()
    assert_said(pieces.finish(), last)
    assert_said(single.finish(), last)


@settings(max_examples=40)
@given(st.sampled_from(SPECS), capacities, streams(), st.sets(st.integers(1, 149), min_size=1, max_size=4))
def test_resume(form: WindowSpec, capacity: int, arrivals: list, stops: set[int]) -> None:
    """Any number of restarts after any batch changes no report, no identity and no memory."""
    # Silence is measured anew after a restart, so no ticks from there on.
    first = min(stops)
    arrivals = [*arrivals[:first], *(arrival for arrival in arrivals[first:] if not isinstance(arrival, Tick))]
    steady = monitor(form, capacity=capacity)
    expected = play(steady, arrivals)
    target, found, stored = monitor(form, capacity=capacity), Outcome(), {}
    for start, stop in pairwise([0, *sorted(stops), len(arrivals)]):
        outcome = play(target, arrivals[start:stop])
        found.duplicate += outcome.duplicate
        add(found, outcome)
        target = restart(target, stored, capacity=capacity)
        assert_same_chunks(target, stored)
    assert_said(found, expected)
    assert remembered(target) == remembered(steady)
    assert_remembers(target, steady)
    assert_said(target.finish(), steady.finish())


@settings(max_examples=40)
@given(st.sampled_from(SPECS), capacities, streams(ticks=False), st.integers(1, 100), st.integers(1, 100))
def test_crash(form: WindowSpec, capacity: int, arrivals: list, saved: int, lost: int) -> None:
    """What was done since the last checkpoint is done again, to the same end."""
    target, stored = monitor(form, capacity=capacity), {}
    play(target, arrivals[:saved])
    resumed = restart(target, stored, capacity=capacity)
    again = play(target, arrivals[saved : saved + lost])
    assert_said(play(resumed, arrivals[saved : saved + lost]), again)
    assert remembered(resumed) == remembered(target)
    assert_remembers(resumed, target)


def restart(target: Monitor, stored: dict[str, bytes], *, capacity: int) -> Monitor:
    """Save as a checkpoint does, only what changed; forget the monitor; make one from what was saved."""
    assert encode(target) == encode(target), "a checkpoint that failed is written again"
    return restarted(target, stored, monitor(target.windows.spec, capacity=capacity))


def assert_same_chunks(resumed: Monitor, stored: dict[str, bytes]) -> None:
    """A monitor that has just been resumed has nothing to add to what it was made from but its head."""
    assert {name for name, chunk in encode(resumed).panes.items() if stored.get(name) != chunk} == set()


@settings(max_examples=40)
@given(st.sampled_from(SPECS), capacities, streams())
def test_conservation(form: WindowSpec, capacity: int, arrivals: list) -> None:
    """At every look predictions = labelled + waiting + expired + cancelled, and every label received counts once."""
    target = monitor(form, capacity=capacity)
    received = 0
    for arrival in arrivals:
        outcome = play(target, [arrival])
        received += isinstance(arrival, Verdict)
        check_reports(outcome)
        check_labels(target, received)
    check_reports(target.finish())
    check_labels(target, received)


def check_reports(outcome: Outcome) -> None:
    """By window and look."""
    for report in outcome.reports:
        told = report.arrivals
        if told is None:
            continue
        assert told.predictions == told.labelled + told.waiting + told.expired + told.cancelled
        assert 0 < told.predictions <= report.window.rows
        assert not (told.waiting and told.expired)
        assert (
            told.expired == 0
            if report.window.stage == "interim"
            else told.waiting == 0 or not told.labelled + told.cancelled
        )
        assert 0 < told.rate <= 1


def check_labels(target: Monitor, received: int) -> None:
    """All that came, and all of them that waited."""
    quality = quality_of(target)
    results = quality.standing.results
    assert sum(results[name] for name in RECEIVED) == received
    assert results["waiting"] == sum(results[name] for name in WAITED) + quality.join.waiting_labels
    assert all(count >= 0 for count in results.values())


@settings(max_examples=40)
@given(st.sampled_from(SPECS), streams(ticks=False, nameless=False))
def test_the_end(form: WindowSpec, arrivals: list) -> None:
    """When all is over, the last word of each window is what a dictionary says of its predictions."""
    target = monitor(form.model_copy(update={"keep": 1_000}), wait_ms=1_000)
    outcome = play(target, arrivals)
    add(outcome, target.finish())
    labels = verdicts(arrivals)
    if not labels:
        return
    last = {(report.window.start_ms, report.window.ordinal, report.version): report for report in outcome.reports}
    accepted = predictions(arrivals)
    for (start, ordinal, version), report in last.items():
        if form.rows is None:
            inside = [row for row in accepted if start <= row.row.time < report.window.end_ms]
        else:
            inside = accepted[ordinal * form.rows : (ordinal + 1) * form.rows]
        inside = [row for row in inside if row.row.version == version]
        said = Counter("none" if row.event not in labels else "cancelled" if labels[row.event] is None else "labelled"
                       for row in inside)  # fmt: skip
        told = report.arrivals
        assert report.window.stage == "final"
        assert (told.labelled, told.cancelled, told.waiting, told.expired) == (
            said["labelled"], said["cancelled"], 0, said["none"]
        )  # fmt: skip
        right = [(row.score >= 5) == labels[row.event] for row in inside if labels.get(row.event) is not None]
        accuracy = next(
            each for each in report.readings if (each.statistic, each.family) == ("accuracy", "performance")
        )
        assert accuracy.value == pytest.approx(sum(right) / len(right), abs=1e-9) if right else accuracy.value != 0


def predictions(arrivals: list) -> list[Prediction]:
    """Those that are not sent again, in order; with so long a `keep` none is late."""
    found = {(each.event, each.row.version): each for each in reversed(arrivals) if isinstance(each, Prediction)}
    return [each for each in arrivals if isinstance(each, Prediction) and found[each.event, each.row.version] is each]


def verdicts(arrivals: list) -> dict[int, int | None]:
    """Event → its label: the one with the latest time holds, of equal times the one that came last."""
    held: dict[int, tuple[int, int | None]] = {}
    for each in arrivals:
        if isinstance(each, Verdict) and (each.event not in held or each.time >= held[each.event][0]):
            held[each.event] = each.time, each.label
    return {event: label for event, (_, label) in held.items()}
