"""How long a restart and a stop take, with much state and under load."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from driftwatch.config import load
from driftwatch.daemon.referencing import build_reference, save_reference
from tests.scenarios import events
from tests.scenarios.probe import WAIT_SECONDS, Probe, running
from tests.scenarios.process import STOP_SECONDS, Process

COLUMNS, PANES, ROWS = 1_000, 24, 20
MOST_IN_IMPORTS = 1.5
ATTEMPTS = 3
WIDE = """
[server]
listen = "127.0.0.1:0"
[state]
path = "state"
checkpoint = "200ms"
[[sources]]
type = "http"
[[models]]
name = "wide"
task = "none"
reference = "wide.reference"
window = { size = "1h", lateness = "25h", idle_after = "10h" }
"""


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """The configuration of a service that holds open windows of 24 hours of a thousand columns."""
    path, data = tmp_path / "wide.toml", tmp_path / "wide.csv"
    path.write_text(WIDE, encoding="utf-8")
    rng = np.random.default_rng(3)
    names = [f"c{column}" for column in range(COLUMNS)]
    np.savetxt(data, rng.normal(size=(500, COLUMNS)), fmt="%.4f", delimiter=",", header=",".join(names), comments="")
    reference = build_reference([str(data)], load(path, {}).models[0], now_ms=0, progress=lambda *_: None)
    save_reference(reference, tmp_path / "wide.reference")
    with running(path) as (service, probe):
        for pane in range(PANES):
            values = rng.normal(size=(COLUMNS, ROWS)).round(4).tolist()
            columns = {f"features.{name}": column for name, column in zip(names, values, strict=True)}
            columns["id"] = [f"{pane}-{row}" for row in range(ROWS)]
            columns["time"] = [events.START + pane * events.HOUR + row for row in range(ROWS)]
            probe.post(json.dumps({"model": "wide", "columns": columns}).encode())
        probe.wait_counted(PANES * ROWS)
        assert len(service.engine.monitors["wide"].memory.panes) == PANES
    return path


def processor_seconds(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def imports_seconds() -> float:
    """Processor time of a process that only imports what a service consists of."""
    code = "import driftwatch.cli.app, driftwatch.daemon.service, time; print(time.process_time())"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)


def test_a_service_loads_no_readers_of_tables():
    """They would cost every start a quarter of a second, and 30 MB for ever."""
    code = "import driftwatch.daemon.service, sys; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time is read from /proc")
def test_a_restart_with_much_state_is_ready_soon(wide):
    """1 000 columns × 24 open panes: within half as much again as imports alone take, however fast the machine is."""
    figures = []
    for _ in range(ATTEMPTS):
        began = time.monotonic()
        with Process(wide) as process, Probe(process.port()) as probe:
            probe.wait(lambda: probe.get("/-/ready").status_code == 200, "it to be ready")
            figures.append((processor_seconds(process._process.pid), time.monotonic() - began))
            assert process.terminate() == 0, process.log()
    used, waited = min(figures)
    imports = min(imports_seconds() for _ in range(ATTEMPTS))
    print(f"ready after {used:.2f} s of processor time, {waited:.2f} s by the clock; imports {imports:.2f}; {figures}")
    assert used <= MOST_IN_IMPORTS * imports


def test_a_stop_under_load_is_quick_and_loses_nothing(configure):
    """Four senders never pause; SIGTERM ends it within 10 s, and what was answered 200 is counted after the restart."""
    path, taken, rows = configure(), [], 200
    with Process(path) as process:
        port = process.port()

        def send(sender: int) -> None:
            rng, number = np.random.default_rng(sender), 0
            with Probe(port) as probe:
                while True:
                    body = b"\n".join(events.event(rng, events.START + number, version="1") for number in range(rows))
                    try:
                        answer = probe.request("/v1/predictions", body)
                    except httpx.TransportError:
                        return
                    if answer.status_code == 200:
                        taken.append(rows)
                    number += rows

        senders = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
        for sender in senders:
            sender.start()
        with Probe(port) as probe:
            probe.wait(lambda: len(taken) >= 20, "load")
        began = time.monotonic()
        assert process.terminate() == 0, process.log()
        seconds = time.monotonic() - began
        for sender in senders:
            sender.join(WAIT_SECONDS)
            assert not sender.is_alive()
    print(f"stopped in {seconds:.2f} s after {sum(taken)} events")
    assert seconds <= STOP_SECONDS
    with running(path) as (_, probe):
        # A body whose answer was cut off may be there, too.
        counted = sum(probe.wait_counted(sum(taken)).results().values())
    assert sum(taken) <= counted <= sum(taken) + 4 * rows
