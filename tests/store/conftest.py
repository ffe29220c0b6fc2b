"""An open state directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.doors import Doors


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    opened = Doors(tmp_path / "state")
    yield opened
    opened.store.close()
