"""An open post room, and worlds of policies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driftwatch.sinks.targets.webhook import WebhookSpec
from tests.sinks.policy_world import Begin, World, target
from tests.sinks.postroom import Post


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    opened = Post(tmp_path)
    yield opened
    opened.store.close()


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    worlds: list[World] = []

    def make(*targets: WebhookSpec, **policies: Any) -> World:
        worlds.append(World(tmp_path / str(len(worlds)), *(targets or (target(**policies),))))
        return worlds[-1]

    yield make
    for world in worlds:
        world.store.close()
