"""The writer in a process of its own, whose hanging clients end with it, and what it knew at the end."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.scenarios.process import ROOT

STOP_SECONDS = 180.0


@dataclass(frozen=True)
class Memory:
    """As the attributes of Writer."""

    acknowledged: set[str]
    aborted: set[str]
    unknown: set[str]
    places: dict[str, str]
    failures: int
    hung: int


class WriterProcess:
    """Writes from when it is made until it is stopped."""

    def __init__(self, bootstrap: Sequence[str], topic: str, *, seed: int, log: Path) -> None:
        self._log = log
        command = [sys.executable, "-m", "tests.nemesis.writer", ",".join(bootstrap), topic, str(seed)]
        with log.open("wb") as words:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, cwd=ROOT
            )

    def stop(self) -> Memory:
        """Let it end, and hear what it knows."""
        try:
            told, _ = self._process.communicate(timeout=STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
        assert told, self._log.read_text(errors="replace")[-2000:]
        known = json.loads(told)
        return Memory(**known | {name: set(known[name]) for name in ("acknowledged", "aborted", "unknown")})
