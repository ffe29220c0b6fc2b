"""What a checkpoint writes beside the chunks of a label join: how far its memories reach, and what they leave out."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from driftwatch.errors import StateError
from driftwatch.stream.join.sampling import HIGHEST

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Head:
    """How far a label join has come.

    rows, labels: [first, next) of the remembered predictions and of the waiting room. before: panes before it are
    forgotten. others, panes: the levels of sampling.
    """

    rows: tuple[int, int]
    labels: tuple[int, int]
    before: int
    others: int
    panes: tuple[tuple[int, int], ...]

    def write(self) -> bytes:
        """As bytes."""
        return json.dumps({"format": FORMAT, **asdict(self)}, separators=(",", ":")).encode()

    @classmethod
    def read(cls, data: bytes) -> Self:
        """From bytes; StateError when they are of a newer release or make no sense."""
        try:
            found = json.loads(data)
            if found["format"] != FORMAT:
                raise StateError(f"remembered labels have format {found['format']}; this release reads {FORMAT}")
            head = cls(**{part.name: _frozen(found[part.name]) for part in fields(cls)})
            levels = [head.others, *(level for _, level in head.panes)]
            (first, stop), (begin, end) = head.rows, head.labels
            sound = _whole(asdict(head)) and 0 <= first <= stop and 0 <= begin <= end
            sound = sound and min(levels) >= 0 and max(levels) <= HIGHEST
        except (ValueError, KeyError, TypeError) as error:
            raise StateError(f"remembered labels: their head cannot be read: {error}") from error
        if not sound:
            raise StateError("remembered labels: their head makes no sense")
        return head


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _whole(value: Any) -> bool:
    """Whether there is nothing in it but whole numbers that 8 bytes hold."""
    if isinstance(value, dict):
        return all(map(_whole, value.values()))
    if isinstance(value, tuple):
        return all(map(_whole, value))
    return type(value) is int and abs(value) <= 1 << 62
