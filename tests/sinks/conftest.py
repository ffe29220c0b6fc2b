"""An open post room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sinks.postroom import Post


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    opened = Post(tmp_path)
    yield opened
    opened.store.close()
