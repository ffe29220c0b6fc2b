"""How the whole suite is shared out between two processes, by pytest-xdist.

A part of it (a path, `-k`, another `-m`, `-s`, `--pdb`) runs in one process, as it would without; `-n 0` and `-n 2` say
it for themselves.
"""

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

WORKERS = 2
_WHOLE = "not soak and not ecosystem"  # as pyproject.toml has it
_TOGETHER = "services"
SERVICES = (
    "tests/bounds/",
    "tests/crash/",
    "tests/hostile/",
    "tests/nemesis/",
    "tests/scenarios/",
    "tests/quality_door/test_kafka.py",
    "tests/sources/test_kafka",
    "tests/test_ports_source.py",
)
"""Tests of services as processes, and of Kafka: one worker runs them one after the other.

They state bounds in seconds and bytes, which two at a time would stretch, and they share one broker.
"""
LONG = ("tests/simulation/", "tests/test_demo.py")
"""Files of few tests that take long: begun first, lest one of them begin last and be waited for."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Say what `-n auto` means: two workers for the whole suite where there are two processors, else none."""
    option = config.option
    chosen = option.file_or_dir or option.keyword or option.markexpr != _WHOLE or option.capture == "no"
    return 0 if chosen or len(os.sched_getaffinity(0)) < WORKERS else WORKERS


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadScopeScheduling | None":
    """Hand the tests out unit by unit, in the order that `arrange` gave them."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - a part of the suite needs none of it

    class Sharing(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _unit(nodeid)

    return Sharing(config, log) if config.option.dist == "loadscope" else None


def arrange(items: list[pytest.Item]) -> None:
    """Sort tests that are shared out: those of services, the long ones, then the files with most tests."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    sizes = Counter(_unit(item.nodeid) for item in items)
    items.sort(key=lambda item: _place(_unit(item.nodeid), sizes))


def _unit(nodeid: str) -> str:
    return _TOGETHER if nodeid.startswith(SERVICES) else nodeid.partition("::")[0]


def _place(unit: str, sizes: Counter[str]) -> tuple[int, int, str]:
    rank = 0 if unit == _TOGETHER else 1 if unit.startswith(LONG) else 2
    return rank, -sizes[unit], unit
