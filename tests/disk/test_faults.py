"""A disk that is full and a disk that fails: said aloud, nothing spoilt, and gone on by itself."""

import itertools
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from driftwatch.daemon.queue import Command
from driftwatch.daemon.state import state_hash, verify
from driftwatch.daemon.steady import MAX_STEP_MS, SteadyClock
from tests.disk.conftest import refuse
from tests.scenarios import events, world
from tests.scenarios.journal import assert_same, last_words
from tests.scenarios.probe import WAIT_SECONDS, Probe, post_all, running
from tests.scenarios.process import Process
from tests.servers.broker import wait_until

UNSAVED = 503


def fill(disk: Path) -> Path:
    """Leave no byte free; the file that takes the room."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(512))
        except OSError:
            return ballast


def append(path: Path, lines) -> None:
    """Write lines to the end of a file that a service follows."""
    with path.open("ab") as file:
        file.write(b"\n".join(lines) + b"\n")


def assert_refused(probe: Probe) -> None:
    """A body is not taken, and the sender hears when to come again."""
    answer = probe.request("/v1/predictions", b'{"model": "fraud"}')
    assert (answer.status_code, answer.headers.get("retry-after", "").isdigit()) == (503, True), answer.text


def readiness(probe: Probe) -> int:
    """The status of /-/ready."""
    return probe.get("/-/ready").status_code


def test_a_full_disk_is_said_and_gone_on_from(stream, configure, tiny_disk, tmp_path):
    """While it is full: not ready, counted, healthy, no body taken; with room again it ends as if nothing had been."""
    data = tmp_path / "live.jsonl"
    path = configure(sources=world.HTTP + world.files(data))
    third = len(stream.lines) // 3
    append(data, stream.lines[:third])
    with running(path) as (service, probe):
        probe.wait_counted(third)
        ballast = fill(tiny_disk)
        append(data, stream.lines[third : 2 * third])
        probe.wait(lambda: readiness(probe) == UNSAVED, "it to say that it is not ready")
        assert "make room on its disk" in probe.get("/-/ready").text
        probe.wait(lambda: probe.metrics().total("checkpoint_failures_total") >= 2, "failures to be counted")
        assert probe.get("/-/healthy").status_code == 200
        assert_refused(probe)
        before = verify(path.with_suffix(""))
        ballast.unlink()
        probe.wait(lambda: readiness(probe) == 200, "it to be ready again")
        append(data, stream.lines[2 * third :])
        assert probe.wait_counted(len(stream.lines)).results(source="files") == stream.results()
        service.finish(timeout_seconds=WAIT_SECONDS)
        reports = probe.listing("reports")
    whole = configure(sources=world.HTTP + world.files(data), state="whole")
    with running(whole) as (service, probe):
        probe.wait_counted(len(stream.lines))
        service.finish(timeout_seconds=WAIT_SECONDS)
        assert_same(last_words(reports), last_words(probe.listing("reports")))
    assert ": good: " in before
    assert ": good: " in verify(path.with_suffix(""))
    assert state_hash(path.with_suffix("")) == state_hash(whole.with_suffix(""))


def test_a_disk_that_is_full_at_the_start_is_a_state_error(configure, tiny_disk):
    """One line, exit 3; the next start with room makes the state."""
    path = configure()
    ballast = fill(tiny_disk)
    with Process(path) as process:
        assert process.wait() == 3
    assert "No space left" in process.log() or "make room" in process.log(), process.log()
    ballast.unlink()
    with Process(path) as process:
        process.port()
        assert process.terminate() == 0


@contextmanager
def failing_fsync(pid: int) -> Iterator[None]:
    """Every fsync of a process ends with EIO for as long as this lasts."""
    strace = shutil.which("strace")
    if strace is None:
        refuse("strace is not installed: `apt-get install strace`")
    calls = "fsync,fdatasync"
    with subprocess.Popen(
        [str(strace), "-f", "-qq", "-p", str(pid), "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO"],
        stderr=subprocess.PIPE, text=True,
    ) as tracer:  # fmt: skip
        assert tracer.stderr is not None
        try:
            first = tracer.stderr.readline()  # the first call that was failed
            if "EIO" not in first and "resumed" not in first and "unfinished" not in first:
                refuse(f"strace cannot attach here: {first.strip()}")
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=WAIT_SECONDS)


def test_a_disk_that_fails_is_said_and_gone_on_from(stream, configure, tmp_path):
    """EIO from every fsync: not ready, nothing taken; once it works again everything is counted once, and whole."""
    data = tmp_path / "live.jsonl"
    path = configure(sources=world.HTTP + world.files(data))
    half = len(stream.lines) // 2
    append(data, stream.lines[:half])
    with Process(path) as process, Probe(process.port()) as probe:
        probe.wait_counted(half)
        append(data, stream.lines[half : half + 50])  # so that there is something to save
        with failing_fsync(process._process.pid):
            wait_until(lambda: readiness(probe) == UNSAVED, seconds=WAIT_SECONDS, what="it to say that it is not ready")
            append(data, stream.lines[half + 50 :])
            assert_refused(probe)
            probe.wait(lambda: probe.metrics().total("checkpoint_failures_total") >= 1, "failures to be counted")
        probe.wait(lambda: readiness(probe) == 200, "it to be ready again")
        assert probe.wait_counted(len(stream.lines)).results(source="files") == stream.results()
        assert process.terminate() == 0, process.log()
    assert '"checkpoint_failed"' in process.log()
    assert ": good: " in verify(path.with_suffix(""))


JUMPS_MS = (90 * 86_400_000, -200 * 86_400_000, 3_600_000, -7_200_000, 400 * 86_400_000, -86_400_000)


def test_a_clock_that_jumps_changes_nothing(configure, tmp_path):
    """Back and forth by months while events come: the same counts, watermarks and alert identities, no window early."""
    lines = events.calm_then_drifted(hours=8, drifted=range(2, 5), rows_an_hour=120)
    hashes = []
    for state, jumps in (("steady", ()), ("jumping", JUMPS_MS)):
        now, away = [events.START + 300 * 24 * events.HOUR], itertools.cycle(jumps or (0,))
        with running(configure(state=state), clock=lambda now=now: now[0]) as (service, probe):
            for body in (b"\n".join(lines[start : start + 40]) for start in range(0, len(lines), 40)):
                post_all(probe, [body])
                probe.wait(service.caught_up, "the events to be counted")
                now[0] += next(away)
                service.queue.order(Command.TICK).done.wait(WAIT_SECONDS)
            late = probe.wait_counted(len(lines)).results()["late"]
        hashes.append((state_hash(tmp_path / state), late))
    assert hashes[0] == hashes[1]
    assert hashes[0][1] == 0


def test_a_process_that_was_stopped_goes_on_as_if_nothing_had_been():
    """What passes while nobody asks is no silence; see tests/nemesis for SIGSTOP itself."""
    now = [1_000]
    clock = SteadyClock(lambda: now[0])
    seen = [clock()]
    for by_ms in (1_000, 3_600_000, -86_400_000, 0, 2_000):
        now[0] += by_ms
        seen.append(clock())
    assert seen == [1_000, 2_000, 2_000 + MAX_STEP_MS, 12_000, 12_000, 14_000]
