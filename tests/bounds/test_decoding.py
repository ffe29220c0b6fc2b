"""What an event that is of no use costs while it is refused: the figure that the size of a batch is chosen by."""

import tracemalloc

import pytest

from driftwatch.config import load
from driftwatch.daemon.watch import load_watches
from driftwatch.sources.portions import further_events
from driftwatch.stream.counting import MAX_EVENTS
from driftwatch.stream.decode import Decoder
from driftwatch.stream.raw import Raw, Stream
from tests.bounds.load import MEBIBYTE
from tests.scenarios import events
from tests.scenarios.fixtures import configure, reference

__all__ = ["configure", "reference"]

EVENTS = 4_000
COLUMN = b'{"model": "%s", "columns": {"features.amount": [' % events.MODEL.encode()
FORMS = {
    "an array of objects": b"[" + b",".join([b"{}"] * EVENTS) + b"]",
    "an array of numbers": b"[" + b",".join([b"1"] * EVENTS) + b"]",
    "an array with NaN": b"[" + b",".join([b"NaN"] * EVENTS) + b"]",
    "lines": b"\n".join([b"{}"] * EVENTS),
    "lines with NaN": b"\n".join([b'{"a": NaN}'] * EVENTS),
    "lines that are no JSON": b"\n".join([b"{a}"] * EVENTS),
    "columns": COLUMN + b",".join([b"1"] * EVENTS) + b"]}}",
}


@pytest.mark.parametrize("form", FORMS)
def test_the_smallest_events_of_one_batch_fit_into_memory(configure, form):
    """At most 48 MiB for the events of one Raw, in the form that is dearest."""
    decoder = Decoder([watch.intake() for watch in load_watches(load(configure()))])
    raw = Raw(Stream.PREDICTIONS, "http", "http/predictions", (FORMS[form],), 0, 1)
    decoder.decode(raw)  # what it learns is not an event's
    tracemalloc.start()
    try:
        decoded = decoder.decode(raw)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert decoded.received == len(decoded.rejected) == EVENTS <= 1 + further_events(FORMS[form])
    assert most / EVENTS * MAX_EVENTS <= 48 * MEBIBYTE
