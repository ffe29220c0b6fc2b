"""Real servers of other products: installed once at pinned versions, started on a free port, thrown away after.

Each product has a virtual environment of its own below `DRIFTWATCH_ECOSYSTEM`, or ~/.cache/driftwatch. A change of its
requirements makes a new one.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.servers.broker import free_ports, wait_until

INSTALL_SECONDS, START_SECONDS, STOP_SECONDS = 1_200.0, 180.0, 20.0
INSTALLED = "installed"


@dataclass(frozen=True)
class Product:
    """What to install; the first of the requirements is the product itself."""

    name: str
    requirements: tuple[str, ...]

    def install(self) -> Path:
        """Make its environment unless it is there; the folder of its programs."""
        digest = hashlib.sha256("\n".join(self.requirements).encode()).hexdigest()[:12]
        folder = _cache() / f"{self.name}-{digest}"
        programs = folder / "bin"
        if (folder / INSTALLED).exists():
            return programs
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _checked([sys.executable, "-m", "venv", str(folder)])
        uv = shutil.which("uv")
        pip = [uv, "pip", "install", "--python", str(programs / "python")] if uv else [str(programs / "pip"), "install"]
        _checked([*pip, "--quiet", *self.requirements])
        (folder / INSTALLED).touch()
        return programs


@dataclass
class Server:
    """A process that listens on `port`, as a context manager: inside, its address answers 200 to `healthy`."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    port: int
    healthy: str
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        with (self.folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                self.command, cwd=self.folder, env=environment(self.environment),
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            wait_until(self._answers, seconds=START_SECONDS, what=f"{self.url}{self.healthy}")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def log(self) -> str:
        """The end of what it wrote."""
        return (self.folder / "server.log").read_text(errors="replace")[-4000:]

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.command[0]} ended by itself: {self.log()}")
        try:
            return httpx.get(self.url + self.healthy, timeout=5.0, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def _stop(self) -> None:
        """End it and whatever it started: it leads a session of its own."""
        assert self._process is not None
        for ending in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, ending)
            except ProcessLookupError:
                break
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        self._process.wait(STOP_SECONDS)


def run(command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> None:
    """Run a command of a product to its end; its output is in the error when it fails."""
    _checked(command, folder, settings)


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a product: none of this one's Python, its proxies or its settings of driftwatch."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "USER") if name in os.environ}
    return {"PATH": os.environ.get("PATH", os.defpath), **kept, **settings}


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    return free_ports(1)[0]


def _cache() -> Path:
    named = os.environ.get("DRIFTWATCH_ECOSYSTEM")
    return Path(named).absolute() if named else Path.home() / ".cache" / "driftwatch"


def _checked(command: Sequence[str], folder: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        command, cwd=folder, env=None if settings is None else environment(settings),
        capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed: {(done.stdout + done.stderr)[-3000:]}")
