"""Events from files of JSON lines, followed as they grow."""

import threading
import time
from collections.abc import Collection, Mapping
from glob import glob
from pathlib import Path
from typing import BinaryIO, Literal, Self

import structlog
from pydantic import Field, model_validator

from driftwatch.ports.streams import Clock, Inlet, SourceStatus
from driftwatch.sources.portions import MAX_BYTES, MAX_RECORDS
from driftwatch.spec import LocatedPath, PositiveDurationMs, Spec
from driftwatch.stream.raw import EVENT_STREAMS, Raw, Stream

_log = structlog.get_logger()

_OFFER_SECONDS, _STOP_SECONDS = 0.2, 5.0
_MAX_LINE = 16 << 20


class FilesSpec(Spec):
    """A `[[sources]]` table with `type = "files"`: globs of JSON-lines files; "**" matches any depth.

    follow: go on when a file grows or a new one appears; without it every file is read to its end, once.
    quiet: how long a file must rest before its last line is taken although it does not end with a newline.
    """

    type: Literal["files"]
    predictions: list[LocatedPath] = Field(default_factory=list)
    labels: list[LocatedPath] = Field(default_factory=list)
    follow: bool = True
    poll: PositiveDurationMs = 500
    quiet: PositiveDurationMs = 5_000

    @model_validator(mode="after")
    def _reads_something(self) -> Self:
        if not (self.predictions or self.labels):
            raise ValueError("name at least one file or glob in predictions or labels")
        return self

    def matches(self) -> list[tuple[Stream, str]]:
        """List the streams and paths of the files that match now, in order."""
        globs = {Stream.PREDICTIONS: self.predictions, Stream.LABELS: self.labels}
        # Path.glob takes no absolute patterns.
        found = {(stream, path) for stream in globs for each in globs[stream] for path in glob(each, recursive=True)}  # noqa: PTH207
        return sorted((stream, path) for stream, path in found if Path(path).is_file())


class FilesSource:
    """The Source on files: partitions "files/<stream>/<path>", positions are byte offsets behind the last line read.

    Files are read in turn, a portion each. A file that is shorter than its position was truncated or replaced and is
    read from its beginning; one that was replaced by a longer file cannot be told apart and is read on.
    """

    name = "files"

    def __init__(self, spec: FilesSpec, *, clock: Clock) -> None:
        self._spec, self._clock = spec, clock
        self._tails: dict[str, _Tail] = {}
        self._errors: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def families(self) -> Collection[str]:
        """Give the partitions of the files of predictions that match now: one that is still to come is not known."""
        return [_name(stream, path) for stream, path in self._spec.matches() if stream is Stream.PREDICTIONS]

    def start(self, inlet: Inlet, positions: Mapping[str, int]) -> None:
        """Begin to read, from the saved position of each file, or from the beginning where there is none."""
        self._thread = threading.Thread(
            target=self._run, args=(inlet, dict(positions)), name="files-source", daemon=True
        )
        self._thread.start()

    def commit(self, positions: Mapping[str, int]) -> None:
        """Nothing is to be told to anyone: files stay."""

    def status(self) -> SourceStatus:
        """Ready when at least one file matches and every one can be read."""
        errors = list(self._errors.values())
        if self._thread is None:
            errors = ["not started"]
        elif self._spec.follow and not self._thread.is_alive():
            errors = ["its thread has ended"]
        elif not self._tails:
            errors = [f"no file matches {', '.join([*self._spec.predictions, *self._spec.labels])}"]
        return SourceStatus(ready=not errors, error="; ".join(errors))

    def finished(self) -> bool:
        """Whether every byte that is there now has been handed over."""
        try:
            found = {_name(stream, path): Path(path).stat().st_size for stream, path in self._spec.matches()}
        except OSError:
            return False
        tails = dict(self._tails)
        return all(name in tails and tails[name].position == size for name, size in found.items())

    def stop(self) -> None:
        """Stop reading and return once nothing more will be offered."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _run(self, inlet: Inlet, positions: dict[str, int]) -> None:
        while not self._stopping.is_set():
            self._find(inlet, positions)
            moved = [self._advance(inlet, tail) for tail in list(self._tails.values())]
            if any(moved):
                continue
            if not self._spec.follow:
                return
            self._stopping.wait(self._spec.poll / 1000)

    def _find(self, inlet: Inlet, positions: Mapping[str, int]) -> None:
        found = {_name(stream, path): (stream, path) for stream, path in self._spec.matches()}
        new = [name for name in found if name not in self._tails]
        if new:
            for stream in EVENT_STREAMS:
                names = [name for name in new if found[name][0] is stream]
                if names:
                    inlet.announce(stream, names)
            quiet_seconds = self._spec.quiet / 1000 if self._spec.follow else 0.0
            tails = {
                name: _Tail(*found[name], position=positions.get(name, 0), quiet_seconds=quiet_seconds) for name in new
            }
            self._tails = self._tails | tails
            _log.info("files_found", partitions=new)

    def _advance(self, inlet: Inlet, tail: "_Tail") -> bool:
        try:
            lines, position = tail.read()
        except FileNotFoundError:
            self._errors.pop(tail.name, None)
            return False
        except OSError as error:
            if tail.name not in self._errors:
                _log.warning("file_unreadable", partition=tail.name, error=str(error))
            self._errors = self._errors | {tail.name: str(error)}
            return False
        self._errors = {name: text for name, text in self._errors.items() if name != tail.name}
        if position == tail.position:
            return False
        raw = Raw(
            stream=tail.stream,
            source="files",
            partition=tail.name,
            records=tuple(lines),
            received_ms=self._clock(),
            position=position,
        )
        while not self._stopping.is_set():
            if inlet.offer(raw, timeout_seconds=_OFFER_SECONDS):
                tail.position = position
                return True
        return False


class _Tail:
    """One file and how far it has been handed over."""

    def __init__(self, stream: Stream, path: str, *, position: int, quiet_seconds: float) -> None:
        self.stream, self.name, self.position = stream, _name(stream, path), position
        self._path, self._quiet_seconds = Path(path), quiet_seconds
        self._size, self._grown = -1, 0.0

    def read(self) -> tuple[list[bytes], int]:
        """Read the next lines that are not blank, about MAX_BYTES of them, and the position behind them.

        A line longer than 16 MiB comes in pieces, which no decoder takes for events: memory stays bounded.
        """
        size = self._path.stat().st_size
        if size != self._size:
            self._size, self._grown = size, time.monotonic()
        if size < self.position:
            _log.warning("file_truncated", partition=self.name, position=self.position, size=size)
            self.position = 0
        if size == self.position:
            return [], self.position
        with self._path.open("rb") as file:
            return self._lines(file, complete=time.monotonic() - self._grown >= self._quiet_seconds)

    def _lines(self, file: BinaryIO, *, complete: bool) -> tuple[list[bytes], int]:
        end = position = self.position
        file.seek(position)
        lines: list[bytes] = []
        while end - position < MAX_BYTES and len(lines) < MAX_RECORDS:
            line = file.readline(_MAX_LINE)
            if not line or not (complete or line.endswith(b"\n") or len(line) == _MAX_LINE):
                break
            end += len(line)
            if record := line.strip():
                lines.append(record)
        return lines, end


def _name(stream: Stream, path: str) -> str:
    return f"files/{stream}/{path}"
