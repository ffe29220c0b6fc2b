"""`driftwatch run` as a process: it stops when asked to, and refuses what it cannot use with the code of its kind."""

import fcntl
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SECONDS = 60.0


@pytest.fixture
def service(world) -> Path:
    """The world's configuration with a state directory and the HTTP door on a free port."""
    path = world / "c.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        '[server]\nlisten = "127.0.0.1:0"\n[state]\npath = "state"\n[[sources]]\ntype = "http"\n' + text,
        encoding="utf-8",
    )
    return path


@pytest.fixture
def held(world) -> Iterator[Path]:
    """A state directory that somebody else holds."""
    (world / "state").mkdir()
    with (world / "state" / "driftwatch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield world / "state"


def started(path: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "driftwatch", "run", "--config", path], stdout=output, stderr=output
        )


def ran(path: Path) -> tuple[int, str]:
    """Exit code and stderr of a service that should refuse to start."""
    ended = subprocess.run(
        [sys.executable, "-m", "driftwatch", "run", "--config", path],
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_when_asked(service, world, number):
    """A signal ends it with 0, once it has saved."""
    log, end = world / "log", time.monotonic() + SECONDS
    process = started(service, log)
    try:
        while b"started" not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(SECONDS) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
    assert (world / "state" / "driftwatch.db").stat().st_size > 0
    assert '"clean": true' in log.read_text().replace('"clean":true', '"clean": true')


def test_state_in_use(service, held):
    """A state directory that another process holds is refused with 3."""
    code, said = ran(service)
    assert code == 3
    assert said == (
        f"driftwatch: {held}: the state directory is in use by another driftwatch process; "
        "stop that process or use another [state] path\n"
    )


def test_state_damaged(service, world):
    """A state file that is none is refused with 3, and left as it is."""
    (world / "state").mkdir()
    file = world / "state" / "driftwatch.db"
    file.write_bytes(b"nonsense" * 1_000)
    code, said = ran(service)
    assert code == 3
    assert said.startswith(f"driftwatch: {file}: ")
    assert said.count("\n") == 1
    assert file.read_bytes() == b"nonsense" * 1_000


def test_configuration(service):
    """A wrong file is refused with 2."""
    service.write_text(service.read_text(encoding="utf-8").replace('"psi"', '"psy"'), encoding="utf-8")
    code, said = ran(service)
    assert code == 2
    assert said == f'driftwatch: {service}: models[0].rules[0].statistic: "psy" is not known; did you mean "psi"?\n'


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[state]\npath = "state"\n', "state: this table is missing; write [state] with path = a directory"),
        ('[[sources]]\ntype = "http"\n', "sources: this key is missing; write at least one [[sources]] table"),
    ],
)
def test_what_only_a_service_needs(driftwatch, service, table, said):
    """Offline commands do without state and sources; a service does not."""
    service.write_text(service.read_text(encoding="utf-8").replace(table, ""), encoding="utf-8")
    assert driftwatch("check-config", service).code == 0
    code, err = ran(service)
    assert code == 2
    assert err.startswith(f"driftwatch: {service}: {said}")
    assert err.count("\n") == 1


def test_port_in_use(service):
    """An address that is taken is refused with 2, before anything runs."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = service.read_text(encoding="utf-8").replace("127.0.0.1:0", f"127.0.0.1:{port}")
        service.write_text(text, encoding="utf-8")
        code, said = ran(service)
    assert code == 2
    assert said.startswith(f"driftwatch: {service}: server.listen: cannot listen on 127.0.0.1:{port}")
    assert said.count("\n") == 1
