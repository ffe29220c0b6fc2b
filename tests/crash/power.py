"""What a loss of power may leave on a disk, made from a trace of what a process wrote and when it called fsync.

The model is POSIX's, at its worst: what was written since the last fsync of its file is there or not, sector by sector;
names made or removed since the last fsync of their directory are there or not, in their order. What was synced stays.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random

from tests.scenarios.process import ROOT, START_SECONDS, STOP_SECONDS, command
from tests.servers.broker import wait_until

SECTOR = 512
_CALLS = "openat,pwrite64,sendto,fsync,fdatasync,ftruncate,unlink"
_LONGEST = 70_000
_WHOLE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)")
_BEGUN = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
_ENDED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)")
_FILE = re.compile(r"^\d+<([^>]*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class Act(StrEnum):
    """What moves the model."""

    CREATE = "create"
    WRITE = "write"
    CUT = "cut"
    REMOVE = "remove"
    SYNC_BEGINS = "sync begins"
    SYNC_ENDS = "sync ends"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Step:
    """One act; thread: which one began and ended a sync. at: offset, or the length that a file is cut to."""

    act: Act
    thread: int = 0
    path: str = ""
    at: int = 0
    data: bytes = b""


class Fate(StrEnum):
    """What becomes of the writes that were not synced."""

    KEPT = "kept"
    LOST = "lost"
    TORN = "torn"
    SECTORS = "sectors"
    ZEROS = "zeros"


@dataclass(slots=True)
class _Inode:
    """A file: what is durable, and what is not yet."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)


class Disk:
    """The state directory as far as some steps have brought it. answers: how many bodies were answered 200."""

    def __init__(self, directory: Path) -> None:
        self._directory = str(directory)
        self._names: dict[str, _Inode] = {}
        self._durable_names: dict[str, _Inode] = {}
        self._renamed: list[tuple[str, _Inode | None]] = []
        self._syncing: dict[int, int] = {}
        self.answers = 0

    def take(self, step: Step) -> None:
        """Go on by one step."""
        match step.act:
            case Act.ANSWER:
                self.answers += 1
            case Act.CREATE if step.path not in self._names:
                self._link(step.path, _Inode())
            case Act.REMOVE if step.path in self._names:
                self._link(step.path, None)
            case Act.WRITE | Act.CUT:
                self._names[step.path].pending.append(step)
            case Act.SYNC_BEGINS:
                self._syncing[step.thread] = len(self._waiting(step.path))
            case Act.SYNC_ENDS:
                self._sync(step.path, self._syncing.pop(step.thread))

    @property
    def at_risk(self) -> int:
        """How many writes are not durable."""
        return sum(len(inode.pending) for inode in self._names.values()) + len(self._renamed)

    def lose_power(self, target: Path, fate: Fate, dice: Random) -> None:
        """Write what is left into a new directory."""
        target.mkdir()
        names = dict(self._durable_names)
        kept = {Fate.KEPT: len(self._renamed), Fate.LOST: 0}.get(fate, dice.randint(0, len(self._renamed)))
        for name, inode in self._renamed[:kept]:
            if inode is None:
                names.pop(name, None)
            else:
                names[name] = inode
        for name, inode in names.items():
            (target / Path(name).name).write_bytes(_remains(inode, fate, dice))

    def _link(self, path: str, inode: _Inode | None) -> None:
        self._renamed.append((path, inode))
        if inode is None:
            del self._names[path]
        else:
            self._names[path] = inode

    def _waiting(self, path: str) -> Sequence[object]:
        return self._renamed if path == self._directory else self._names[path].pending

    def _sync(self, path: str, covered: int) -> None:
        if path != self._directory:
            inode = self._names[path]
            for step in inode.pending[:covered]:
                _apply(inode.durable, step)
            del inode.pending[:covered]
            return
        for name, inode in self._renamed[:covered]:
            if inode is None:
                self._durable_names.pop(name, None)
            else:
                self._durable_names[name] = inode
        del self._renamed[:covered]


def _remains(inode: _Inode, fate: Fate, dice: Random) -> bytes:
    content, pending = bytearray(inode.durable), inode.pending
    match fate:
        case Fate.KEPT:
            survivors = pending
        case Fate.LOST:
            survivors = []
        case Fate.TORN:
            whole = dice.randint(0, len(pending))
            torn = [_cut(step, dice.randint(0, len(step.data))) for step in pending[whole : whole + 1]]
            survivors = [*pending[:whole], *torn]
        case Fate.SECTORS:
            survivors = [piece for step in pending for piece in _sectors(step) if dice.random() < 0.5]
        case Fate.ZEROS:  # the new length has become durable, and of what lies there nothing or some sectors
            end = max([len(content), *(step.at + len(step.data) for step in pending)])
            content += bytes(end - len(content))
            survivors = [piece for step in pending for piece in _sectors(step) if dice.random() < 0.3]
    for step in survivors:
        _apply(content, step)
    return bytes(content)


def _cut(step: Step, length: int) -> Step:
    return step if step.act is Act.CUT else Step(Act.WRITE, path=step.path, at=step.at, data=step.data[:length])


def _sectors(step: Step) -> Iterator[Step]:
    if step.act is Act.CUT:
        yield step
    start, stop = step.at, step.at + len(step.data)
    while start < stop:
        end = min(stop, start // SECTOR * SECTOR + SECTOR)
        yield Step(Act.WRITE, path=step.path, at=start, data=step.data[start - step.at : end - step.at])
        start = end


def _apply(content: bytearray, step: Step) -> None:
    if step.act is Act.CUT:
        content[step.at :] = bytes(max(step.at - len(content), 0))
    elif step.data:
        content += bytes(max(step.at - len(content), 0))
        content[step.at : step.at + len(step.data)] = step.data


def steps(trace: Path, directory: Path) -> list[Step]:
    """Read what happened to the files of a directory, but for SQLite's shared memory: it is made anew after a crash."""
    found: list[Step] = []
    begun: dict[int, str] = {}
    with trace.open(encoding="ascii") as file:
        for line in file:
            if match := _BEGUN.match(line):
                thread, call, text = int(match[1]), match[2], match[3]
                begun[thread] = text
                found += _first_half(call, text, thread)
            elif match := _ENDED.match(line):
                thread = int(match[1])
                found += _second_half(match[2], begun.pop(thread) + match[3], thread, result=int(match[4]))
            elif match := _WHOLE.match(line):
                thread, call, text = int(match[1]), match[2], match[3]
                found += _first_half(call, text, thread)
                found += _second_half(call, text, thread, result=int(match[4]))
    inside = {str(directory), *(step.path for step in found if step.path.startswith(f"{directory}/"))}
    return [
        step
        for step in found
        if step.act is Act.ANSWER or (step.path in inside and not step.path.endswith(("-shm", "driftwatch.lock")))
    ]


def _first_half(call: str, text: str, thread: int) -> Iterator[Step]:
    if call == "sendto" and _bytes(text).startswith(b"HTTP/1.1 200 "):
        yield Step(Act.ANSWER)
    elif call in {"fsync", "fdatasync"}:
        yield Step(Act.SYNC_BEGINS, thread, _path(text))


def _second_half(call: str, text: str, thread: int, *, result: int) -> Iterator[Step]:
    if result < 0:
        assert call not in {"fsync", "fdatasync", "pwrite64"}, text
        return
    match call:
        case "fsync" | "fdatasync":
            yield Step(Act.SYNC_ENDS, thread, _path(text))
        case "openat" if "O_CREAT" in text:
            yield Step(Act.CREATE, path=_bytes(text).decode())
        case "pwrite64":
            data = _bytes(text)
            assert len(data) == result, "the trace holds less than was written"
            yield Step(Act.WRITE, path=_path(text), at=int(text.rpartition(",")[2]), data=data)
        case "ftruncate":
            yield Step(Act.CUT, path=_path(text), at=int(text.rpartition(",")[2]))
        case "unlink":
            yield Step(Act.REMOVE, path=_bytes(text).decode())


def _bytes(text: str) -> bytes:
    match = _TEXT.search(text)
    return bytes.fromhex(match[1].replace("\\x", "")) if match else b""


def _path(text: str) -> str:
    match = _FILE.match(text)
    assert match, text
    name = match[1]
    return bytes.fromhex(name.replace("\\x", "")).decode() if name.startswith("\\x") else name


@contextmanager
def traced(strace: str, config: Path, trace: Path) -> Iterator[int]:
    """`driftwatch run` under strace; gives its port. At the end it is stopped in order, and the trace is whole."""
    log = config.with_suffix(".traced.log")
    # With -D strace is the grandchild, so that signals and the exit code are those of the service.
    wanted = ["-D", "-f", "-q", "-y", "-xx", "-s", str(_LONGEST), "-e", "signal=none", "-e", f"trace={_CALLS}"]
    line = [strace, "--seccomp-bpf", "-o", str(trace), *wanted, *command("run", "--config", str(config))]
    with log.open("wb") as file, subprocess.Popen(line, stderr=file, cwd=ROOT) as process:
        try:
            wait_until(lambda: _port(log) > 0, seconds=START_SECONDS, what=f"{line} to start")
            yield _port(log)
            process.terminate()
            assert process.wait(STOP_SECONDS) == 0, log.read_text()
        finally:
            process.kill()
    over = f"{process.pid} +++ exited with 0 +++"
    wait_until(lambda: over in _tail(trace), seconds=STOP_SECONDS, what="the end of the trace")


def _port(log: Path) -> int:
    started = [line for line in log.read_text(encoding="utf-8").splitlines() if '"event": "started"' in line]
    return int(json.loads(started[0])["port"]) if started else 0


def _tail(trace: Path) -> str:
    with trace.open("rb") as file:
        file.seek(max(0, trace.stat().st_size - 1_000))
        return " ".join(file.read().decode().split())
