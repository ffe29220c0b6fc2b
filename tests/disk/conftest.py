"""What these tests use of the scenarios, and a disk of one megabyte."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.fixtures import configure, reference, stream

__all__ = ["configure", "reference", "stream", "tiny_disk"]

SIZE = "1m"


def refuse(why: str) -> None:
    """Skip where a person works, fail where everything is promised to be there."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte, where a service that is configured keeps its state."""
    place = tmp_path / "state"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        refuse("a file system of one megabyte can be mounted by root only")
    done = subprocess.run(
        [str(mount), "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        refuse(f"a file system cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)
