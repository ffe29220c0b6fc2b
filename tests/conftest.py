"""What every test may use."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers.fixtures import collected, kafka, own_broker, pytest_collection_modifyitems

__all__ = ["collected", "kafka", "own_broker", "pytest_collection_modifyitems", "shared"]

# How long an example takes says more of the machine than of the code.
settings.register_profile("driftwatch", deadline=None)
settings.load_profile("driftwatch")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data sets and oracle tables that stands beside the project in CI."""
    if not SHARED.is_dir():
        pytest.skip("the shared data sets and oracle tables are not beside this clone")
    return SHARED
