"""A small binary monitor that joins labels, for tests of laws, and streams of predictions and labels to feed it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.evaluation.rules import RuleSpec
from driftwatch.monitor import Monitor, Outcome
from driftwatch.quality import binary
from driftwatch.quality.building import QualityTerms, make_quality, metrics_by_class
from driftwatch.quality.quality import Quality
from driftwatch.stream.answers import outcomes_of, outputs_of
from driftwatch.stream.batch import Batch, Labels
from driftwatch.stream.dimensions import ByCategory, ByRange, Dimensions
from driftwatch.stream.join import journal, remember, waiting
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.schema import Task
from driftwatch.stream.windows import Windows, WindowSpec
from tests import monitors
from tests.monitors import LAYOUT, MODEL, RULES, Row, Tick, add
from tests.quick_assessor import QuickAssessor
from tests.scenarios.journal import assert_same

DIMENSIONS = Dimensions(
    segments=(ByCategory.of("country", 0, ("DE", "FR"), kept=("DE", "FR")), ByRange("amount", 0, (2.0, 5.0))),
    protected=(ByCategory.of("country", 0, ("DE", "FR"), kept=("FR",)),),
)
FORM = OutputForm(Task.BINARY, ("0", "1"), groups=len(DIMENSIONS.all))
WAIT_MS = 30
"""As long as three windows; the streams below are three times as long as that."""
ROOM, NARROW = 10_000, 16
"""Capacities: for all predictions of a stream, and for some of them."""
_HASH = 0x9E3779B97F4A7C15
_RULES = tuple(
    RuleSpec.model_validate(rule)
    for rule in (
        {"name": "final", "metric": "accuracy", "below": 0.6, "min_rows": 2},
        {"name": "soon", "metric": "accuracy", "stage": "interim", "min_coverage": 0.3, "below": 0.5, "min_rows": 2},
        {"name": "promised", "metric": "accuracy", "stage": "estimated", "below": 0.6, "min_rows": 2, "for": 2},
    )
)
_EVALUATOR = Evaluator(monitors._EVALUATOR._baseline, (*RULES, *_RULES), metrics=metrics_by_class(FORM))


@dataclass(frozen=True)
class Prediction:
    """A row with an event, 0 for none, and a score in tenths."""

    row: Row
    event: int
    score: int

    @property
    def partition(self) -> str:
        return self.row.partition


@dataclass(frozen=True)
class Verdict:
    """A label; None where none will ever come."""

    partition: str
    time: int
    event: int
    label: int | None


Arrival = Prediction | Verdict | Tick


def monitor(form: WindowSpec, *, capacity: int = ROOM, wait_ms: int = WAIT_MS, real: bool = False) -> Monitor:
    """A new monitor that joins labels; real: with every metric, instead of one."""
    windows = Windows(form)
    quality = make_quality(FORM, LAYOUT, windows, QualityTerms(capacity, wait_ms, dimensions=DIMENSIONS))
    assert quality is not None
    if not real:
        quality.assessor = QuickAssessor()
    return Monitor(MODEL, windows=windows, evaluator=_EVALUATOR, quality=quality)


def quality_of(target: Monitor) -> Quality:
    """What it says of labels."""
    assert target.quality is not None
    return target.quality


def hashes(events: Iterable[int]) -> np.ndarray:
    """Ids of events as decode hashes them; 0 stays 0."""
    return np.array([event * _HASH % 2**64 for event in events], dtype=np.uint64)


def batch_of(members: Sequence[Prediction]) -> Batch:
    """Predictions of one partition as decode makes them."""
    scores = np.array([member.score / 10 for member in members])
    return replace(
        monitors.batch_of([member.row for member in members]),
        ids=hashes(member.event for member in members),
        outputs=outputs_of(FORM, {"score": scores}, len(members)),
    )


def labels_of(members: Sequence[Verdict]) -> Labels:
    """Labels of one partition as decode makes them."""
    codes = np.array([-1 if member.label is None else member.label for member in members])
    return Labels(
        partition=members[0].partition,
        times=np.array([member.time for member in members], dtype=np.int64),
        ids=hashes(member.event for member in members),
        outcomes=outcomes_of(FORM, {"label": codes}, len(members)),
        cancelled=codes < 0,
    )


def play(target: Monitor, arrivals: Iterable[Arrival], *, cut: Iterable[int] = ()) -> Outcome:
    """Feed arrivals in batches as long as can be, cut at the given places too."""
    total, cuts, now_ms, piece = Outcome(), set(cut), 0, 0
    marked = []
    for place, arrival in enumerate(arrivals):
        piece += place in cuts
        marked.append(((piece, type(arrival), place if isinstance(arrival, Tick) else arrival.partition), arrival))
    for _, group in groupby(marked, key=lambda pair: pair[0]):
        members: list[Any] = [arrival for _, arrival in group]
        if isinstance(members[0], Tick):
            now_ms = members[0].now_ms
            add(total, target.tick(now_ms=now_ms))
        elif isinstance(members[0], Verdict):
            target.label(labels_of(members), received_ms=now_ms)
        else:
            outcome = target.feed(batch_of(members), received_ms=now_ms)
            total.duplicate += outcome.duplicate
            add(total, outcome)
    return total


def assert_said(found: Outcome, expected: Outcome) -> None:
    """The same counts, reports in order with their revisions, and transitions; real numbers to 1e-9."""
    assert (found.accepted, found.late, found.duplicate) == (expected.accepted, expected.late, expected.duplicate)
    assert [step.identity for step in found.transitions] == [step.identity for step in expected.transitions]
    assert_same(
        [report.document() for report in found.reports], [report.document() for report in expected.reports]
    )  # fmt: skip


def assert_remembers(target: Monitor, expected: Monitor) -> None:
    """The same of predictions and labels: what is joined, waits and is still to be looked at."""
    ours, theirs = quality_of(target), quality_of(expected)
    assert ours.known.windows == theirs.known.windows
    assert ours.known.latest_ms == theirs.known.latest_ms
    assert ours.known.counting.results == theirs.known.counting.results
    assert ours.join.waiting_labels == theirs.join.waiting_labels
    assert ours.frontier.reach == theirs.frontier.reach
    assert _totals(ours) == _totals(theirs)
    assert ours.standing.coverage == theirs.standing.coverage
    assert ours.standing.rate == theirs.standing.rate


def _totals(quality: Quality) -> dict[str, Any]:
    names = {code: version for version, code in quality.known.codes.items()}
    return {names[code]: total for code, total in quality.join.totals().items()}


@contextmanager
def small() -> Iterator[None]:
    """Chunks of a few rows and estimates from a few labels, so that short streams go through every turn."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (journal, remember, waiting):
            patch.setattr(module, "CHUNK", 4)
        patch.setattr(binary, "LEAST_LABELS", 4)
        yield


@st.composite
def streams(draw, *, ticks: bool = True, nameless: bool = True) -> list[Arrival]:
    """Predictions as `monitors.streams` makes them, with labels among them that come early, late, twice or otherwise.

    ticks: the wall clock goes on. nameless: some events have no id.
    """
    found: list[Arrival] = []
    time, events = 0, 0
    for arrival in draw(monitors.streams(ticks=ticks)):
        if isinstance(arrival, Tick):
            found.append(arrival)
            continue
        time, events = max(time, arrival.time), events + 1
        luck = draw(st.integers(0, 19))
        event = 0 if nameless and luck == 0 else events - luck if luck in {1, 2} and events > luck else events
        found.append(Prediction(arrival, event, draw(st.integers(0, 10))))
        found += [
            Verdict(
                draw(st.sampled_from("lm")),
                time + draw(st.integers(-4, 12)),
                max(1, events + draw(st.integers(-12, 3))),
                draw(st.sampled_from([0, 1, 1, None])),
            )
            for _ in range(draw(st.integers(0, 2)))
        ]
    return found
