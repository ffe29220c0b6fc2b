"""What every test may use."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers.fixtures import (
    collected,
    forgive,
    kafka,
    own_broker,
    pytest_runtest_makereport,
    secure_broker,
)
from tests.sharing import arrange, pytest_xdist_auto_num_workers, pytest_xdist_make_scheduler

__all__ = [
    "collected",
    "kafka",
    "own_broker",
    "pytest_runtest_makereport",
    "pytest_xdist_auto_num_workers",
    "pytest_xdist_make_scheduler",
    "secure_broker",
    "shared",
]

# How long an example takes says more of the machine than of the code.
settings.register_profile("driftwatch", deadline=None)
settings.load_profile("driftwatch")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Prepare what was collected."""
    forgive(items)
    arrange(items)


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data sets and oracle tables that stands beside the project in CI."""
    if not SHARED.is_dir():
        pytest.skip("the shared data sets and oracle tables are not beside this clone")
    return SHARED
