"""`driftwatch run` without the second that Python takes to import it: forked from a process that has done so.

What is forked is the real service with its real threads, sockets and files; only `exec` and the imports are left out.
`python -m tests.crash.nursery` reads one JSON line for each service to start and answers with its process id.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from driftwatch import failpoints
from tests.scenarios.process import ROOT
from tests.servers.broker import wait_until

GONE_SECONDS = 20.0


class Nursery:
    """Starts services, one after the other; a context manager that leaves none behind."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment,
        )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()  # it kills what it has left, and ends
        self._process.wait(GONE_SECONDS)
        assert self._process.stdout
        self._process.stdout.close()

    def start(self, config: Path, *, crash_at: str = "") -> "Life":
        """Start a service; crash_at: the failpoint at which it dies, as DRIFTWATCH_CRASH_AT has it."""
        log = config.with_suffix(f".{os.urandom(4).hex()}.log")
        log.touch()
        answer = self._ask({"do": "start", "config": str(config), "log": str(log), "crash_at": crash_at})
        return Life(self, answer, log)

    def _ask(self, order: dict[str, object]) -> int:
        assert self._process.stdin
        assert self._process.stdout
        with self._turn:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())


@dataclass
class Life:
    """One service from its start to its end."""

    nursery: Nursery
    pid: int
    log: Path

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens when it has ended."""
        self.nursery._ask({"do": "kill", "pid": self.pid, "signal": int(number)})

    def ended(self) -> bool:
        """Whether it has ended."""
        return self.nursery._ask({"do": "code", "pid": self.pid}) != _RUNNING

    def code(self, *, seconds: float = GONE_SECONDS) -> int:
        """Wait for its end: the exit code, -9 after SIGKILL."""
        wait_until(self.ended, seconds=seconds, what=f"the service to end: {self.log.read_text()[-2_000:]}")
        return self.nursery._ask({"do": "code", "pid": self.pid})

    def port(self, *, seconds: float = GONE_SECONDS) -> int | None:
        """The port it listens on, once it does; None when it ended before."""
        wait_until(lambda: self._port() is not None or self.ended(), seconds=seconds, what="the service to start")
        return self._port()

    def _port(self) -> int | None:
        for line in self.log.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n") and '"event": "started"' in line:
                port: int = json.loads(line)["port"]
                return port
        return None


_RUNNING = 1_000


def _serve() -> None:
    import driftwatch.daemon.running  # noqa: PLC0415
    import driftwatch.daemon.service  # noqa: PLC0415
    import driftwatch.sources.kafka_reader  # noqa: F401, PLC0415 - loaded by a Kafka source at its start

    codes: dict[int, int] = {}
    for line in sys.stdin.buffer:
        order = json.loads(line)
        match order["do"]:
            case "start":
                answer = _fork(order)
                codes[answer] = _RUNNING
            case "kill":
                _reap(codes, order["pid"])
                if codes[order["pid"]] == _RUNNING:
                    os.kill(order["pid"], order["signal"])
                answer = 0
            case _:
                _reap(codes, order["pid"])
                answer = codes[order["pid"]]
        print(answer, flush=True)
    for pid in list(codes):
        _reap(codes, pid)
    for pid, code in codes.items():
        if code == _RUNNING:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _reap(codes: dict[int, int], pid: int) -> None:
    if codes[pid] == _RUNNING:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            codes[pid] = os.waitstatus_to_exitcode(status)


def _fork(order: dict[str, str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 2)
    os.dup2(log, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    failpoints._fuse = failpoints._Fuse(order["crash_at"])
    sys.argv = ["driftwatch", "run", "--config", order["config"]]
    from driftwatch.__main__ import main  # noqa: PLC0415

    code = 70
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
