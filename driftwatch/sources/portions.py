"""How large one Raw may be, to be waited for and decoded at full speed; and how much may wait for the engine."""

from collections.abc import Iterator, Sequence

from pydantic import Field

from driftwatch.spec import Spec

MAX_RECORDS, MAX_BYTES = 4_096, 4 << 20


class QueueSpec(Spec):
    """`[queue]`: what may wait between the sources and the engine, in records (Kafka's, or HTTP bodies) and bytes.

    Beyond it Kafka partitions pause and HTTP bodies stay in the inbox. One Raw is always let in when none waits.
    """

    max_records: int = Field(default=65_536, ge=1)
    max_bytes: int = Field(default=16 << 20, ge=1024)


def portions(sizes: Sequence[int]) -> Iterator[slice]:
    """Cut records of these sizes in bytes into runs of at most MAX_RECORDS and MAX_BYTES, in order.

    A record larger than MAX_BYTES makes a run of its own. No records, no runs.
    """
    start = total = 0
    for index, size in enumerate(sizes):
        if index > start and (total + size > MAX_BYTES or index - start == MAX_RECORDS):
            yield slice(start, index)
            start, total = index, 0
        total += size
    if start < len(sizes):
        yield slice(start, len(sizes))
