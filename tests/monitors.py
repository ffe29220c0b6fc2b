"""A small monitor for tests of laws, and streams of rows to feed it: all sums are exact, so that reports are too."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby

import numpy as np
from hypothesis import strategies as st

from driftwatch.daemon.snapshot import encode, resume
from driftwatch.evaluation.alerts import Cell
from driftwatch.evaluation.baselines import SegmentBaselines
from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.evaluation.report import Report
from driftwatch.evaluation.rules import RuleSpec
from driftwatch.monitor import Memory, Monitor, Outcome
from driftwatch.statistics.drift import Baseline
from driftwatch.stream.batch import Batch
from driftwatch.stream.dimensions import ByCategory, ByRange, Dimensions
from driftwatch.stream.schema import Column, Kind
from driftwatch.stream.windows import Progress, Windows, WindowSpec
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.segmented import segment_numbers
from driftwatch.summaries.survey import NumericSurvey
from tests.budgets import budgeted
from tests.strategies import profile_of, taken
from tests.timeline import spec

MODEL = "fraud"
TUMBLING = spec(size=10, lateness=3, idle_after=50, keep=15)
SLIDING = spec(size=20, slide=5, lateness=3, idle_after=50, keep=15)
COUNTED = WindowSpec(rows=7)
SPECS = (TUMBLING, SLIDING, COUNTED)


@dataclass(frozen=True)
class Row:
    """One prediction."""

    partition: str
    time: int
    version: str
    amount: int
    country: int


@dataclass(frozen=True)
class Tick:
    """The wall clock is read."""

    now_ms: int


Arrival = Row | Tick


def _layout() -> Layout:
    survey = NumericSurvey(1)
    survey.add(np.arange(8.0).repeat(5)[None, :], first_row=0)
    made = build_layout([Column("amount", Kind.NUMERIC)], [Column("country", Kind.CATEGORICAL, ("DE", "FR"))], survey)
    return replace(made, centre=np.zeros(1), scale=np.ones(1))  # sums of small integers are exact in any order


LAYOUT = _layout()


def batch_of(rows: Sequence[Row]) -> Batch:
    """Rows of one partition as decode makes them: versions named in the order of their rows."""
    names = tuple(dict.fromkeys(row.version for row in rows))
    return Batch(
        partition=rows[0].partition,
        times=np.array([row.time for row in rows], dtype=np.int64),
        ids=np.zeros(len(rows), dtype=np.uint64),
        versions=np.array([names.index(row.version) for row in rows], dtype=np.int32),
        version_names=names,
        numeric=np.array([[row.amount for row in rows]], dtype=np.float64),
        categorical=np.array([[row.country for row in rows]], dtype=np.int32),
    )


_REFERENCE = batch_of([Row("reference", n, "0", n % 8, n % 2) for n in range(40)])
RULES = tuple(
    RuleSpec.model_validate(rule)
    for rule in (
        {"name": "at once", "statistic": "psi", "above": 0.8, "min_rows": 1},
        {"name": "held", "statistic": "tv", "above": 0.4, "for": 2, "keep_for": 1, "min_rows": 3},
        {"name": "low", "statistic": "mean_shift", "below": -0.2, "judge": "adjusted", "for": 2, "min_rows": 2},
    )
)
_EVALUATOR = Evaluator(Baseline.of(LAYOUT, profile_of(_REFERENCE, LAYOUT)), RULES)
DIVIDED = Dimensions((ByCategory.of("country", 0, ("DE", "FR"), kept=("DE",)), ByRange("amount", 0, (2.0, 5.0))))
"""Each of its two dimensions has a place for every row."""


def monitor(form: WindowSpec, progress: Progress | None = None, memory: Memory | None = None) -> Monitor:
    """A monitor of the model, new or with what another one remembered."""
    return Monitor(MODEL, windows=Windows(form, progress), evaluator=_EVALUATOR, memory=memory)


def dividing(form: WindowSpec, dimensions: Dimensions = DIVIDED) -> Monitor:
    """A new monitor that reports segments, each compared with its own rows of the reference."""
    segments = SegmentBaselines(LAYOUT, dimensions.segment_names, _profiles_of(dimensions))
    baseline = Baseline.of(LAYOUT, profile_of(_REFERENCE, LAYOUT))
    evaluator = Evaluator(baseline, RULES, segments=segments)
    return Monitor(MODEL, windows=Windows(form), evaluator=evaluator, dimensions=dimensions)


def alarming(form: WindowSpec) -> Monitor:
    """A new monitor with segments whose one rule is the budgeted one, of a budget so large that little is enough."""
    reference, names = profile_of(_REFERENCE, LAYOUT), DIVIDED.segment_names
    rule = budgeted(LAYOUT, reference, allowed="20 per 1 windows", segments=len(names))
    segments = SegmentBaselines(LAYOUT, names, _profiles_of(DIVIDED), witness=rule.of_segment)
    evaluator = Evaluator(Baseline.of(LAYOUT, reference), (), segments=segments, budgeted=rule)
    return Monitor(MODEL, windows=Windows(form), evaluator=evaluator, dimensions=DIVIDED)


@cache
def _profiles_of(dimensions: Dimensions) -> tuple[Profile, ...]:
    codes = dimensions.codes(_REFERENCE.numeric, _REFERENCE.categorical)
    members = segment_numbers(dimensions, codes)
    numbers = range(len(dimensions.segment_names))
    return tuple(profile_of(taken(_REFERENCE, (members == number).any(axis=0)), LAYOUT) for number in numbers)


def play(target: Monitor, arrivals: Iterable[Arrival], *, cut: Iterable[int] = ()) -> Outcome:
    """Feed arrivals in batches as long as can be, cut at the given places too."""
    total, cuts, now_ms = Outcome(), set(cut), 0
    piece = 0
    marked = []
    for place, arrival in enumerate(arrivals):
        piece += place in cuts
        marked.append(((piece, arrival.partition if isinstance(arrival, Row) else place), arrival))
    for _, group in groupby(marked, key=lambda pair: pair[0]):
        members = [arrival for _, arrival in group]
        if isinstance(members[0], Tick):
            now_ms = members[0].now_ms
            add(total, target.tick(now_ms=now_ms))
        else:
            add(total, target.feed(batch_of(members), received_ms=now_ms))
    return total


def add(total: Outcome, outcome: Outcome) -> None:
    """Collect outcomes."""
    total.accepted += outcome.accepted
    total.late += outcome.late
    total.reports += outcome.reports
    total.transitions += outcome.transitions


def said(outcome: Outcome) -> tuple[object, ...]:
    """All that an outcome says, comparable: a NaN equals a NaN."""
    return outcome.accepted, outcome.late, [report.line() for report in outcome.reports], repr(outcome.transitions)


def remembered(target: Monitor) -> tuple[object, ...]:
    """All that a monitor knows, comparable."""
    memory = target.memory
    panes = {
        key: {name: array.tobytes() for name, array in pane.arrays().items()} for key, pane in memory.panes.items()
    }
    return (
        target.windows.progress,
        panes,
        memory.revisions,
        memory.touched,
        memory.issued,
        memory.alerts,
        memory.versions.known,
        memory.versions.first_ms,
        segments_held(target),
        detectors_held(target),
    )


def interleaved(make: Callable[[], Monitor], arrivals: Sequence[Row], order: Iterable[str]) -> list[tuple]:
    """What counts and last words are, of a stream as it is and with its partitions woven in another order."""
    lanes = {name: [row for row in arrivals if row.partition == name] for name in "abc"}
    woven = [lanes[name].pop(0) for name in order]
    outcomes = []
    for stream in (arrivals, woven):
        target = make()
        target.announce("abc", now_ms=0)
        outcome = play(target, stream)
        add(outcome, target.finish())
        outcomes.append((outcome.accepted, outcome.late, last_words(outcome.reports)))
    return outcomes


def restarted(target: Monitor, stored: dict[str, bytes], resumed: Monitor) -> Monitor:
    """Save as a checkpoint does, only what changed, and let a new monitor go on from what was saved."""
    snapshot = encode(target)
    for name, pane in snapshot.panes.items():
        stored.pop(name, None)
        if pane is not None:
            stored[name] = pane
    assert resume(resumed, snapshot.core, stored) == 0
    return resumed


def segments_held(target: Monitor) -> dict[object, object]:
    """The rows of segments of each pane, comparable."""
    found: dict[object, object] = {}
    for key in target.memory.panes:
        state = target.segments.window([key])
        if state is not None:
            profiles = {number: state.profile(number).arrays() for number in state.present}
            found[key] = {
                number: {name: array.tobytes() for name, array in arrays.items()} for number, arrays in profiles.items()
            }
    return found


def detectors_held(target: Monitor) -> dict[tuple[str, str], dict[str, bytes]]:
    """The detectors of slow change by version and segment, comparable to the bit."""
    found = {}
    for version in target.memory.versions.known:
        for segment in ("", *target.dimensions.segment_names):
            state = target.memory.detectors.of(Cell(MODEL, version, segment))
            if state is not None:
                found[version, segment] = {name: array.tobytes() for name, array in state.arrays().items()}
    return found


def last_words(reports: Iterable[Report]) -> dict[tuple[int, str, str], tuple[int, object]]:
    """What the highest revision of each window and segment says: rows and readings."""
    latest: dict[tuple[int, str, str], Report] = {}
    for report in reports:
        key = (report.window.start_ms, report.version, report.segment)
        if key in latest or not report.segment:  # a late row may be a segment's first
            assert report.revision == (latest[key].revision + 1 if key in latest else 1), "revisions count up"
        latest[key] = report
    return {key: (report.window.rows, repr(report.readings)) for key, report in latest.items()}


def rows(partitions: str = "ab") -> st.SearchStrategy[Row]:
    """Rows in any order within a short time."""
    return st.builds(
        Row,
        st.sampled_from(partitions),
        st.integers(0, 120),
        st.sampled_from(["1", "2"]),
        st.integers(0, 8),
        st.integers(0, 2),
    )


@st.composite
def streams(draw, *, ticks: bool = True, partitions: str = "ab") -> list[Arrival]:
    """Arrivals whose times go up on the whole, some early, some late, some far too late; ticks between them."""
    found: list[Arrival] = []
    time, now_ms = 0, 0
    # Long ones on the whole, for little happens in a few rows; short ones to be readable once one fails.
    for row in draw(st.lists(rows(partitions), min_size=draw(st.sampled_from([1, 20, 40])), max_size=60)):
        time += row.time % 6
        shift = {0: -60, 1: -20, 2: -14}.get(row.time % 16, row.time % 9 - 6)
        found.append(replace(row, time=time + shift))
        if ticks and row.time % 10 == 9:
            now_ms += row.time
            found.append(Tick(now_ms))
    return found
