"""The model that the nemesis watches is that of the scenarios."""

from tests.scenarios.fixtures import reference

__all__ = ["reference"]
