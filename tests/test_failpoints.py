"""Failpoints: they end the process where they are asked to, and are nothing where they are not."""

import os
import signal
import subprocess
import sys

import pytest

from driftwatch.failpoints import VARIABLE, Point

PROGRAM = """
import sys
from driftwatch.failpoints import Point, reached
for name in sys.argv[1:]:
    reached(Point(name))
    print(name)
"""


def reach(names: list[str], *, crash_at: str | None) -> subprocess.CompletedProcess[str]:
    """Come to these points in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment |= {VARIABLE: crash_at} if crash_at is not None else {}
    return subprocess.run(
        [sys.executable, "-uc", PROGRAM, *names],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("point", Point)
def test_it_ends_at_the_point_and_not_before(point):
    """SIGKILL: nothing behind the point is run, nothing is cleaned up."""
    others = [other for other in Point if other is not point]
    done = reach([*others, point, others[0]], crash_at=point)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == others


def test_it_ends_at_the_nth_time():
    """So that a loop can die in its third checkpoint."""
    done = reach([Point.COMMITTED] * 5, crash_at=f"{Point.COMMITTED}:3")
    assert done.returncode == -signal.SIGKILL
    assert len(done.stdout.split()) == 2


@pytest.mark.parametrize("crash_at", [None, ""])
def test_without_the_variable_nothing_happens(crash_at):
    """As in every production process."""
    done = reach([*Point], crash_at=crash_at)
    assert (done.returncode, done.stdout.split()) == (0, [*Point])


def test_a_point_that_does_not_exist_is_an_error():
    """A crash that never comes would prove nothing."""
    done = reach([], crash_at="checkpoint.somewhere")
    assert done.returncode == 1
    assert "checkpoint.somewhere" in done.stderr
