"""How large one Raw may be, to be waited for and decoded at full speed; and how much may wait for the engine."""

from collections.abc import Iterator, Sequence

from pydantic import Field

from driftwatch.spec import Spec

MAX_RECORDS, MAX_BYTES = 4_096, 4 << 20
MAX_VALUES = 100_000
"""An event of two bytes, "{}", is refused with 300 (measured): bytes alone do not bound what a Raw becomes."""


class QueueSpec(Spec):
    """`[queue]`: what may wait between the sources and the engine, in records (Kafka's, or HTTP bodies) and bytes.

    Beyond it Kafka partitions pause and HTTP bodies stay in the inbox. One Raw is always let in when none waits.
    """

    max_records: int = Field(default=65_536, ge=1)
    max_bytes: int = Field(default=16 << 20, ge=1024)


def values_in(record: bytes) -> int:
    """How many events or values a record may hold beside its first, at most: its commas and lines."""
    return record.count(b",") + record.count(b"\n")


def portions(records: Sequence[bytes]) -> Iterator[slice]:
    """Cut records into runs of at most MAX_RECORDS, MAX_BYTES and MAX_VALUES (of `values_in`), in order.

    A record that is more by itself makes a run of its own. No records, no runs.
    """
    start = size = values = 0
    for index, record in enumerate(records):
        more = values_in(record)
        full = size + len(record) > MAX_BYTES or values + more > MAX_VALUES or index - start == MAX_RECORDS
        if index > start and full:
            yield slice(start, index)
            start, size, values = index, 0, 0
        size += len(record)
        values += more
    if start < len(records):
        yield slice(start, len(records))
