"""How large one Raw may be, to be waited for and decoded at full speed; and how much may wait for the engine."""

from collections.abc import Iterator, Sequence

from pydantic import Field

from driftwatch.spec import Spec
from driftwatch.stream.counting import MAX_EVENTS

MAX_RECORDS, MAX_BYTES = 4_096, 4 << 20

_LINE_END, _LIST = b"\n["
"""Numbers, because looking for a byte costs a thirtieth of counting it, and most records have neither."""


class QueueSpec(Spec):
    """`[queue]`: what may wait between the sources and the engine, in records (Kafka's, or HTTP bodies) and bytes.

    Beyond it Kafka partitions pause and HTTP bodies stay in the inbox. One Raw is always let in when none waits.
    """

    max_records: int = Field(default=65_536, ge=1)
    max_bytes: int = Field(default=16 << 20, ge=1024)


def further_events(record: bytes) -> int:
    """How many events a record may hold beside its first, at most: each is a line, or something in a list."""
    lines = record.count(b"\n") if _LINE_END in record else 0
    return lines + (record.count(b",") if _LIST in record else 0)


def portions(records: Sequence[bytes]) -> Iterator[slice]:
    """Cut records into runs of at most MAX_RECORDS, MAX_BYTES and MAX_EVENTS (of `further_events`), in order.

    A record that is more by itself makes a run of its own, and is refused when it is decoded if it really holds more
    events. No records, no runs.
    """
    start = size = events = 0
    for index, record in enumerate(records):
        more = further_events(record)
        full = size + len(record) > MAX_BYTES or events + more > MAX_EVENTS or index - start == MAX_RECORDS
        if index > start and full:
            yield slice(start, index)
            start, size, events = index, 0, 0
        size += len(record)
        events += more
    if start < len(records):
        yield slice(start, len(records))
