"""What visitors use."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.quality_door import house
from tests.quality_door.rows import FORMS, Form


@pytest.fixture(scope="session")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reference files by task."""
    folder = tmp_path_factory.mktemp("references")
    return {form.task: house.write_reference(folder, form) for form in FORMS}


@pytest.fixture
def configure(tmp_path: Path, references: dict[str, Path]) -> Callable[..., Path]:
    """Write the configuration of a service for one task."""

    def configure(form: Form, **parts: Any) -> Path:
        return house.configuration(tmp_path, form, references[form.task], **parts)

    return configure
