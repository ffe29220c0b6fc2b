"""Records that lie in one buffer: many values without an object each, until somebody asks for one."""

from collections.abc import Iterator, Sequence
from typing import Self, overload

import numpy as np

from driftwatch.stream.batch import Ints


class Packed(Sequence[bytes]):
    """Consecutive records of one buffer, which may hold other bytes between them.

    starts, ends: (records,) where each record begins and ends in the buffer, both int64.
    Equal to any sequence of the same records.
    """

    __slots__ = ("buffer", "ends", "starts")

    def __init__(self, buffer: bytes, starts: Ints, ends: Ints) -> None:
        self.buffer, self.starts, self.ends = buffer, starts, ends

    @classmethod
    def of(cls, records: Sequence[bytes]) -> Self:
        """Lay records one after the other."""
        lengths = np.fromiter(map(len, records), np.int64, len(records))
        ends = np.cumsum(lengths)
        return cls(b"".join(records), ends - lengths, ends)

    @property
    def size_bytes(self) -> int:
        """What the records hold together, without what lies between them."""
        return int(self.ends.sum() - self.starts.sum())

    def unpacked(self) -> tuple[bytes, ...]:
        """All of them as objects, at a third of the cost of asking for one after the other."""
        return tuple(map(self.buffer.__getitem__, map(slice, self.starts.tolist(), self.ends.tolist())))

    def __len__(self) -> int:
        return int(self.starts.size)

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: int | slice) -> bytes | Self:
        if isinstance(place, slice):
            return type(self)(self.buffer, self.starts[place], self.ends[place])
        return self.buffer[int(self.starts[place]) : int(self.ends[place])]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.unpacked())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Packed | tuple | list):
            return NotImplemented
        return self.unpacked() == (other.unpacked() if isinstance(other, Packed) else tuple(other))

    def __hash__(self) -> int:
        return hash(self.unpacked())
