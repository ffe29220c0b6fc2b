"""The service as a process of its own: started as a user starts it, stopped or killed as the world does."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.servers.broker import wait_until

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS, STOP_SECONDS = 60.0, 10.0


def command(*arguments: str) -> list[str]:
    """The command line of driftwatch with this interpreter."""
    return [sys.executable, "-m", "driftwatch", *arguments]


class Process:
    """`driftwatch run --config PATH`; a context manager that leaves no process behind."""

    def __init__(self, config: Path) -> None:
        self._log = config.with_suffix(f".{os.urandom(4).hex()}.log")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command("run", "--config", str(config)), stderr=log, cwd=ROOT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def port(self) -> int:
        """The port it listens on, once it has said so."""
        wait_until(
            lambda: self._started() is not None or self._process.poll() is not None,
            seconds=START_SECONDS,
            what="the service to start",
        )
        started = self._started()
        assert started is not None, self.log()
        port: int = started["port"]
        return port

    def kill(self) -> None:
        """End it as a loss of power would, as far as a process can tell."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(STOP_SECONDS)

    def terminate(self) -> int:
        """Ask it to end; its exit code. AssertionError when that takes longer than ten seconds."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait(STOP_SECONDS)

    def wait(self, seconds: float = START_SECONDS) -> int:
        """Wait for its end; its exit code."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the service did not end within {seconds} s: {self.log()}") from None

    def log(self) -> str:
        """What it wrote to stderr."""
        return self._log.read_text(encoding="utf-8")

    def _started(self) -> dict[str, Any] | None:
        for line in self.log().splitlines(keepends=True):
            if line.endswith("\n") and '"event": "started"' in line:
                document: dict[str, Any] = json.loads(line)
                return document
        return None
