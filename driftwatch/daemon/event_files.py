"""Files of events, one JSON text a line, through decode."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from driftwatch.daemon.watch import Watch
from driftwatch.stream.control import Controls
from driftwatch.stream.decode import Decoded, Decoder
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reject import Reject

LINES = 4_096

Refuse = Callable[[Reject, int], None]
"""Told why so many events cannot be used."""
Compare = Callable[[Iterable[Controls]], None]
"""Told of the events of golden sets."""


def decoded_lines(
    watch: Watch, files: Sequence[Path], stream: Stream, *, now_ms: int, stamp_ms: int | None = None
) -> Iterator[Decoded]:
    """The events of files, some lines at a time; stamp_ms: the time of events that carry none, else `now_ms`."""
    decoder = Decoder([watch.intake()])
    for raw in raw_lines(files, stream, now_ms=now_ms, stamp_ms=stamp_ms):
        yield decoder.decode(raw)


def raw_lines(files: Sequence[Path], stream: Stream, *, now_ms: int, stamp_ms: int | None = None) -> Iterator[Raw]:
    """The lines of files as a source would hand them over."""
    for path in files:
        for lines in _lines(path):
            stamps = None if stamp_ms is None else (stamp_ms,) * len(lines)
            yield Raw(stream, "files", f"files/{stream.value}/{path}", lines, now_ms, 0, stamps)


def split_by_form(files: Sequence[Path]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Files of events, and tables."""
    events = tuple(path for path in files if _holds_events(path))
    return events, tuple(path for path in files if path not in events)


def _lines(path: Path) -> Iterator[tuple[bytes, ...]]:
    with path.open("rb") as file:
        held: list[bytes] = []
        for line in file:
            if stripped := line.strip():
                held.append(stripped)
            if len(held) == LINES:
                yield tuple(held)
                held = []
        if held:
            yield tuple(held)


def _holds_events(path: Path) -> bool:
    """Whether a file's first line that is JSON is an event of the contract, and not a row of a table."""
    if path.suffix.lower() not in {".jsonl", ".ndjson", ".json"}:
        return False
    for lines in _lines(path):
        for line in lines:
            try:
                first = msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            return isinstance(first, dict) and "model" in first
    return True
