"""The application over fakes, for every test of the HTTP door."""

import pytest

from tests.api.fakes import Service


@pytest.fixture
def service() -> Service:
    """A fresh application with empty fakes."""
    return Service()
