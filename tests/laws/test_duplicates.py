"""An event that is sent again, whenever and however often, changes nothing but the count of duplicates."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.evaluation.report import Report
from driftwatch.stream.batch import Batch
from tests.monitors import SPECS, Row, batch_of, monitor, remembered, rows


def identified(events: list[tuple[int, Row]]) -> Batch:
    """Rows of one partition with their ids."""
    batch = batch_of([row for _, row in events])
    return replace(batch, ids=np.array([identity for identity, _ in events], dtype=np.uint64))


def said(report: Report) -> dict:
    """A report but for the count of duplicates itself."""
    document = report.document()
    document["readings"] = [each for each in document["readings"] if each["statistic"] != "duplicates"]
    return document


@given(st.lists(rows("a"), min_size=1, max_size=40), st.data(), st.sampled_from(SPECS))
def test_sent_again(stream: list[Row], data, form) -> None:
    """Feed a stream with repetitions, in batches of any size, and the stream without: equal reports and memory."""
    events = list(enumerate(stream, start=1))
    again = data.draw(st.lists(st.sampled_from(range(len(events))), max_size=30))
    doubled: list[tuple[int, Row]] = []
    for place, event in enumerate(events):
        doubled.append(event)
        doubled += [events[other] for other in again if other == place or (other < place and other % 3 == place % 3)]
    once, twice = monitor(form), monitor(form)

    plain = once.feed(identified(events), received_ms=0)
    size = data.draw(st.integers(1, len(doubled)))
    outcomes = [
        twice.feed(identified(doubled[at : at + size]), received_ms=0) for at in range(0, len(doubled), size)
    ]  # fmt: skip

    assert sum(outcome.duplicate for outcome in outcomes) == len(doubled) - len(events)
    assert sum(outcome.accepted for outcome in outcomes) == plain.accepted
    assert sum(outcome.late for outcome in outcomes) == plain.late
    assert [said(r) for outcome in outcomes for r in outcome.reports] == [said(r) for r in plain.reports]
    assert remembered(twice) == remembered(once)


def test_another_version_is_no_duplicate() -> None:
    """A canary scores the same event again: both count, each for its version."""
    subject = monitor(SPECS[0])
    both = [(7, Row("a", 1, version, 1, 0)) for version in ("1", "2")]

    assert subject.feed(identified(both), received_ms=0).accepted == 2
    assert subject.feed(identified(both), received_ms=0).duplicate == 2


def test_events_without_id_are_all_counted() -> None:
    """Where no id is needed none is missed."""
    subject = monitor(SPECS[0])
    outcome = subject.feed(identified([(0, Row("a", 1, "1", 1, 0))] * 5), received_ms=0)

    assert (outcome.accepted, outcome.duplicate) == (5, 0)
