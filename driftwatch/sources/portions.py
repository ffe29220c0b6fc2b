"""How large one Raw may be: small enough to wait for, large enough to be decoded at full speed."""

from collections.abc import Iterator, Sequence

MAX_RECORDS, MAX_BYTES = 4_096, 4 << 20


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
