"""Running seeds: each alone in a fresh directory, many of them on every processor."""

import logging
import multiprocessing
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import structlog

from driftwatch.daemon import dead_letters, engine
from tests.simulation.process import SECRET
from tests.simulation.simulation import MAX_REJECTED, MAX_UNSAVED, Simulation

_BLOCK = 25
_SHOWN = 60
_MEMORY_DISK = Path("/dev/shm")
"""Used where there is one; nothing here has to survive."""


@dataclass(slots=True)
class Outcome:
    """What came of some seeds. stories: of those that failed; faults: how many of each kind were injected."""

    stories: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


def run_seed(seed: int) -> Outcome:
    """Run one seed."""
    directory = Path(tempfile.mkdtemp(dir=_MEMORY_DISK if _MEMORY_DISK.is_dir() else None))
    simulation = Simulation(seed, directory)
    stories = []
    try:
        with _surroundings():
            simulation.run()
    except Exception as error:  # noqa: BLE001 - whatever it is, the seed and the story belong to it
        lines = "\n".join(simulation.trace.lines[-_SHOWN:])
        stories = [f"seed {seed}: {type(error).__name__}: {error}\n{simulation.plan}\n{lines}\nseed {seed}: {error}"]
    finally:
        shutil.rmtree(directory)
    return Outcome(stories, simulation.trace.faults, simulation.trace.lines)


def run_seeds(seeds: range) -> Outcome:
    """Run many seeds, on all processors that this test need not share with others."""
    total = Outcome()
    blocks = [seeds[at : at + _BLOCK] for at in range(0, len(seeds), _BLOCK)]
    workers = max(1, min((os.cpu_count() or 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")), len(blocks)))
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for outcome in pool.map(_run_block, blocks):
            total.stories += outcome.stories
            total.faults += outcome.faults
    return total


def _run_block(seeds: range) -> Outcome:
    total = Outcome()
    for seed in seeds:
        outcome = run_seed(seed)
        total.stories += outcome.stories
        total.faults += outcome.faults
    return total


@contextmanager
def _surroundings() -> Iterator[None]:
    """Meet the engine's limits soon; say nothing of the errors that are made on purpose."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        with (
            mock.patch.object(engine, "MAX_UNSAVED", MAX_UNSAVED),
            mock.patch.object(dead_letters, "MAX_REJECTED", MAX_REJECTED),
            mock.patch.dict(os.environ, {SECRET: "a secret of the simulation"}),
        ):
            yield
    finally:
        structlog.configure(**before)
