"""What only the inbox does: two streams in one sequence, dropping what is saved, surviving a store that fails."""

from collections.abc import Iterator

import pytest

from driftwatch.errors import StateError
from driftwatch.sources.inbox import InboxSource
from driftwatch.stream.raw import EVENT_STREAMS
from tests.fakes import FakeInbox, FakeInlet

PREDICTIONS, LABELS = EVENT_STREAMS


@pytest.fixture
def inbox() -> FakeInbox:
    """An inbox with a prediction, a label and a prediction: sequence numbers 1, 2, 3."""
    inbox = FakeInbox()
    for number, stream in enumerate([PREDICTIONS, LABELS, PREDICTIONS], start=1):
        inbox.append(stream, b"%d" % number, received_ms=1_000 + number)
    return inbox


@pytest.fixture
def start(inbox) -> Iterator:
    """Start sources on the inbox; whatever was started is stopped at the end."""
    started: list[InboxSource] = []

    def start(inlet: FakeInlet, positions: dict[str, int] | None = None) -> InboxSource:
        started.append(InboxSource(inbox))
        started[-1].start(inlet, positions or {})
        return started[-1]

    yield start
    for source in started:
        source.stop()


def test_streams_share_the_sequence(inbox, start):
    """Each stream has its own partition, and a position behind its own last row."""
    inlet = FakeInlet()
    start(inlet)
    inlet.wait_records(3)
    assert inlet.records("http/predictions") == [b"1", b"3"]
    assert inlet.records("http/labels") == [b"2"]
    assert inlet.positions() == {"http/predictions": 4, "http/labels": 3}


def test_receipt_stands_in_for_the_time(inbox, start):
    """Every body carries the time at which it was received, however late it is read."""
    inlet = FakeInlet()
    start(inlet)
    inlet.wait_records(3)
    (raw,) = [raw for raw in inlet.raws if raw.stream is PREDICTIONS]
    assert (raw.timestamps_ms, raw.received_ms) == ((1_001, 1_003), 1_003)


def test_saving_one_stream_drops_nothing_of_the_other(inbox, start):
    """Rows are dropped stream by stream."""
    inlet = FakeInlet()
    source = start(inlet)
    inlet.wait_records(3)
    source.commit({"http/predictions": 4})
    inlet.wait(lambda: [row.body for row in inbox.rows] == [b"2"], "the predictions to be dropped")


def test_rows_saved_before_a_crash_are_dropped(inbox, start):
    """Saved but not dropped, as when the process died in between: they are not read again, and go."""
    inlet = FakeInlet()
    start(inlet, {"http/predictions": 2})
    inlet.wait_records(2)
    assert sorted(inlet.records()) == [b"2", b"3"]
    inlet.wait(lambda: [row.body for row in inbox.rows] == [b"2", b"3"], "the saved row to be dropped")


def test_rows_are_dropped_while_the_inlet_is_full(inbox, start):
    """A full queue does not keep saved rows in the inbox."""
    inlet = FakeInlet()
    source = start(inlet)
    inlet.wait_records(3)
    inlet.fill()
    inbox.append(PREDICTIONS, b"4", received_ms=1_004)
    inlet.wait(lambda: inlet.refused > 0, "a refusal")
    source.commit({"http/predictions": 4, "http/labels": 3})
    inlet.wait(lambda: [row.body for row in inbox.rows] == [b"4"], "the saved rows to be dropped")


def test_a_failing_store_is_shown_and_waited_out(inbox, start, monkeypatch):
    """While the inbox cannot be read the source is not ready; afterwards nothing is missing."""
    read, failing = inbox.read, [True]

    def fail(*args, **kwargs):
        if failing[0]:
            raise StateError("the disk is gone")
        return read(*args, **kwargs)

    monkeypatch.setattr(inbox, "read", fail)
    inlet = FakeInlet()
    source = start(inlet)
    inlet.wait(lambda: "the disk is gone" in source.status().error, "the error")
    assert not source.status().ready
    failing[0] = False
    inlet.wait_records(3)
    inlet.wait(lambda: source.status().ready, "the source to be ready")
    assert inlet.records("http/predictions") == [b"1", b"3"]
