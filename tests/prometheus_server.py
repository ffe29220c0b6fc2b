"""A real Prometheus that scrapes one target every second, for as long as a test needs it."""

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


def find_prometheus() -> str:
    """The program; where there is none the test is skipped, and fails in CI."""
    program = shutil.which("prometheus")
    if program is None:
        reason = "Prometheus is not installed (Debian package prometheus)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return program


class Prometheus:
    """A context manager: it answers queries while inside."""

    def __init__(self, folder: Path, *, target: str) -> None:
        program, (port,) = find_prometheus(), free_ports(1)
        config, self._log = folder / "prometheus.yml", folder / "prometheus.log"
        config.write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            f'scrape_configs: [{{job_name: driftwatch, static_configs: [{{targets: ["{target}"]}}]}}]\n',
            encoding="utf-8",
        )
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
                    f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
                ],
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=10)

    def __enter__(self) -> Self:
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

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query; none while it does not answer yet."""
        assert self._process.poll() is None, self._log.read_text(errors="replace")
        try:
            answer = self._client.get("/query", params={"query": expression})
        except httpx.TransportError:
            return []
        if answer.status_code != 200:
            return []
        series: list[dict[str, Any]] = answer.json()["data"]["result"]
        return series

    def wait(self, expression: str) -> list[dict[str, Any]]:
        """The series of a query, once there are any."""
        wait_until(lambda: bool(self.query(expression)), seconds=START_SECONDS, what=f"{expression} in Prometheus")
        return self.query(expression)
