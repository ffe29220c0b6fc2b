"""Seeds of a deterministic simulation: `DRIFTWATCH_SEED=n pytest tests/simulation` replays one of them."""

import logging
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from driftwatch.daemon import engine
from tests.simulation.process import SECRET
from tests.simulation.simulation import MAX_REJECTED, MAX_UNSAVED, Simulation

_CHOSEN = os.environ.get("DRIFTWATCH_SEED")
_BLOCK = 100
_SHOWN = 60
_MEMORY_DISK = Path("/dev/shm")  # where there is one; nothing here has to survive


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Meet the engine's limits soon; say nothing of the errors that are made on purpose."""
    monkeypatch.setattr(engine, "MAX_UNSAVED", MAX_UNSAVED)
    monkeypatch.setattr(engine, "MAX_REJECTED", MAX_REJECTED)
    monkeypatch.setenv(SECRET, "a secret of the simulation")
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


def simulate(seed: int) -> Simulation:
    """Run one seed; when it fails, tell its story."""
    directory = Path(tempfile.mkdtemp(dir=_MEMORY_DISK if _MEMORY_DISK.is_dir() else None))
    simulation = Simulation(seed, directory)
    try:
        simulation.run()
    except Exception as error:  # noqa: BLE001 - whatever it is, the seed and the story belong to it
        story = "\n".join(simulation.trace.lines[-_SHOWN:])
        pytest.fail(f"seed {seed} ({simulation.plan}): {type(error).__name__}: {error}\n{story}", pytrace=False)
    finally:
        shutil.rmtree(directory)
    return simulation


def test_seed() -> None:
    simulate(int(_CHOSEN or 0))
