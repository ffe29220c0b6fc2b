"""HTTP bodies on their way in: judged at once for the answer, stored, and consumed later like any other stream."""

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from driftwatch.api.faults import Fault
from driftwatch.api.refusals import Refusal
from driftwatch.ports.answers import Receipt
from driftwatch.ports.streams import Clock, Inbox, Keyed, Repeated
from driftwatch.stream.decode import Decoder, events_of
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reader import Intake
from driftwatch.stream.reject import Reject


@dataclass(frozen=True, slots=True)
class BodyBounds:
    """What one body may hold: values are counted as commas and lines, before anything is made of them."""

    max_values: int = 500_000
    max_events: int = 50_000


class DurableIngest:
    """The Ingest on the inbox. Refused events are stored too: the engine counts them, once, where it counts all."""

    def __init__(
        self, inbox: Inbox, intakes: Iterable[Intake], *, clock: Clock, bounds: BodyBounds | None = None
    ) -> None:
        self._inbox = inbox
        self._clock = clock
        self._bounds = bounds or BodyBounds()
        # A decoder learns keys as it goes, so it is one thread's at a time; the engine has its own.
        self._decoder = Decoder(intakes)
        self._turn = threading.Lock()

    def replace(self, intake: Intake) -> None:
        """Judge the events of one of the models otherwise from now on."""
        with self._turn:
            self._decoder.replace(intake)

    def accept(self, stream: Stream, body: bytes, *, key: str = "") -> Receipt:
        """Check and store a body; durable when this returns.

        Raises Fault: 413 when it holds too much, 422 when the key came with another body.
        """
        received_ms = self._clock()
        if not key:
            self._inbox.admit(len(body))
            receipt = self._judge(stream, body, received_ms=received_ms)
            self._inbox.append(stream, body, received_ms=received_ms)
            return receipt
        keyed = Keyed(key, hashlib.blake2b(body, digest_size=16).digest(), received_ms)
        first = self._inbox.known(stream, key, now_ms=received_ms)
        if first is None:
            self._inbox.admit(len(body))
            receipt = self._judge(stream, body, received_ms=received_ms)
            try:
                self._inbox.append(stream, body, received_ms=received_ms, keyed=keyed)
            except Repeated as repeated:  # the same key at the same moment
                first = repeated.first
            else:
                return receipt
        if first.digest != keyed.digest:
            text = f'Idempotency-Key "{key}" came before with another body: use a new key for it'
            raise Fault(HTTPStatus.UNPROCESSABLE_ENTITY, Refusal.KEY_REUSED, text)
        # The receipt is not kept but made again, as of the time of the first one: its size would have no bound.
        return self._judge(stream, body, received_ms=first.received_ms)

    def _judge(self, stream: Stream, body: bytes, *, received_ms: int) -> Receipt:
        bounds = self._bounds
        if body.count(b",") + body.count(b"\n") > bounds.max_values:
            raise _too_much(Refusal.TOO_MANY_VALUES, f"{bounds.max_values} values and lines")
        raw = Raw(stream, "http", f"http/{stream}", (body,), received_ms, 0)
        with self._turn:
            events = events_of(raw)
            if len(events.texts) > bounds.max_events or Reject.TOO_MANY_EVENTS in events.unread.values():
                raise _too_much(Refusal.TOO_MANY_EVENTS, f"{bounds.max_events} events")
            decoded = self._decoder.decode(raw, events)
        if decoded.received > bounds.max_events:  # a columnar batch is one event of many rows
            raise _too_much(Refusal.TOO_MANY_EVENTS, f"{bounds.max_events} events")
        rejected = tuple((rejection.index, rejection.reason.value) for rejection in decoded.rejected)
        return Receipt(decoded.received - len(rejected), rejected)


class ClosedIngest:
    """The Ingest of a service that has no HTTP source: whatever it took, nobody would ever count."""

    def replace(self, intake: Intake) -> None:
        """Nothing is judged."""

    def accept(self, stream: Stream, _: bytes, *, key: str = "") -> Receipt:  # noqa: ARG002 - the port's form
        """Refuse; 200 would be a promise that is not kept."""
        raise Fault(
            HTTPStatus.NOT_FOUND,
            "no_http_source",
            f'this service takes no {stream} over HTTP; its configuration has no [[sources]] of type = "http"',
        )


def _too_much(refusal: Refusal, bound: str) -> Fault:
    text = f"the body holds more than {bound}: send fewer events at a time"
    return Fault(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, refusal, text)
