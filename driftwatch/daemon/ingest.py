"""HTTP bodies on their way in: judged at once for the answer, stored, and consumed later like any other stream."""

import threading
from collections.abc import Iterable
from http import HTTPStatus

from driftwatch.api.faults import Fault
from driftwatch.ports import Clock, Inbox, Receipt
from driftwatch.stream.decode import Decoder
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reader import Intake


class DurableIngest:
    """The Ingest on the inbox. Refused events are stored too: the engine counts them, once, where it counts all."""

    def __init__(self, inbox: Inbox, intakes: Iterable[Intake], *, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock
        # A decoder learns keys as it goes, so it is one thread's at a time; the engine has its own.
        self._decoder = Decoder(intakes)
        self._turn = threading.Lock()

    def accept(self, stream: Stream, body: bytes) -> Receipt:
        """Check and store a body; durable when this returns."""
        received_ms = self._clock()
        raw = Raw(stream, "http", f"http/{stream}", (body,), received_ms, 0)
        with self._turn:
            decoded = self._decoder.decode(raw)
        self._inbox.append(stream, body, received_ms=received_ms)
        rejected = tuple((rejection.index, rejection.reason.value) for rejection in decoded.rejected)
        return Receipt(decoded.received - len(rejected), rejected)


class ClosedIngest:
    """The Ingest of a service that has no HTTP source: whatever it took, nobody would ever count."""

    def accept(self, stream: Stream, _: bytes) -> Receipt:
        """Refuse; 200 would be a promise that is not kept."""
        raise Fault(
            HTTPStatus.NOT_FOUND,
            "no_http_source",
            f'this service takes no {stream} over HTTP; its configuration has no [[sources]] of type = "http"',
        )
