"""A real Alertmanager on a free local port, for as long as a test needs it."""

import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import pytest

from tests.servers.broker import free_ports, wait_until

START_SECONDS, STOP_SECONDS = 60.0, 20.0


def find_alertmanager() -> str:
    """The program; where there is none the test is skipped, and fails in CI."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        reason = "Alertmanager is not installed (Debian package prometheus-alertmanager)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return program


class Alertmanager:
    """A context manager: it takes alerts while inside, and tells nobody of them."""

    def __init__(self, folder: Path) -> None:
        program, (port,) = find_alertmanager(), free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        config, self._log = folder / "alertmanager.yml", folder / "alertmanager.log"
        config.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n", encoding="utf-8")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program, f"--config.file={config}", f"--storage.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn",
                ],
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._client = httpx.Client(base_url=f"{self.url}/api/v2", timeout=10, trust_env=False)

    def __enter__(self) -> Self:
        wait_until(self._answers, seconds=START_SECONDS, what="Alertmanager")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that fire now, by column."""
        answer = self._client.get("/alerts")
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return sorted(found, key=lambda alert: alert["labels"].get("column", ""))

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._log.read_text(errors="replace")
        try:
            return self._client.get("/status").status_code == 200
        except httpx.TransportError:
            return False
