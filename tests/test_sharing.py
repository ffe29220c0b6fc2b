"""The lists by which tests are shared out name what there is."""

from pathlib import Path

import pytest

from tests.sharing import LONG, SERVICES

ROOT = Path(__file__).resolve().parents[1]
FILES = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.parametrize("start", [*SERVICES, *LONG])
def test_every_name_is_of_tests_that_are_there(start):
    """A file that was moved or renamed would be shared out as any other."""
    assert [name for name in FILES if name.startswith(start)]


def test_whatever_needs_kafka_stays_together():
    """Elsewhere it would start a second broker."""
    mark = "pytest.mark." + "kafka"
    users = {name for name, path in FILES.items() if mark in path.read_text(encoding="utf-8")}
    assert users
    assert not {name for name in users if not name.startswith(SERVICES)}
